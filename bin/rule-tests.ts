/** Runs the test cases of rules: the pattern and the transform as the router has them, nothing sent anywhere. */
import { readFile, stat } from "node:fs/promises";
import { decodeUtf8, eventView } from "../src/core/event.ts";
import { explainMatch } from "../src/core/explain-match.ts";
import { eventPaths } from "../src/core/explain-paths.ts";
import { matchesPattern } from "../src/core/matcher.ts";
import type { Pattern } from "../src/core/pattern.ts";
import { compileTracer } from "../src/core/pattern-trace.ts";
import { parsePattern } from "../src/core/pattern.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "../src/core/result.ts";
import { err, ok } from "../src/core/result.ts";
import type { CompiledRule, RuleSet } from "../src/core/rule-set.ts";
import { isSameJson } from "../src/core/same-json.ts";
import { toShipment } from "../src/core/shipment.ts";
import type { Shipment } from "../src/core/target.ts";
import { applyTransform } from "../src/core/transform.ts";
import type { ProblemPlace } from "../scripts/places.ts";
import type { Problem } from "../scripts/problem.ts";
import { fileProblem } from "../scripts/problem.ts";
import type { TestCase } from "../scripts/read-test.ts";
import { readTest } from "../scripts/read-test.ts";
import type { RuleText } from "../scripts/rule-text.ts";
import { readRuleText } from "../scripts/rule-text.ts";
import type { RuleCoverage } from "./coverage.ts";
import { coverRule } from "./coverage.ts";
import { includesJson, reduceJson } from "./json-compare.ts";
import type { ResolveEvent, SeenEvent } from "./test-event.ts";

export const TEST_FILE_BYTES_MAX = 1024 * 1024;
/** Fixed, so that what a transform makes of the time and of chance is the same in every run. */
export const TEST_ACCEPTED_AT = Date.parse("2026-01-01T00:00:00Z");
const TEST_SEED = "test";
/** Files that are read at one time. */
const FILES_AT_ONCE = 64;

export interface CaseFailure {
  /** Where in the case. */
  readonly path: readonly PathStep[];
  /** A sentence without its stop. */
  readonly message: string;
  /** Both are there when values differ. */
  readonly expected?: Json;
  readonly actual?: Json;
}

export interface CaseResult {
  readonly rule: string;
  readonly test: TestCase;
  readonly place: (path: readonly PathStep[]) => ProblemPlace;
  /** Undefined when the case holds. */
  readonly failure: CaseFailure | undefined;
  /** What targets get; undefined when the rule doesn't want the event, or could not make it. */
  readonly output: { readonly value: Json } | undefined;
  /** The output was written into the case, which holds by that. */
  readonly isWritten?: true;
}

export interface FileResult {
  readonly rule: string;
  readonly file: string;
  /** The file's text; undefined when it has mistakes. */
  readonly text: string | undefined;
  readonly problems: readonly Problem[];
  readonly cases: readonly CaseResult[];
}

export interface TestRun {
  readonly files: readonly FileResult[];
  readonly coverage: readonly RuleCoverage[];
}

/** Runs the cases of `rules`, whose test files are in `tests`, both by the rules' paths. */
export async function runRuleTests(
  rules: readonly string[],
  tests: ReadonlyMap<string, string>,
  ruleSet: RuleSet,
  resolveEvent: ResolveEvent,
): Promise<TestRun> {
  const files: FileResult[] = [];
  const coverage: RuleCoverage[] = [];
  for (let at = 0; at < rules.length; at += FILES_AT_ONCE) {
    const some = rules.slice(at, at + FILES_AT_ONCE);
    const reads = await Promise.all(some.map((rule) => readTestFile(tests.get(rule))));
    for (const [index, path] of some.entries()) {
      const rule = ruleSet.rule(path);
      const pattern = parsePattern(rule?.definition.pattern ?? null);
      if (rule === undefined || !pattern.ok) throw new Error(`${path} is no rule of the rule set`);
      const read = reads[index];
      const ran = read === undefined ? undefined : await runFile(rule, pattern.value, read, resolveEvent);
      if (ran !== undefined) files.push(ran.result);
      coverage.push(coverRule(path, pattern.value, ran?.covers ?? { isTested: false, hasMiss: false, hits: [] }));
    }
  }
  return { files, coverage };
}

interface TestFileRead {
  readonly file: string;
  /** Or why there are none. */
  readonly content: Result<Uint8Array, string>;
}

