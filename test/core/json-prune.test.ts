import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonPath, readJsonPath } from "../../src/core/json-path.ts";
import { PRUNED_BYTES_MAX, createPruner } from "../../src/core/json-prune.ts";
import { compileMatcher } from "../../src/core/matcher.ts";
import { parsePatternText } from "../../src/core/pattern.ts";
import type { Pattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import type { WantedPath } from "../../src/core/wanted-tree.ts";
import { buildWantedTree } from "../../src/core/wanted-tree.ts";
import { githubExamples } from "../support/github-examples.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function prune(
  text: string,
  wanted: readonly WantedPath[],
  partBytes = 1_000_000,
  bytesMax = PRUNED_BYTES_MAX,
): string {
  const pruner = createPruner(buildWantedTree(wanted), { bytesMax });
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; at += partBytes) pruner.update(bytes.subarray(at, at + partBytes));
  const pruned = pruner.finish();
  return pruned.ok ? new TextDecoder().decode(pruned.value) : pruned.error.reason;
}

const all = (...paths: readonly string[]): readonly WantedPath[] =>
  paths.map((path) => ({ names: path === "" ? [] : path.split("."), depth: "all" }));
const values = (...paths: readonly string[]): readonly WantedPath[] =>
  all(...paths).map(({ names }) => ({ names, depth: "values" }));

/** What the rules of a bus would ask for, with the event itself as the data. */
function wantedBy(pattern: Pattern): readonly WantedPath[] {
  return pattern.branches.flat().map(({ path }) => ({ names: path.split("."), depth: "values" }));
}

describe("what is kept", () => {
  test.each([
    ["what is named, and the objects on the way", '{"a":{"b":1,"c":2},"d":3}', all("a.b"), '{"a":{"b":1}}'],
    ["a wanted object as it was written", '{"a": { "b" : [1, 2.50] } }', all("a"), '{"a":{ "b" : [1, 2.50] }}'],
    ["an object of whose values alone are wanted: nothing", '{"a":{"b":1}}', values("a"), '{"a":{}}'],
    [
      "elements in their places",
      '{"a":[{"x":1},{"b":2},7,{"b":3},{"x":4}]}',
      all("a.b"),
      '{"a":[{},{"b":2},{},{"b":3}]}',
    ],
    ["scalars in arrays in arrays", '{"a":[[1,[2]],{"b":3}]}', values("a"), '{"a":[[1,[2]]]}'],
    ["names with dots, both ways", '{"a.b":{"c":1},"a":{"b.c":2}}', all("a.b.c"), '{"a.b":{"c":1},"a":{"b.c":2}}'],
    ["names that are written with escapes", '{"\\u0061":1,"\\u0062":2}', all("a"), '{"\\u0061":1}'],
    ["names beyond ASCII", '{"größe":1,"grosse":2}', all("größe"), '{"größe":1}'],
    ["__proto__, which is just a name", '{"__proto__":{"a":1},"b":2}', all("__proto__.a"), '{"__proto__":{"a":1}}'],
    ["a name that comes twice, twice", '{"a":{"b":1},"a":5}', all("a.b"), '{"a":{"b":1},"a":{}}'],
    ["the whole", ' {"a":[1,2]} ', all(""), '{"a":[1,2]}'],
    ["of an array its being one", "[1,2]", all("a"), "[]"],
    ["of a scalar that it is no object", "17", all("a"), "null"],
    ["a scalar that is wanted", "17", values(""), "17"],
    ["numbers to their last digit", '{"a":12345678901234567890.10}', all("a"), '{"a":12345678901234567890.10}'],
  ] as const)("%s", (_, text, wanted, expected) => {
    for (const part of [1, 2, 3, 1_000]) expect(prune(text, wanted, part)).toBe(expected);
  });

  test("as many bytes as the limit says, and not one more", () => {
    const text = JSON.stringify({ a: "x".repeat(PRUNED_BYTES_MAX - 8), b: "left out" });
    expect(prune(text, all("a"), 65_536)).toHaveLength(PRUNED_BYTES_MAX);
    const longer = JSON.stringify({ a: "x".repeat(PRUNED_BYTES_MAX - 7), b: "left out" });
    expect(prune(longer, all("a"), 65_536)).toBe("rules-need-too-much");
  });

  test("a name of any length is read past", () => {
    expect(prune(JSON.stringify({ ["n".repeat(3_000_000)]: 1, a: 2 }), all("a"), 65_536)).toBe('{"a":2}');
  });

  test("text that is wrong anywhere is refused, kept or not", () => {
    expect(prune('{"a":1,"b":[01]}', all("a"))).toBe("invalid-json");
    expect(prune('{"a":1,"b":[', all("a"))).toBe("invalid-json");
    expect(prune(`{"a":1,"b":${"[".repeat(64)}${"]".repeat(64)}}`, all("a"))).toBe("json-too-deep");
  });
});

interface Observed {
  readonly pattern: string;
  readonly event: string;
  readonly expect: "match" | "no-match" | "invalid";
}

