import { describe, expect, it } from "vitest";
import { explainMatch } from "../../src/core/explain-match.ts";
import { eventPaths } from "../../src/core/explain-paths.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import { compileTracer } from "../../src/core/pattern-trace.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";

const EVENT: JsonObject = {
  type: "com.github.pull_request.opened",
  data: {
    number: 7,
    pull_request: { title: "Fix it", draft: false },
    repository: { id: 1, name: "r", full_name: "o/r" },
    labels: [
      { name: "bug", color: "blue" },
      { name: "help", color: "red" },
    ],
    tags: ["a", "b"],
    none: [],
    empty: {},
  },
};

function explain(pattern: Json, view: JsonObject = EVENT) {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return explainMatch(compileTracer(parsed.value), eventPaths(view));
}

function textOf(pattern: Json, view?: JsonObject): string {
  const explained = explain(pattern, view);
  return explained.matched ? "matched" : explained.reason.text;
}

describe("an event that matches", () => {
  it("has for each field what was found and by which alternatives", () => {
    const pattern = {
      type: [{ prefix: "com.github." }, "com.github.pull_request.opened", "other"],
      data: { tags: ["b"], number: [{ numeric: [">=", 5] }], missing: [{ exists: false }] },
    };
    expect(explain(pattern)).toEqual({
      matched: true,
      fields: [
        {
          path: "type",
          found: '"com.github.pull_request.opened"',
          by: ['starts with "com.github."', '"com.github.pull_request.opened"'],
        },
        { path: "data.tags", found: '"a" and "b"', by: ['"b"'] },
        { path: "data.number", found: "7", by: ["a number >= 5"] },
        { path: "data.missing", found: "no such field", by: ["no such field"] },
      ],
    });
  });

  it("by one branch of $or has that one's fields", () => {
    const pattern = { $or: [{ data: { number: [8] } }, { data: { tags: ["a"] } }] };
    expect(explain(pattern)).toMatchObject({ matched: true, fields: [{ path: "data.tags" }] });
  });
});

describe("the first reason that an event does not match", () => {
  it("is another value", () => {
    expect(explain({ data: { number: [7], tags: ["x", { suffix: "y" }], other: [1] } })).toEqual({
      matched: false,
      reason: {
        kind: "value",
        path: "data.tags",
        expected: '"x" or ends with "y"',
        found: '"a" and "b"',
        text: 'data.tags: expected "x" or ends with "y", found "a" and "b"',
      },
    });
  });

  it("is a field that is not there, with the nearest that is", () => {
    expect(explain({ data: { title: ["Fix it"] } })).toEqual({
      matched: false,
      reason: {
        kind: "no-such-field",
        path: "data.title",
        expected: '"Fix it"',
        found: "no such field",
        nearest: "data.pull_request.title",
        text: 'data.title: expected "Fix it", found no such field; the nearest in this event is data.pull_request.title',
      },
    });
  });

  it.each<[Json, string]>([
    [{ data: { zzz: [1] } }, "data.zzz: expected 1, found no such field"],
    [{ data: { number: [{ exists: false }] } }, "data.number: expected no such field, found 7"],
    [
      { data: { numbr: [{ exists: true }] } },
      "data.numbr: expected any value, found no such field; the nearest in this event is data.number",
    ],
    [
      { data: { repository: ["o/r"] } },
      'data.repository: expected "o/r", found an object with the fields id, name and full_name',
    ],
    [
      { data: { labels: ["bug"] } },
      'data.labels: expected "bug", found a list of objects with the fields name and color',
    ],
    [{ data: { none: ["x"] } }, 'data.none: expected "x", found an empty list'],
    [{ data: { empty: ["x"] } }, 'data.empty: expected "x", found an empty object'],
    [
      { data: { tags: ["1", "2", "3", "4", "5", "6", "7"] } },
      'data.tags: expected "1", "2", "3", "4" and 3 more, found "a" and "b"',
    ],
  ])("of %j", (pattern, text) => {
    expect(textOf(pattern)).toBe(text);
  });

  it("is that the data has no fields at all", () => {
    const pattern = { data: { ref: ["x"] } };
    const base = 'data.ref: expected "x", found no such field; this event';
    expect(textOf(pattern, { type: "t", data: "text" })).toBe(`${base}'s data is a single value without fields`);
    expect(textOf(pattern, { type: "t" })).toBe(`${base} has no data`);
    expect(textOf(pattern, { type: "t", data_base64: "AA==" })).toBe(`${base}'s data is not text`);
  });

  it("is that the fields are met by different elements of an array", () => {
    const apart = { data: { number: [7], labels: { name: ["bug"], color: ["red"] } } };
    expect(explain(apart)).toMatchObject({
      matched: false,
      reason: {
        kind: "elements",
        path: "data.labels.name",
        text: "data.labels.name and data.labels.color: expected all in one element of their array, found them in different elements",
      },
    });
    expect(textOf({ data: { labels: { name: ["bug"], color: ["blue"] } } })).toBe("matched");
  });

  it("is not a field that an element lacks, when another field is the reason", () => {
    const pattern = { data: { labels: { size: [{ exists: false }], name: ["bug"] }, number: [8] } };
    const view = { data: { number: 7, labels: [{ size: 1 }, { name: "bug" }] } };
    expect(textOf(pattern, view)).toBe("data.number: expected 8, found 7");
  });

  it("is a field that some elements have and none may have", () => {
    const view = { data: { labels: [{ size: 1 }, { name: "bug" }] } };
    expect(textOf({ data: { labels: { size: [{ exists: false }] } } }, view)).toBe(
      "data.labels.size: expected no such field, found 1",
    );
  });

  it("with $or is that of the branch that came furthest, which it names", () => {
    const pattern = {
      type: [{ prefix: "com." }],
      $or: [{ data: { zzz: [1] } }, { data: { number: [7], tags: ["x"] } }, { data: { number: [8] } }],
    };
    expect(explain(pattern)).toEqual({
      matched: false,
      reason: {
        kind: "value",
        path: "data.tags",
        expected: '"x"',
        found: '"a" and "b"',
        branch: { at: ["$or[1]"], met: 2, fields: 3, branches: 3 },
        text: 'data.tags: expected "x", found "a" and "b" (of 3 branches, $or[1], the one that came furthest)',
      },
    });
  });

  it("names every choice of $ors in one another", () => {
    const inner = { $or: [{ number: [8] }, { tags: ["a"], number: [9] }] };
    const pattern = { $or: [{ zzz: [1] }, { type: [{ prefix: "com." }], data: inner }] };
    expect(explain(pattern)).toMatchObject({
      reason: { path: "data.number", branch: { at: ["$or[1]", "$or[1].data.$or[1]"], met: 2, fields: 3, branches: 3 } },
    });
  });
});