async function readTestFile(file: string | undefined): Promise<TestFileRead | undefined> {
  if (file === undefined) return undefined;
  const refuse = (message: string): TestFileRead => ({ file, content: err(message) });
  try {
    const info = await stat(file);
    // A device or a pipe may have no end.
    if (!info.isFile()) return refuse("it is no file");
    if (info.size > TEST_FILE_BYTES_MAX) return refuse(`a test file has at most ${TEST_FILE_BYTES_MAX} bytes`);
    return { file, content: ok(await readFile(file)) };
  } catch (error) {
    return refuse(`it can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

async function runFile(rule: CompiledRule, pattern: Pattern, read: TestFileRead, resolveEvent: ResolveEvent) {
  const { file } = read;
  const content = readCases(read);
  const cases: CaseResult[] = [];
  const hits: JsonObject[] = [];
  let hasMiss = false;
  for (const test of content.cases) {
    const place = (path: readonly PathStep[]): ProblemPlace => {
      return { file, ...(content.locate?.({ path: ["cases", test.index, ...path] }) ?? { line: 1, column: 1 }) };
    };
    const base = { rule: rule.definition.path, test, place };
    const event = await resolveEvent(test.event, file);
    if (!event.ok) {
      const failure = { path: ["event", ...event.error.path], message: event.error.message };
      cases.push({ ...base, failure, output: undefined });
      continue;
    }
    const isMatch = matchesPattern(pattern, event.value.view());
    if (isMatch && test.match) hits.push(event.value.view());
    if (!isMatch && !test.match) hasMiss = true;
    cases.push({ ...base, ...(await judge(test, isMatch, rule, pattern, event.value)) });
  }
  const { text, problems } = content;
  const result: FileResult = { rule: rule.definition.path, file, text, problems, cases };
  return { result, covers: { isTested: cases.length > 0, hasMiss, hits } };
}

interface FileContent {
  readonly text: string | undefined;
  readonly problems: readonly Problem[];
  readonly cases: readonly TestCase[];
  readonly locate?: RuleText["locate"];
}

function readCases({ file, content }: TestFileRead): FileContent {
  const refuse = (message: string): FileContent => ({
    text: undefined,
    problems: [fileProblem(file, message)],
    cases: [],
  });
  if (!content.ok) return refuse(content.error);
  const decoded = decodeUtf8(content.value);
  if (decoded === null) return refuse("expected UTF-8 text");
  const text = readRuleText(decoded, file.endsWith(".json"));
  const mistakes: Mistake[] = [];
  const cases = text.value === undefined ? undefined : readTest(text.value, mistakes);
  const found = [
    ...text.problems,
    ...mistakes.map((mistake) => ({ ...text.locate(mistake), message: mistake.message })),
  ];
  const problems = found.map((each): Problem => ({ file, severity: "error", ...each }));
  return { text: cases === undefined ? undefined : decoded, problems, cases: cases ?? [], locate: text.locate };
}

type Verdict = Pick<CaseResult, "failure" | "output">;

async function judge(
  test: TestCase,
  isMatch: boolean,
  rule: CompiledRule,
  pattern: Pattern,
  { event, view }: SeenEvent,
): Promise<Verdict> {
  const failed = (failure: CaseFailure, output?: { readonly value: Json }): Verdict => ({ failure, output });
  if (isMatch !== test.match) {
    const message = isMatch ? "expected no match, but the rule wants this event" : whyNoMatch(pattern, view());
    return failed({ path: ["match"], message });
  }
  if (!isMatch) return { failure: undefined, output: undefined };
  const shipment = await toShipment(rule, {
    event,
    view,
    deliveryId: TEST_SEED,
    attempt: 1,
    rawHeaders: {},
    acceptedAt: TEST_ACCEPTED_AT,
  });
  const { expectation } = test;
  if (!shipment.ok) {
    const { detail } = shipment.error;
    if (expectation?.kind !== "error") return failed({ path: [], message: `the transform fails: ${detail}` });
    if (detail.includes(expectation.text)) return { failure: undefined, output: undefined };
    const message = `expected the transform to fail with ${JSON.stringify(expectation.text)}, but it says: ${detail}`;
    return failed({ path: ["error"], message });
  }
  const output = { value: await outputOf(rule, view(), shipment.value) };
  if (expectation === undefined) return { failure: undefined, output };
  const expected = expectation.kind === "error" ? null : expectation.value;
  switch (expectation.kind) {
    case "error": {
      const why = rule.transform === undefined ? "this rule has no transform that could" : "it made an output";
      return failed({ path: ["error"], message: `expected the transform to fail, but ${why}` }, output);
    }
    case "output":
      if (isSameJson(expected, output.value)) return { failure: undefined, output };
      return failed({ path: ["output"], message: "the output differs", expected, actual: output.value }, output);
    case "output-includes": {
      if (includesJson(expected, output.value)) return { failure: undefined, output };
      const actual = reduceJson(expected, output.value);
      return failed({ path: ["output-includes"], message: "the output differs", expected, actual }, output);
    }
  }
}

function whyNoMatch(pattern: Pattern, view: JsonObject): string {
  const explained = explainMatch(compileTracer(pattern), eventPaths(view));
  return `expected a match, but the rule leaves this event alone${explained.matched ? "" : `: ${explained.reason.text}`}`;
}

/**
 * What targets get as JSON: the data; text that is not JSON as a string, other bytes in Base64, no data as null. An event of the
 * transform's own making is its attributes and its data.
 */
async function outputOf({ transform }: CompiledRule, given: JsonObject, { event }: Shipment): Promise<Json> {
  const view = eventView(event);
  const made = transform && (await applyTransform(transform, given, { acceptedAt: TEST_ACCEPTED_AT, seed: TEST_SEED }));
  if (made?.ok === true && made.value.kind === "event") return { ...view };
  return view["data"] ?? view["data_base64"] ?? null;
}
