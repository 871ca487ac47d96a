/** The parts of a local run that need no router. */
import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findSecret, resolveDevVars } from "../../bin/local/dev-vars.ts";
import { watchFolder } from "../../bin/local/rules-watch.ts";
import { lockState } from "../../bin/local/state-lock.ts";
import { waitFor } from "../support/router-process.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-local-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function devVars(name: string, text?: string): Promise<string> {
  const file = join(dir, name);
  if (text !== undefined) await writeFile(file, text);
  return file;
}

describe("secrets for a local run", () => {
  it("come from the environment, then from the file, and are made up only then", async () => {
    const file = await devVars("both", 'A="file a"\nB="file b"');
    const first = await resolveDevVars(["A", "B", "C"], { A: "env a" }, file);
    if (!first.ok) throw new Error(first.error.message);
    expect(first.value.added).toEqual(["C"]);
    expect(first.value.values).toMatchObject({
      A: "env a",
      B: "file b",
      C: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    // The file did not end in a line feed: what is added must not join its last line.
    expect((await readFile(file, "utf8")).split("\n").slice(0, 2)).toEqual(['A="file a"', 'B="file b"']);
    const second = await resolveDevVars(["A", "B", "C"], {}, file);
    expect(second).toMatchObject({
      ok: true,
      value: { added: [], values: { A: "file a", C: first.value.values["C"] } },
    });
  });

  it("are made up anew for every name", async () => {
    const made = await resolveDevVars(["A", "B", "A"], {}, await devVars("new"));
    if (!made.ok) throw new Error(made.error.message);
    expect(made.value.added).toEqual(["A", "B"]);
    expect(made.value.values["A"]).not.toBe(made.value.values["B"]);
    expect((await stat(join(dir, "new"))).mode & 0o777).toBe(0o600);
  });

  it("are not set when the environment says so", async () => {
    const file = await devVars("empty", "A=x\n");
    expect(await resolveDevVars(["A"], { A: "" }, file)).toMatchObject({ value: { values: { A: "" }, added: [] } });
    expect(await findSecret("A", { A: "" }, file)).toEqual({ ok: true, value: undefined });
    expect(await findSecret("A", {}, file)).toEqual({ ok: true, value: "x" });
    expect(await findSecret("constructor", {}, file)).toEqual({ ok: true, value: undefined });
  });

  it("can't come from what is no file", async () => {
    await mkdir(join(dir, "folder"));
    expect(await findSecret("A", {}, join(dir, "folder"))).toMatchObject({ ok: false });
  });
});

describe("the lock on a folder of state", () => {
  it("is one router's at a time", async () => {
    const state = join(dir, "state");
    const first = await lockState(state);
    if (!first.ok) throw new Error(first.error.message);
    expect(await lockState(state)).toMatchObject({
      ok: false,
      error: { message: `another router (process ${process.pid}) is running on ${state}` },
    });
    await first.value.release();
    const second = await lockState(state);
    expect(second.ok).toBe(true);
    if (second.ok) await second.value.release();
  });

  it("is not held by the files that a killed process leaves", async () => {
    const state = join(dir, "left");
    await mkdir(state);
    await writeFile(join(state, "router.pid"), `${process.pid}\n`);
    await writeFile(join(state, "router.lock"), "");
    const lock = await lockState(state);
    expect(lock.ok).toBe(true);
    if (lock.ok) await lock.value.release();
  });

  it("can't be had where there is no folder", async () => {
    await writeFile(join(dir, "file"), "");
    expect(await lockState(join(dir, "file"))).toMatchObject({
      ok: false,
      error: { hint: "Name another with --state." },
    });
  });
});

describe("watching a folder", () => {
  it("tells each change once, when it has settled", async () => {
    const folder = join(dir, "watched");
    await mkdir(join(folder, "default"), { recursive: true });
    await writeFile(join(folder, "a.yaml"), "1");
    let changes = 0;
    const watch = watchFolder(folder, async () => {
      changes += 1;
    });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(changes).toBe(0);
    await writeFile(join(folder, "default", "b.yaml"), "1");
    await writeFile(join(folder, "a.yaml"), "22");
    await waitFor("the first change", () => (changes === 1 ? true : undefined));
    await rm(folder, { recursive: true });
    await waitFor("the folder's end", () => (changes === 2 ? true : undefined));
    watch.stop();
  });
});
