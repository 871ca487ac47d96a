/**
 * Rule files from anybody: any text and any JSON become a document that compiles, or mistakes with a place each. Nothing
 * throws, and nothing takes a time that grows faster than the file.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMIT_READERS } from "../../scripts/read-limits.ts";
import { ORDER_READERS, orderOf } from "../../scripts/read-order.ts";
import { readRule } from "../../scripts/read-rule.ts";
import { readSource } from "../../scripts/read-source.ts";
import { readTarget } from "../../scripts/read-target.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { FILE_BYTES_MAX } from "../../scripts/checked-file.ts";
import { readRules } from "../../scripts/rule-files.ts";
import { DUPLICATES_SHOWN_MAX, readRuleText } from "../../scripts/rule-text.ts";
import { parseJson } from "../../src/core/json.ts";
import { compileMatcher } from "../../src/core/matcher.ts";
import { parsePattern, parsePatternText } from "../../src/core/pattern.ts";
import { readMembers } from "../../src/core/read-object.ts";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";
import { HOSTILE_JSON, HOSTILE_NAMES, HOSTILE_URLS } from "./corpus.ts";

const registry = await loadRegistry();
const MESSAGE_CHARACTERS_MAX = 600;

/** What expressions reach for where an event has names that mean something. */
const EXPRESSIONS = [
  "data",
  "**",
  "data.*",
  "$keys(data)",
  "data.__proto__",
  "data.constructor.name",
  "data{$string($): $}",
].concat([
  "$$ ~> |data|{'__proto__': 1, 'constructor': 2}, ['toString']|",
  "$string(data)",
  "$merge([data, data])",
  "data ~> $spread",
]);

/** Words that mean something somewhere in a rule file. */
const WORDS = [
  ..."kind bus secrets auth bearer none replays flag http queue local format headers sign timeout retry max-age".split(
    " ",
  ),
  ..."rate concurrency limit burst order on_failure gap_wait skip-after key sequence block park latest".split(" "),
  ..."pattern transform targets mode description template paths body path constant jsonata live off data type".split(
    " ",
  ),
  ..."$or prefix suffix wildcard anything-but numeric cidr exists exactly equals-ignore-case secret github".split(" "),
];
const WRITTEN_VALUES = [
  "50/s",
  "5s",
  "999999999d",
  "1h",
  "$.data.ref",
  "<a>",
  "https://a.example/",
  "10.0.0.0/8",
  "a*b\\*",
];
const anyName = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...HOSTILE_NAMES), fc.string({ maxLength: 8 }));
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      -0,
      -1,
      1.5,
      1e308,
      2 ** 53,
      "",
      "a",
      ...WRITTEN_VALUES,
      ...HOSTILE_NAMES,
    ),
    fc.oneof(fc.constantFrom(...HOSTILE_URLS), fc.constantFrom(...WORDS), fc.string({ unit: "binary", maxLength: 12 })),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.array(fc.tuple(anyName, tie("json")), { maxLength: 5 }).map(
      // By definition, not by assignment: `__proto__` is a name like any other, as it is in JSON.
      (members) =>
        JSON.parse(
          `{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`,
        ) as Json,
    ),
  ),
}));

function expectMistakes(mistakes: readonly Mistake[]): void {
  expect(mistakes.length).toBeGreaterThan(0);
  for (const { path, message } of mistakes) {
    expect(message.length).toBeGreaterThan(5);
    expect(message.length).toBeLessThan(MESSAGE_CHARACTERS_MAX);
    expect(path.every((step) => typeof step === "string" || Number.isInteger(step))).toBe(true);
  }
}

/** What a reader answered goes with what it added: a definition without mistakes, or mistakes without one. */
function expectEither(read: unknown, mistakes: readonly Mistake[]): boolean {
  if (read === undefined) expectMistakes(mistakes);
  else expect(mistakes).toEqual([]);
  return read !== undefined;
}