const OBSERVED = readFileSync(`${import.meta.dirname}/../conformance/patterns/observed.ndjson`, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Observed)
  .flatMap(({ pattern, event, expect: expected }) => {
    const parsed = parsePatternText(pattern);
    return parsed.ok ? [{ pattern: parsed.value, event, expected }] : [];
  });

describe("what is found in the pruned", () => {
  test("every pattern that was observed matches the pruned event as it matches the whole", () => {
    expect(OBSERVED.length).toBeGreaterThan(800);
    const wrong = OBSERVED.filter(({ pattern, event, expected }, index) => {
      const pruned = JSON.parse(prune(event, wantedBy(pattern), 1 + (index % 40))) as JsonObject;
      return compileMatcher([pattern]).match(pruned).length > 0 !== (expected === "match");
    });
    expect(wrong).toEqual([]);
  });

  const NAMES = ["a", "b", "c", "a.b", "", "__proto__", "é"];
  const name = fc.constantFrom(...NAMES);
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 5, depthSize: "medium" },
      fc.constantFrom(null, true, 0, 1, "x", ""),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.array(fc.tuple(name, tie("json")), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
    ),
  }));
  /** As text, some names written with escapes and some twice. */
  const text = fc.tuple(json, json, fc.boolean(), fc.boolean()).map(([first, second, escaped, twice]) => {
    const whole = twice
      ? `{"a":${JSON.stringify(first)},"b":${JSON.stringify(first)},"a":${JSON.stringify(second)}}`
      : `{"a":${JSON.stringify(first)},"b":${JSON.stringify(second)}}`;
    return escaped ? whole.replaceAll('"a":', '"\\u0061":') : whole;
  });

  test("random patterns match the pruned event as they match the whole, whatever the parts", () => {
    const alternative = fc.constantFrom(
      "[null]",
      '["x"]',
      "[1]",
      '[{"exists":false}]',
      '[{"exists":true}]',
      '[{"anything-but":["x"]}]',
      '[""]',
    );
    const path = fc.array(
      name.filter((each) => each !== ""),
      { minLength: 1, maxLength: 3 },
    );
    const patternText = fc.array(fc.tuple(path, alternative), { minLength: 1, maxLength: 3 }).map((fields) => {
      const unique = new Map(fields.map(([names, wanted]) => [names.join("."), wanted]));
      return `{${[...unique].map(([joined, wanted]) => `${JSON.stringify(joined)}:${wanted}`).join(",")}}`;
    });
    fc.assert(
      fc.property(text, patternText, fc.integer({ min: 1, max: 30 }), (event, written, part) => {
        const pattern = parsePatternText(written);
        if (!pattern.ok) return;
        const matcher = compileMatcher([pattern.value]);
        const pruned = JSON.parse(prune(event, wantedBy(pattern.value), part)) as JsonObject;
        expect(matcher.match(pruned)).toEqual(matcher.match(JSON.parse(event) as JsonObject));
      }),
      { numRuns: 1_500 },
    );
  });

  test("random paths read the same from the pruned as from the whole, whatever the parts", () => {
    const step = fc.oneof(
      name.map((each) => `[${JSON.stringify(each)}]`),
      fc.constantFrom("[0]", "[1]", "[2]", "[*]"),
    );
    const written = fc
      .tuple(name, fc.array(step, { maxLength: 4 }))
      .map(([first, steps]) => `$["${first}"]${steps.join("")}`);
    fc.assert(
      fc.property(
        text,
        fc.array(written, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 30 }),
        (event, paths, part) => {
          const read = paths.map((each) => {
            const parsed = parseJsonPath(each);
            if (!parsed.ok) throw new Error(each);
            return parsed.value;
          });
          const wanted = read.map((steps): WantedPath => ({
            names: steps.flatMap((each) => (each.kind === "member" ? [each.name] : [])),
            depth: "all",
          }));
          const [pruned, whole] = [JSON.parse(prune(event, wanted, part)), JSON.parse(event)] as [
            JsonObject,
            JsonObject,
          ];
          for (const steps of read) expect(readJsonPath(steps, pruned)).toEqual(readJsonPath(steps, whole));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test("of GitHub's payloads every path that they have reads the same", () => {
    const examples = githubExamples();
    expect(examples).toHaveLength(329);
    for (const [index, { body }] of examples.entries()) {
      const whole = JSON.parse(body) as JsonObject;
      const paths = pathsOf(whole).filter((_, at) => at % 7 === index % 7);
      const wanted = paths.map((path): WantedPath => ({
        names: path.filter((each) => typeof each === "string"),
        depth: "values",
      }));
      const pruned = JSON.parse(prune(body, wanted, 1 + (index % 977))) as JsonObject;
      for (const path of paths) expect([path, at(pruned, path)]).toEqual([path, at(whole, path)]);
    }
  });
});

type Path = readonly (string | number)[];

/** Where the document has values that are no containers. */
function pathsOf(value: Json, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) =>
    pathsOf(member as Json, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

function at(value: Json, path: Path): unknown {
  return path.reduce((found: unknown, step) => (found as Readonly<Record<string, unknown>>)[step], value);
}
