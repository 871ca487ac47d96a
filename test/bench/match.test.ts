import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parsePattern } from "../../src/core/pattern.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { readEventTexts, readPatternTexts } from "./match-files.ts";
import { measureMatching } from "./match-measure.ts";
import { KINDS, githubTexts, patternsOf } from "./match-workload.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-match-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function parsed(pattern: JsonObject) {
  const result = parsePattern(pattern);
  if (!result.ok) throw new Error(JSON.stringify([pattern, result.error]));
  return result.value;
}

const EFFORT = { rounds: 3, roundMs: 1, warmUpMs: 1 };

describe("the benchmark of the matcher", () => {
  it("counts the rules, the events and the matches of all events together", () => {
    const patterns = [{ a: [1] }, { a: [{ exists: true }] }, { b: [1] }].map(parsed);
    const result = measureMatching(() => patterns, ['{"a":1}', '{"a":2}'], EFFORT);
    expect(result).toMatchObject({ rules: 3, events: 2, matches: 3 });
    expect(Object.keys(result)).toEqual([
      "rules",
      "events",
      "matches",
      "eventsPerSecond",
      "parseOnlyEventsPerSecond",
      "ratioToParse",
      "compileMs",
      "heapMb",
    ]);
    expect(result.ratioToParse).toBeCloseTo(result.eventsPerSecond / result.parseOnlyEventsPerSecond, 2);
  });

  it("has rules of every kind in each form, and about 27 of 10,000 mixed ones match an event", () => {
    for (const form of ["payload", "cloudevent"] as const) {
      const texts = githubTexts(form);
      const bytes = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
      expect(bytes).toBeGreaterThan(9_000);
      expect(bytes).toBeLessThan(11_000);
      const patterns = patternsOf("mixed", 10_000, form).map(parsed);
      const { matches } = measureMatching(() => patterns, texts.slice(0, 40), { ...EFFORT, rounds: 1 });
      expect(matches / 40).toBeGreaterThan(20);
      expect(matches / 40).toBeLessThan(34);
      for (const kind of KINDS) for (const pattern of patternsOf(kind, 20, form)) parsed(pattern);
    }
  });

  it("names the file and the line of what is wrong", () => {
    const rules = fileOf("rules.ndjson", '{"a":[1]}\n\n{"a":[{"prefx":"b"}]}\n{"a"\n');
    const wrong = readPatternTexts(rules);
    expect(wrong.ok ? "" : wrong.error.message).toMatch(
      /rules\.ndjson:3: a\[0\].*prefix[^\n]*\n.*rules\.ndjson:4: expected JSON/s,
    );
    const events = fileOf("events.ndjson", '{"a":1}\n[1]\n');
    const odd = readEventTexts(events);
    expect(odd.ok ? "" : odd.error.message).toMatch(/events\.ndjson:2: expected a JSON object$/);
    const deep = readEventTexts(fileOf("deep.ndjson", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`));
    expect(deep.ok ? "" : deep.error.message).toContain("deep.ndjson:1: expected at most 64 levels");
    const empty = readEventTexts(fileOf("empty.ndjson", "\n \n"));
    expect(empty.ok ? "" : empty.error.message).toMatch(/empty\.ndjson is empty$/);
    const none = readEventTexts(join(folder, "none.ndjson"));
    expect(none.ok ? "" : none.error.message).toMatch(/can't read .*none\.ndjson: there is no such file$/);
  });

  it("takes lines that end as on Windows, and a byte order mark", () => {
    const texts = readEventTexts(fileOf("windows.ndjson", '\ufeff{"a":1}\r\n{"a":2}\r\n'));
    expect(texts).toEqual({ ok: true, value: ['{"a":1}', '{"a":2}'] });
  });

  it.each([
    [["--rules", "x.ndjson"], 2, "--rules goes with --events"],
    [["--events", "x.ndjson"], 2, "--events goes with --rules"],
    [["--rules", "none.ndjson", "--events", "none.ndjson"], 1, "there is no such file"],
    [["--help"], 0, "npm run -s bench:match -- --rules rules.ndjson"],
  ] as const)("called with %j exits with %i", async (args, code, said) => {
    const script = fileURLToPath(new URL("match.ts", import.meta.url).href);
    const ended = await new Promise<{ code: number; output: string }>((resolve) => {
      execFile(process.execPath, [script, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
    expect(ended.output).toContain(said);
    expect(ended.code).toBe(code);
  });
});
