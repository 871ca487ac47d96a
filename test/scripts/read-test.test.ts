import { describe, expect, it } from "vitest";
import { CASES_MAX, CASE_NAME_CHARS_MAX, readTest } from "../../scripts/read-test.ts";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";

const CASE = { name: "a", event: { github: "push" }, match: true };

function read(value: Json) {
  const mistakes: Mistake[] = [];
  const cases = readTest(value, mistakes);
  return { cases, mistakes: mistakes.map(({ path, message }) => `${formatPath(path)}: ${message}`) };
}

/** The mistakes in a file whose only case has these members besides a right case's own. */
function mistakesIn(members: JsonObject): readonly string[] {
  const { cases, mistakes } = read({ cases: [{ ...CASE, ...members }] });
  expect(cases).toBeUndefined();
  return mistakes;
}

describe("a test file", () => {
  it("is read into cases with their events and what is expected of them", () => {
    const { cases, mistakes } = read({
      cases: [
        {
          name: "published",
          event: { github: "issues", action: "opened", example: 2, with: { a: null }, set: { subject: "x" } },
          match: true,
          output: null,
        },
        { name: "file", event: "./events/push.json", match: false },
        { name: "inline", event: { type: "t", data: 5 }, match: true, "output-includes": { a: 1 } },
        { name: "fails", event: { github: "push" }, match: true, error: "nothing" },
      ],
    });
    expect(mistakes).toEqual([]);
    expect(cases).toEqual([
      {
        name: "published",
        index: 0,
        event: {
          kind: "github",
          name: "issues",
          action: "opened",
          example: 2,
          with: { a: null },
          set: { subject: "x" },
        },
        match: true,
        expectation: { kind: "output", value: null },
      },
      {
        name: "file",
        index: 1,
        event: { kind: "file", path: "./events/push.json" },
        match: false,
        expectation: undefined,
      },
      {
        name: "inline",
        index: 2,
        event: { kind: "inline", value: { type: "t", data: 5 } },
        match: true,
        expectation: { kind: "output-includes", value: { a: 1 } },
      },
      {
        name: "fails",
        index: 3,
        event: { kind: "github", name: "push", example: 1 },
        match: true,
        expectation: { kind: "error", text: "nothing" },
      },
    ]);
  });

  it.each<[Json, RegExp]>([
    [null, /^: expected cases: and a list of them, found null$/],
    [[], /found an empty list$/],
    [{}, /^: expected the key cases/],
    [{ cases: [] }, /^cases: expected a non-empty list/],
    [{ case: [CASE] }, /^case: unknown key "case"; did you mean "cases"\?/],
    [{ cases: ["push"] }, /^cases\[0\]: expected a case with a name, an event and match, found the string "push"/],
    [{ cases: [CASE, CASE] }, /^cases\[1\]\.name: the name "a" is taken by case 1 of this file/],
  ])("that is %j is a mistake", (value, mistake) => {
    expect(read(value).mistakes[0]).toMatch(mistake);
  });

  it("has every mistake said at once", () => {
    const { cases, mistakes } = read({ cases: [{ nam: "a", event: 5, match: "yes" }, { ...CASE, outputs: 1 }, CASE] });
    expect(cases).toBeUndefined();
    expect(mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(": ")))).toEqual([
      "cases[0].nam",
      "cases[0].event",
      "cases[0].match",
      "cases[0]",
      "cases[1].outputs",
      "cases[2].name",
    ]);
  });

  it("has so many cases and no more", () => {
    const cases = Array.from({ length: CASES_MAX + 1 }, (_, index) => ({ ...CASE, name: `${index}` }));
    expect(read({ cases: cases.slice(1) }).cases).toHaveLength(CASES_MAX);
    expect(read({ cases }).mistakes).toEqual([`cases: expected at most ${CASES_MAX} items, found ${CASES_MAX + 1}`]);
  });
});

describe("a case", () => {
  it.each<[JsonObject, string]>([
    [
      { output: 1, error: "x" },
      "cases[0].error: a case has ONE of output, output-includes and error: found output and error",
    ],
    [
      { match: false, output: 1 },
      "cases[0].output: output needs match: true: of an event that doesn't match, targets get nothing",
    ],
    [{ error: "" }, 'cases[0].error: expected a non-empty string, found the string ""'],
    [{ match: "true" }, 'cases[0].match: expected true or false, found the string "true"'],
    [
      { event: "" },
      'cases[0].event: expected { github: push }, a file such as ./events/push.json, or an event with a type and data, found the string ""',
    ],
    [{ event: { githb: "push" } }, 'cases[0].event.githb: unknown key "githb"; did you mean "github"?'],
    [{ event: { typ: "push" } }, 'cases[0].event.typ: unknown key "typ"; did you mean "type"?'],
    [{ event: {} }, "cases[0].event: expected an event with a type, or github: with the name of a published example"],
    [
      { event: { github: "push", withs: {} } },
      'cases[0].event.withs: unknown key "withs"; did you mean "with"? (known: github, action, example, with, set)',
    ],
    [
      { event: { github: "push", example: 0 } },
      "cases[0].event.example: expected a whole number from 1 to 1000, found the number 0",
    ],
    [
      { event: { github: "push", with: [] } },
      "cases[0].event.with: expected members of the payload, such as with: { ref: refs/heads/main }, found an empty list",
    ],
    [
      { event: { github: "push", set: { data: 1 } } },
      "cases[0].event.set.data: the payload is changed by with, not by set",
    ],
  ])("with %j is a mistake", (members, mistake) => {
    expect(mistakesIn(members)).toEqual([mistake]);
  });

  it("has a name of so many characters and no more", () => {
    const name = "a".repeat(CASE_NAME_CHARS_MAX);
    expect(read({ cases: [{ ...CASE, name }] }).cases).toHaveLength(1);
    expect(mistakesIn({ name: `${name}a` })).toEqual([
      `cases[0].name: expected at most ${CASE_NAME_CHARS_MAX} characters, found ${CASE_NAME_CHARS_MAX + 1}`,
    ]);
  });

  it("may have names from every object's prototype, and none of them is taken for its own", () => {
    const event = JSON.parse('{"type":"t","__proto__":{"github":"push"}}') as JsonObject;
    expect(read({ cases: [{ ...CASE, event }] }).cases?.[0]?.event.kind).toBe("inline");
    expect(mistakesIn(JSON.parse('{"constructor":1}') as JsonObject)[0]).toMatch(
      /^cases\[0\]\.constructor: unknown key/,
    );
  });
});
