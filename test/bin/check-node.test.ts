import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const FILE = join(import.meta.dirname, "../../bin/check-node.mjs");

/** Runs the check as if in a Node of the given version. */
async function checkIn(version: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const text = await readFile(FILE, "utf8");
  const code = `Object.defineProperty(process, "versions", { value: { node: "${version}" } });\n${text}`;
  try {
    const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
    return { code: 0, stderr };
  } catch (error) {
    return error as { code: number; stderr: string };
  }
}

it.each(["22.18.0", "24.21.0", "26.0.0"])("lets Node %s pass without a word", async (version) => {
  expect(await checkIn(version)).toMatchObject({ code: 0, stderr: "" });
});

it.each(["18.20.0", "20.20.2", "22.17.1"])("stops Node %s with the way out", async (version) => {
  const { code, stderr } = await checkIn(version);
  expect(code).toBe(1);
  expect(stderr).toContain(`needs Node 22.18 or newer, this is ${version}.`);
  expect(stderr).toContain("npm ci");
});