describe("any JSON", () => {
  it("is a rule that compiles, or mistakes", () => {
    const shaped = fc.record(
      { pattern: json, transform: json, targets: json, order: json, on_failure: json, gap_wait: json },
      { requiredKeys: [] },
    );
    const GOOD = { pattern: { type: ["a"] }, targets: ["ci"] };
    const ordered = fc.record(
      {
        order: fc.constantFrom("none", "key", "sequence"),
        on_failure: fc.oneof(fc.constantFrom("block", "park", "latest"), fc.record({ "skip-after": fc.integer() })),
        gap_wait: fc.constantFrom("5s", "1m", "0s", "1d"),
        mode: fc.constantFrom("live", "off", "shadow"),
      },
      { requiredKeys: [] },
    );
    const transformed = fc.record({ transform: fc.oneof(fc.record({ constant: json }), fc.record({ path: anyName })) });
    const value = fc.oneof(
      json,
      shaped,
      fc.tuple(shaped, ordered, transformed).map((parts): object => Object.assign({}, ...parts, GOOD) as object),
      fc.oneof(ordered, transformed).map((part) => ({ ...part, ...GOOD })),
    );
    let good = 0;
    fc.assert(
      fc.property(value, (rule) => {
        const mistakes: Mistake[] = [];
        const read = readRule("default", "a", rule as Json, ["ci", "__proto__"], mistakes);
        if (!expectEither(read, mistakes) || read === undefined) return;
        good += 1;
        const targets = [
          {
            name: "ci",
            kind: "http",
            entry: { http: "https://a.example/" },
            timeoutMs: 1_000,
            retryDelaysMs: [],
            maxAgeMs: 1_000,
          },
        ];
        const known = read.targets.filter((target) => target === "ci");
        compileRules({ version: "v", sources: [], targets, rules: [{ ...read, targets: known }] }, registry).match(
          "default",
          { type: "a" },
        );
      }),
      { numRuns: 1_500 },
    );
    expect(good).toBeGreaterThan(10);
  }, 20_000);

  it("is an entry of targets.yaml or sources.yaml that compiles, or mistakes", () => {
    const key = fc.constantFrom(
      "http",
      "queue",
      "bus",
      "kind",
      "secrets",
      "auth",
      "sign",
      "headers",
      "rate",
      "retry",
      "timeout",
      "format",
    );
    const shaped = fc.dictionary(key, json, { maxKeys: 4 });
    const good = [
      { http: "https://a.example/" },
      { queue: "A" },
      { bus: "a" },
      { kind: "github", secrets: ["A"] },
      { kind: "cloudevents", auth: "none" },
    ];
    const value = fc.oneof(
      json,
      shaped,
      fc.tuple(fc.constantFrom<JsonObject>(...good), shaped).map(([a, b]): Json => ({ ...b, ...a })),
    );
    const seen = { targets: 0, sources: 0 };
    fc.assert(
      fc.property(fc.oneof(fc.constant("ci"), anyName), value, (entryName, entry) => {
        const mistakes: Mistake[] = [];
        const target = readTarget(entryName, entry as Json, registry.targets, mistakes);
        if (expectEither(target, mistakes) && target !== undefined) {
          seen.targets += 1;
          compileRules({ version: "v", sources: [], targets: [target], rules: [] }, registry);
        }
        const others: Mistake[] = [];
        const source = readSource(entryName, entry as Json, registry.sources, others);
        if (expectEither(source, others) && source !== undefined) {
          seen.sources += 1;
          compileRules({ version: "v", sources: [source], targets: [], rules: [] }, registry);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(seen.targets).toBeGreaterThan(10);
    expect(seen.sources).toBeGreaterThan(10);
  }, 20_000);

  it("is an order, a rate and a number of requests, or mistakes", () => {
    const value = fc.oneof(json, fc.record({ limit: json, burst: json }), fc.record({ "skip-after": json }));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("order", "on_failure", "gap_wait", "rate", "concurrency"), value),
        (entry) => {
          const object = entry as JsonObject;
          const mistakes: Mistake[] = [];
          const read = readMembers(object, [], { ...ORDER_READERS, ...LIMIT_READERS }, mistakes);
          orderOf(object, read, mistakes);
          for (const member of Object.keys(read)) expect(Object.hasOwn(object, member)).toBe(true);
          if (mistakes.length > 0) expectMistakes(mistakes);
          const { rate } = read;
          if (rate !== undefined)
            expect(Object.values(rate).every((each) => Number.isInteger(each) && each > 0)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is a pattern and a view: the parser says what is wrong, and the matcher answers", () => {
    fc.assert(
      fc.property(json, json, (pattern, view) => {
        const parsed = parsePattern(pattern);
        const text = parsePatternText(JSON.stringify(pattern));
        expect(text.ok).toBe(parsed.ok);
        if (!parsed.ok) return expectMistakes(parsed.error);
        const matcher = compileMatcher([parsed.value, parsed.value]);
        if (isJsonObject(view)) expect([[], [0, 1]]).toContainEqual(matcher.match(view));
        if (isJsonObject(pattern)) matcher.match(pattern);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is matched by patterns made for it, whatever its names and values are", () => {
    const scalar = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom(...HOSTILE_NAMES),
    );
    const member = fc
      .oneof(fc.constantFrom(...HOSTILE_NAMES.filter((each) => each !== "")), fc.string({ minLength: 1, maxLength: 6 }))
      .filter((each) => each !== "$or");
    fc.assert(
      fc.property(member, scalar, (key, value) => {
        const pattern = parsePattern(
          JSON.parse(`{"data":{${JSON.stringify(key)}:[${JSON.stringify(value)}]}}`) as Json,
        );
        if (!pattern.ok) return expectMistakes(pattern.error);
        const { match } = compileMatcher([pattern.value]);
        const view = (text: string) => JSON.parse(`{"data":${text}}`) as JsonObject;
        expect(match(view(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`))).toEqual([0]);
        // What every object inherits is nobody's value.
        expect(match(view("{}"))).toEqual([]);
        expect(match(view("[]"))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is a transform and a view: made, refused or failed, and always JSON", async () => {
    const shaped = fc.oneof(
      fc.record({ path: json }),
      fc.record({ constant: json }),
      fc.record({ jsonata: fc.oneof(json, fc.constantFrom(...EXPRESSIONS)) }),
      fc.record({
        template: fc.record({
          paths: fc.dictionary(
            anyName,
            fc.constantFrom("$.data", "$", "$.data.__proto__", "$.data[0]", "$.constructor", "$.a.toString"),
          ),
          body: json,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(json, shaped), json, async (transform, data) => {
        const parsed = parseTransform(transform as Json, jsonataEngine);
        if (!parsed.ok) return expectMistakes(parsed.error);
        const made = await applyTransform(parsed.value, { type: "a", data: data as Json }, { acceptedAt: 0, seed: "" });
        if (!made.ok) expect(made.error.reason).toBe("transform-failed");
        else if (made.value.kind === "body") JSON.parse(made.value.text);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("any text", () => {
  const fragment = fc.oneof(
    fc.constantFrom(
      ..."{ } [ ] : , - ? | > & * ! % @ ` ' \" # \\ ~ << --- ... \n \t &a *a !!js !!binary !!set \u0000 \ufeff \u2028".split(
        " ",
      ),
      "\n",
      "\n  ",
      ": ",
      "- ",
      "0x1f",
      "1e999",
      ".nan",
      ".inf",
      "2026-01-01",
      "? ",
    ),
    fc.constantFrom(...WORDS),
    fc.constantFrom(...HOSTILE_JSON.filter((text) => text.length < 200)),
    fc.string({ unit: "binary", maxLength: 5 }),
  );
  const text = fc.array(fragment, { maxLength: 25 }).map((parts) => parts.join(""));

  it("is a value or problems, each at a place in the text", () => {
    const seen = { values: 0, problems: 0 };
    fc.assert(
      fc.property(text, fc.boolean(), fc.array(fc.oneof(anyName, fc.nat(5))), (written, isJson, path) => {
        const { value, problems, locate } = readRuleText(written, isJson);
        const places = [locate({ path }), locate({ path, at: "key" }), ...problems];
        for (const { line, column } of places) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(written.split("\n").length);
          expect(column).toBeGreaterThanOrEqual(1);
        }
        expect(value === undefined).toBe(problems.length > 0);
        for (const { message } of problems) expect(message).not.toBe("");
        if (value === undefined) seen.problems += 1;
        else {
          seen.values += 1;
          // What came out is JSON: nothing that JSON can't say got through, and no prototype of it is another's.
          expect(parseJson(JSON.stringify(value), 200).ok).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(seen.values).toBeGreaterThan(50);
    expect(seen.problems).toBeGreaterThan(50);
  }, 20_000);

  it("of the corpus is read by the strict reader as JSON.parse reads it, or refused", () => {
    for (const written of HOSTILE_JSON.filter((each) => each.length < 30_000)) {
      const { value, problems } = readRuleText(written, true);
      if (value !== undefined) expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(written)));
      else expect(problems.length).toBeGreaterThan(0);
    }
  });
});

/** Files that were chosen to be bad for a parser, of about so many bytes. */
const BAD_FILES: Readonly<Record<string, (bytes: number) => string>> = {
  "names in a list of names": (bytes) => `{${Array.from({ length: bytes / 9 }, (_, at) => `k${at}`).join(",")}}`,
  "unknown keys": (bytes) => Array.from({ length: bytes / 12 }, (_, at) => `k${at}: 1`).join("\n"),
  "one key": (bytes) => "a: 1\n".repeat(bytes / 5),
  "JSON keys": (bytes) => `{${Array.from({ length: bytes / 12 }, (_, at) => `"k${at}":1`).join(",")}}`,
  "open lists": (bytes) => "[".repeat(bytes),
  "closed lists": (bytes) => "[".repeat(bytes / 2) + "]".repeat(bytes / 2),
  "open objects": (bytes) => "{a: ".repeat(bytes / 4),
  "lists in lists": (bytes) => "- ".repeat(bytes / 2),
  "complex keys": (bytes) => "? ".repeat(bytes / 2),
  commas: (bytes) => `[${",".repeat(bytes)}`,
  anchors: (bytes) => "- &a x\n".repeat(bytes / 7),
  aliases: (bytes) => `- &a x\n${"- *a\n".repeat(bytes / 5)}`,
  "a laugh": () =>
    `a0: &a0 [x, x]\n${Array.from({ length: 90 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`).join("\n")}`,
  tags: (bytes) => "!a ".repeat(bytes / 3),
  quotes: (bytes) => '"'.repeat(bytes),
  backslashes: (bytes) => `"${"\\".repeat(bytes)}`,
  "line ends": (bytes) => "\n".repeat(bytes),
  "wrong fields": (bytes) =>
    `targets: [ci]\npattern:\n${Array.from({ length: bytes / 14 }, (_, at) => ` k${at}: 1`).join("\n")}`,
  "many branches": (bytes) =>
    `targets: [ci]\npattern: {$or: [${Array.from({ length: bytes / 14 }, (_, at) => `{a: [${at}]}`).join(",")}]}`,
  "many targets": (bytes) =>
    `pattern: {a: [1]}\ntargets: [${Array.from({ length: bytes / 8 }, (_, at) => `c${at}`).join(",")}]`,
};

describe("a file at the limit of its size", () => {
  let dir = "";
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-hostile-rules-"));
    await mkdir(join(dir, "default"));
    await writeFile(join(dir, "sources.yaml"), "");
    await writeFile(join(dir, "targets.yaml"), "ci: { http: https://ci.example.com/ }\n");
  });
  afterAll(() => rm(dir, { recursive: true }));

  async function readAs(file: string, text: string): Promise<{ readonly ms: number; readonly problems: number }> {
    await writeFile(join(dir, file), text);
    const startedAt = performance.now();
    const { problems } = await readRules(dir, registry, join(dir, "no-wrangler.toml"));
    const ms = performance.now() - startedAt;
    await writeFile(join(dir, file), file.startsWith("targets") ? "ci: { http: https://ci.example.com/ }\n" : "");
    return { ms, problems: problems.length };
  }

  it.each(Object.entries(BAD_FILES))(
    "of %s has mistakes, in a time linear in its size",
    async (name, make) => {
      for (const file of name.includes("keys") ? ["default/a.yaml", "targets.yaml"] : ["default/a.yaml"]) {
        const long = make(FILE_BYTES_MAX - 200).slice(0, FILE_BYTES_MAX);
        const short = make((FILE_BYTES_MAX - 200) / 4);
        let isSlower = true;
        for (let tries = 0; tries < 3 && isSlower; tries++) {
          const read = await readAs(file, long);
          expect(read.problems).toBeGreaterThan(0);
          isSlower = read.ms > 100 && read.ms > 9 * (await readAs(file, short)).ms;
        }
        expect(isSlower, file).toBe(false);
      }
    },
    30_000,
  );

  it("shows the first of its duplicate keys only", () => {
    const text = (keys: number) => "a: 1\n".repeat(keys);
    expect(readRuleText(text(DUPLICATES_SHOWN_MAX + 1), false).problems).toHaveLength(DUPLICATES_SHOWN_MAX);
    expect(readRuleText(text(FILE_BYTES_MAX / 5), false).problems).toHaveLength(DUPLICATES_SHOWN_MAX);
    expect(readRuleText("a: 1\nb: {c: 1, c: 2}\na: 2\n", false).problems).toMatchObject([
      { line: 2, column: 11, message: "keys must be unique" },
      { line: 3, column: 1, message: "keys must be unique" },
    ]);
  });
});
