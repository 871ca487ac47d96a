import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENT_FILE_BYTES_MAX, createEventResolver, loadExamples, mergePatch } from "../../bin/test-event.ts";
import type { TestEvent } from "../../scripts/read-test.ts";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const EXAMPLES = ok([
  {
    name: "issues",
    examples: [
      { action: "opened", n: 1 },
      { action: "closed", n: 2 },
      { action: "opened", n: 3 },
    ],
  },
  { name: "ping", examples: [{ zen: "x" }] },
]);

let dir: string;
let rules: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-test-event-"));
  rules = join(dir, "rules");
  await mkdir(join(rules, "default/events"), { recursive: true });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function viewOf(event: TestEvent): Promise<JsonObject | Mistake> {
  const resolved = await createEventResolver(rules, () => EXAMPLES, NOW)(event, join(rules, "default/a.test.yaml"));
  return resolved.ok ? { ...resolved.value.view() } : resolved.error;
}
const github = (members: Omit<TestEvent & { kind: "github" }, "kind" | "example"> & { readonly example?: number }) =>
  viewOf({ kind: "github", example: 1, ...members });
const file = (path: string) => viewOf({ kind: "file", path });

describe("an event of GitHub's", () => {
  it("is the example that action and number choose", async () => {
    expect(await github({ name: "issues" })).toMatchObject({ type: "com.github.issues.opened", data: { n: 1 } });
    expect(await github({ name: "issues", example: 2 })).toMatchObject({ data: { n: 2 } });
    expect(await github({ name: "issues", action: "opened", example: 2 })).toMatchObject({ data: { n: 3 } });
  });

  it("has the attributes of its changed payload, and those that are set", async () => {
    const changed = await github({
      name: "issues",
      with: { action: "labeled", n: null, label: { name: "x" } },
      set: { id: "7", subject: null, mine: true },
    });
    expect(changed).toMatchObject({ type: "com.github.issues.labeled", id: "7", mine: true });
    expect(changed).toHaveProperty("data", { action: "labeled", label: { name: "x" } });
    expect(changed).toHaveProperty("time", "2026-01-01T00:00:00.000Z");
  });

  it("is not changed for the cases after it", async () => {
    const resolve = createEventResolver(rules, () => EXAMPLES, NOW);
    await resolve({ kind: "github", name: "ping", example: 1, with: { zen: null } }, rules);
    const again = await resolve({ kind: "github", name: "ping", example: 1 }, rules);
    expect(again.ok && again.value.view()["data"]).toEqual({ zen: "x" });
  });

  it.each<[Parameters<typeof github>[0], Mistake]>([
    [
      { name: "isues" },
      { path: ["github"], message: 'unknown event "isues"; did you mean "issues"? (known: issues, ping)' },
    ],
    [
      { name: "issues", action: "opend" },
      {
        path: ["action"],
        message:
          'issues: unknown action "opend"; did you mean "opened"? (known: opened, closed); without action, with: { action: "opend" } makes one of any example',
      },
    ],
    [
      { name: "issues", action: "closed", example: 2 },
      { path: ["example"], message: "issues with the action closed has 1 published example, found example: 2" },
    ],
    [
      { name: "ping", set: { type: "" } },
      { path: ["set"], message: expect.stringContaining("type") as string },
    ],
  ])("can't be %j", async (event, mistake) => {
    expect(await github(event)).toEqual(mistake);
  });

  it("says so when the examples are not installed, and they are here", async () => {
    const resolve = createEventResolver(rules, () => err("not installed"), NOW);
    const resolved = await resolve({ kind: "github", name: "push", example: 1 }, rules);
    expect(resolved).toEqual(err({ path: ["github"], message: "not installed" }));
    expect(loadExamples().ok).toBe(true);
    const missing = loadExamples(() => {
      throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
    });
    expect(missing).toEqual(err(expect.stringMatching(/not installed: npm ci brings them/)));
  });
});

describe("an event in a file", () => {
  it("may be JSON or YAML, with attributes left out", async () => {
    await writeFile(join(rules, "default/events/a.json"), '{"type":"t","data":{"x":1.50}}');
    await writeFile(join(rules, "default/events/a.yaml"), "type: t\ndata: [1] # one\n");
    expect(await file("./events/a.json")).toEqual({
      specversion: "1.0",
      id: "example",
      source: "/example",
      type: "t",
      data: { x: 1.5 },
    });
    expect(await file("events/a.yaml")).toMatchObject({ type: "t", data: [1] });
  });

  it("never leaves the rules folder, by a path or by a link", async () => {
    await writeFile(join(dir, "outside.json"), '{"type":"t"}');
    await symlink(join(dir, "outside.json"), join(rules, "default/events/link.json"));
    for (const path of [
      "../../outside.json",
      join(dir, "outside.json"),
      "./events/link.json",
      "../../../nothing.json",
    ]) {
      expect(await file(path)).toMatchObject({
        message: expect.stringContaining("outside the rules folder") as string,
      });
    }
  });

  it.each([
    ["missing.json", undefined, "the file default/missing.json can't be read (ENOENT)"],
    ["a.txt", undefined, "an event's file ends in .json, .yaml or .yml"],
    ["bad.json", "{", "the file default/bad.json:1:2: a .json file holds strict JSON: "],
    ["bad.yaml", "type: t\ndata: [", "the file default/bad.yaml:2:8: "],
    ["list.json", "[]", "the file default/list.json: expected an event, an object with a type and data"],
    ["none.json", "{}", "the file default/none.json: the event is no CloudEvent: type: "],
  ])("that is %s is told", async (path, text, message) => {
    if (text !== undefined) await writeFile(join(rules, "default", path), text);
    expect(await file(path)).toEqual({ path: [], message: expect.stringContaining(message) as string });
  });

  it("is a file, and nothing that only looks like one", async () => {
    await mkdir(join(rules, "default/events/folder.json"));
    expect(await file("events/folder.json")).toMatchObject({
      message: "the file default/events/folder.json is no file",
    });
  });

  it("has so many bytes and no more", async () => {
    const text = '{"type":"t"}';
    await writeFile(join(rules, "default/events/big.json"), text.padEnd(EVENT_FILE_BYTES_MAX));
    await writeFile(join(rules, "default/events/bigger.json"), text.padEnd(EVENT_FILE_BYTES_MAX + 1));
    expect(await file("events/big.json")).toMatchObject({ type: "t" });
    expect(await file("events/bigger.json")).toMatchObject({
      message: `the file default/events/bigger.json is larger than ${EVENT_FILE_BYTES_MAX} bytes`,
    });
  });
});

describe("a merge patch", () => {
  // RFC 7386, appendix A.
  it.each<[Json, Json, Json]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j with %j is %j", (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it("touches no prototype", () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"a":1}}') as Json) as JsonObject;
    expect(Object.keys(merged)).toEqual(["__proto__"]);
    expect(merged["a"]).toBeUndefined();
  });
});
