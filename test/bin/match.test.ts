import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LINE_BYTES_MAX } from "../../bin/ndjson.ts";
import { jsonLines, runSluice } from "./run-sluice.ts";

const VECTORS = join(import.meta.dirname, "../conformance/patterns/observed.ndjson");
const CLI = join(import.meta.dirname, "../../bin/sluice.ts");
const ALL_VECTORS_MS_MAX = 4_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-match-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function answers(...lines: readonly string[]): Promise<readonly unknown[]> {
  const { code, stdout } = await runSluice(["match"], { input: lines.map((line) => `${line}\n`).join("") });
  expect(code).toBe(0);
  return jsonLines(stdout);
}

const MATCH = '{"pattern":{"x":[1]},"event":{"x":1}}';

describe("match on lines of JSON", () => {
  it("answers every observed case as expected, in order and soon", async () => {
    const input = await readFile(VECTORS, "utf8");
    const startedAt = performance.now();
    const { code, stdout } = await runSluice(["match"], { input });
    expect(performance.now() - startedAt).toBeLessThan(ALL_VECTORS_MS_MAX);
    expect(code).toBe(0);
    const expected = jsonLines(input).map((line) => (line as { readonly expect: string }).expect);
    const found = jsonLines(stdout).map((line) => (line as { readonly result: string }).result);
    expect(expected).toHaveLength(1_074);
    expect(found).toEqual(expected);
  });

  it("takes values and texts that hold JSON alike", async () => {
    const pattern = { data: { ref: ["refs/heads/main"] } };
    const event = { data: { ref: "refs/heads/main" } };
    expect(
      await answers(
        JSON.stringify({ pattern, event }),
        JSON.stringify({ pattern: JSON.stringify(pattern), event: JSON.stringify(event) }),
        JSON.stringify({ pattern, event: { data: {} } }),
      ),
    ).toEqual([{ result: "match" }, { result: "match" }, { result: "no-match" }]);
  });

  it("answers a wrong line with its reason and goes on", async () => {
    const found = await answers(
      "nope",
      "",
      "[]",
      '{"pattern":{"x":[1]}}',
      '{"event":{"x":1}}',
      '{"pattern":{"x":1},"event":{"x":1}}',
      '{"pattern":"{\\"x\\":[1],\\"x\\":[2]}","event":{"x":1}}',
      '{"pattern":{"x":[1]},"event":"{"}',
      '{"pattern":{"x":[1]},"event":[1]}',
      `{"pattern":{"x":[1]},"event":${"[".repeat(90)}${"]".repeat(90)}}`,
      `{"pattern":{"x":[1]},"event":{"x":${"[".repeat(64)}${"]".repeat(64)}}}`,
      MATCH,
    );
    const wrong = (error: RegExp) => ({ result: "invalid", error: expect.stringMatching(error) as string });
    expect(found).toEqual([
      wrong(/^the line: expected JSON/),
      wrong(/^the line is empty/),
      wrong(/^the line: expected an object .* found an empty list/),
      wrong(/^the line: expected the member event/),
      wrong(/^the line: expected the member pattern/),
      wrong(/^pattern\.x: .* write \[1\]/),
      wrong(/^pattern\.x: .* twice/),
      wrong(/^event: expected JSON/),
      wrong(/^event: expected an object, found a list/),
      wrong(/^the line: expected JSON of at most 72 levels/),
      wrong(/^event: expected JSON of at most 64 levels/),
      { result: "match" },
    ]);
  });

  it("needs no line feed after the last line, and takes carriage returns before it", async () => {
    const { stdout } = await runSluice(["match"], { input: `${MATCH}\r\n${MATCH}` });
    expect(jsonLines(stdout)).toEqual([{ result: "match" }, { result: "match" }]);
  });

  it("answers a line that is not UTF-8", async () => {
    const input = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${MATCH}\n`)]);
    const { stdout } = await runSluice(["match"], { input });
    expect(jsonLines(stdout)).toEqual([{ result: "invalid", error: "the line is not UTF-8" }, { result: "match" }]);
  });

  it("takes a line of the largest size, and refuses one byte more without losing its place", async () => {
    const padded = (bytes: number): string => MATCH + " ".repeat(bytes - MATCH.length);
    const input = `${padded(LINE_BYTES_MAX)}\n${padded(LINE_BYTES_MAX + 1)}\n${MATCH}\n`;
    const { stdout } = await runSluice(["match"], { input });
    expect(jsonLines(stdout)).toEqual([
      { result: "match" },
      { result: "invalid", error: `the line is longer than ${LINE_BYTES_MAX} bytes` },
      { result: "match" },
    ]);
  });

  it("prints nothing for no input", async () => {
    expect(await runSluice(["match"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("answers each line as it comes, and ends quietly when its reader has gone", async () => {
    const child = spawn(process.execPath, [CLI, "match"]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on("error", () => {});
    const ended = new Promise<number | null>((resolve) => {
      child.once("close", resolve);
    });
    child.stdin.write(`${MATCH}\n`);
    const first = await new Promise<string>((resolve) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    });
    expect(first).toBe('{"result":"match"}\n');
    child.stdout.destroy();
    for (let index = 0; index < 20; index++) child.stdin.write(`${MATCH}\n`.repeat(10_000));
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(stderr).toBe("");
  });
});

describe("match on files", () => {
  it("takes a rule file's pattern, a pattern's file or JSON text", async () => {
    const event = join(dir, "event.json");
    await writeFile(event, '{"type":"com.github.push","data":{"ref":"refs/heads/main"}}');
    const rule = join(import.meta.dirname, "../../rules/default/deploy-on-main.yaml");
    expect(await runSluice(["match", "--pattern", rule, "--event", event])).toEqual({
      code: 0,
      stdout: "match\n",
      stderr: "",
    });
    const text = await runSluice(["match", "--json", "--pattern", '{"type":["other"]}', "--event", event]);
    expect(text).toEqual({ code: 0, stdout: '{"result":"no-match"}\n', stderr: "" });
  });

  it("says where in the file a mistake is", async () => {
    await writeFile(join(dir, "pattern.yaml"), "type:\n  - prefx: com.github.\n");
    const run = await runSluice(["match", "--pattern", "pattern.yaml", "--event", "{}"], { cwd: dir });
    expect(run.code).toBe(1);
    expect(run.stdout).toBe("");
    expect(run.stderr).toMatch(/^pattern\.yaml:2:5: type\[0\]\.prefx: .*did you mean "prefix"/);
  });

  it.each([
    [["--pattern", "{}"], /found only --pattern/],
    [["--event", "{}"], /found only --event/],
  ])("wants both options, not %j alone", async (args, message) => {
    const run = await runSluice(["match", ...args]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
  });

  it("names a file that it can't read", async () => {
    const run = await runSluice(["match", "--pattern", "missing.json", "--event", "{}"], { cwd: dir });
    expect(run).toEqual({ code: 1, stdout: "", stderr: "error: --pattern: missing.json can't be read (ENOENT)\n" });
  });
});
