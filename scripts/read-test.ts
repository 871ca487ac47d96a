/** Reads the content of a rule's test file, `<rule>.test.yaml`: named cases, each an event and what the rule makes of it. */
import type { Reader } from "../src/core/read-object.ts";
import { describe, nearestName, readInteger, readList, readMembers, readString } from "../src/core/read-object.ts";
import { described, exclusive, membersSchema, withSchema } from "../src/core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";

/** Cases of one file. */
export const CASES_MAX = 1_000;
export const CASE_NAME_CHARS_MAX = 200;
/** An event has a few published examples; GitHub's list has at most some dozens. */
const EXAMPLES_MAX = 1_000;

/** Where a case's event comes from. */
export type TestEvent =
  | {
      readonly kind: "github";
      readonly name: string;
      readonly action?: string;
      /** Which of the examples, after `action` has chosen; 1 is the first. */
      readonly example: number;
      /** A merge patch (RFC 7386) for the payload. */
      readonly with?: JsonObject;
      /** CloudEvents attributes that take the place of the example's. */
      readonly set?: JsonObject;
    }
  /** Relative to the test file. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "inline"; readonly value: JsonObject };

/** What targets get of an event that the rule wants. */
export type Expectation =
  | { readonly kind: "output"; readonly value: Json }
  | { readonly kind: "output-includes"; readonly value: Json }
  /** The transform fails, with this in its text. */
  | { readonly kind: "error"; readonly text: string };

export interface TestCase {
  /** Unique in the file. */
  readonly name: string;
  /** The place in the file's list. */
  readonly index: number;
  readonly event: TestEvent;
  readonly match: boolean;
  readonly expectation: Expectation | undefined;
}

const EXPECTATIONS = ["output", "output-includes", "error"] as const;

const GITHUB_READERS = {
  github: withSchema(readString, { $ref: "#/definitions/example" }),
  action: described(readString, "The example with this action, such as opened.", { examples: ["opened"] }),
  example: described(readInteger(1, EXAMPLES_MAX), "Which of the examples, counted from 1.", { default: 1 }),
  with: described(
    readObject("members of the payload, such as with: { ref: refs/heads/main }"),
    "What is different in the payload, as a merge patch: { ref: refs/heads/main }; null takes a member out.",
  ),
  set: described(
    readObject("CloudEvents attributes, such as set: { subject: main }"),
    "CloudEvents attributes in place of the example's: { subject: main }.",
  ),
} as const;

/** An event with attributes left out; whether it is a CloudEvent, its reader says. */
const INLINE_SCHEMA: JsonObject = {
  type: "object",
  properties: {
    type: { type: "string", description: "What happened, such as com.example.order.placed." },
    data: { description: "The payload." },
    subject: { type: ["string", "null"], description: "What the event is about, in the words of its source." },
    source: { type: ["string", "null"], description: "Who sent it; /example when left out." },
    github: false,
  },
  required: ["type"],
};

const readEvent: Reader<TestEvent> = (value, path, mistakes) => {
  if (typeof value === "string" && value !== "") return { kind: "file", path: value };
  if (!isJsonObject(value)) {
    const forms = "{ github: push }, a file such as ./events/push.json, or an event with a type and data";
    mistakes.push({ path, message: `expected ${forms}, found ${describe(value)}` });
    return undefined;
  }
  if (Object.hasOwn(value, "github")) return readGithubEvent(value, path, mistakes);
  if (Object.hasOwn(value, "type")) return { kind: "inline", value };
  const meant = Object.keys(value)
    .map((name) => ({ name, nearest: nearestName(name, ["github", "type"]) }))
    .find(({ nearest }) => nearest !== undefined);
  if (meant === undefined) {
    mistakes.push({ path, message: "expected an event with a type, or github: with the name of a published example" });
  } else {
    const message = `unknown key ${JSON.stringify(meant.name.slice(0, 80))}; did you mean "${meant.nearest}"?`;
    mistakes.push({ path: [...path, meant.name], at: "key", message });
  }
  return undefined;
};

function readGithubEvent(value: JsonObject, path: readonly PathStep[], mistakes: Mistake[]): TestEvent | undefined {
  const read = readMembers(value, path, GITHUB_READERS, mistakes);
  for (const name of ["data", "data_base64"]) {
    if (read.set === undefined || !Object.hasOwn(read.set, name)) continue;
    mistakes.push({ path: [...path, "set", name], at: "key", message: "the payload is changed by with, not by set" });
  }
  if (read.github === undefined) return undefined;
  return {
    kind: "github",
    name: read.github,
    example: read.example ?? 1,
    ...(read.action === undefined ? {} : { action: read.action }),
    ...(read.with === undefined ? {} : { with: read.with }),
    ...(read.set === undefined ? {} : { set: read.set }),
  };
}

function readObject(what: string): Reader<JsonObject> {
  const read: Reader<JsonObject> = (value, path, mistakes) => {
    if (isJsonObject(value)) return value;
    mistakes.push({ path, message: `expected ${what}, found ${describe(value)}` });
    return undefined;
  };
  return withSchema(read, { type: "object" });
}

const readName: Reader<string> = (value, path, mistakes) => {
  const name = readString(value, path, mistakes);
  if (name === undefined || name.length <= CASE_NAME_CHARS_MAX) return name;
  mistakes.push({ path, message: `expected at most ${CASE_NAME_CHARS_MAX} characters, found ${name.length}` });
  return undefined;
};

const readMatch: Reader<boolean> = (value, path, mistakes) => {
  if (typeof value === "boolean") return value;
  mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
  return undefined;
};

/** Keeps a value apart from `undefined`, which means a mistake to `readMembers`. */
const readAny: Reader<{ readonly value: Json }> = (value) => ({ value });

const EVENT_SCHEMA: JsonObject = {
  anyOf: [
    membersSchema(GITHUB_READERS, { required: ["github"] }),
    INLINE_SCHEMA,
    { type: "string", minLength: 1, examples: ["./events/push.json"] },
  ],
};

const CASE_READERS = {
  name: described(readName, "What the case shows, in a few words; each name once in the file.", {
    ...readString.schema,
    maxLength: CASE_NAME_CHARS_MAX,
  }),
  event: described(
    readEvent,
    "A published example, { github: push }; a file beside this one, ./events/push.json; or an event with type and data.",
    EVENT_SCHEMA,
  ),
  match: described(readMatch, "true when the rule wants the event, else false.", { type: "boolean" }),
  output: described(readAny, "All that targets get."),
  "output-includes": described(readAny, "A part of what targets get: other members may be there too."),
  error: described(readString, "The transform fails, with this in its text."),
} as const;

const readCase: Reader<TestCase> = (value, path, mistakes) => {
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected a case with a name, an event and match, found ${describe(value)}` });
    return undefined;
  }
  const read = readMembers(value, path, CASE_READERS, mistakes);
  for (const [key, what] of [
    ["name", "what the case shows, in a few words"],
    ["event", "{ github: push }, a file, or an event"],
    ["match", "true when the rule wants the event, else false"],
  ] as const) {
    if (!Object.hasOwn(value, key)) mistakes.push({ path, message: `expected the key ${key}: ${what}` });
  }
  const given = EXPECTATIONS.filter((key) => Object.hasOwn(value, key));
  for (const key of given.slice(1)) {
    const message = `a case has ONE of output, output-includes and error: found ${given.join(" and ")}`;
    mistakes.push({ path: [...path, key], at: "key", message });
  }
  if (read.match === false && given[0] !== undefined) {
    const message = `${given[0]} needs match: true: of an event that doesn't match, targets get nothing`;
    mistakes.push({ path: [...path, given[0]], at: "key", message });
  }
  const { name, event, match } = read;
  if (name === undefined || event === undefined || match === undefined) return undefined;
  return { name, index: Number(path.at(-1)), event, match, expectation: expectationOf(read) };
};

type CaseRead = ReturnType<typeof readMembers<typeof CASE_READERS>>;

function expectationOf(read: CaseRead): Expectation | undefined {
  if (read.output !== undefined) return { kind: "output", value: read.output.value };
  const includes = read["output-includes"];
  if (includes !== undefined) return { kind: "output-includes", value: includes.value };
  return read.error === undefined ? undefined : { kind: "error", text: read.error };
}

const CASE_SCHEMA = membersSchema(CASE_READERS, {
  required: ["name", "event", "match"],
  dependencies: exclusive(EXPECTATIONS, { match: { enum: [true] } }),
});

const TEST_READERS = {
  cases: described(readList(withSchema(readCase, CASE_SCHEMA), CASES_MAX), "Events, and what the rule makes of each."),
} as const;

/** The JSON Schema of a test file. `examples` are names of events with published examples, for editors to offer. */
export function testSchema(examples: readonly string[]): JsonObject {
  const description = "A published example of this event of GitHub's, such as push.";
  const definitions = { example: { ...readString.schema, description, anyOf: [{ enum: examples }, {}] } };
  return membersSchema(TEST_READERS, { required: ["cases"], definitions });
}

/** Reads a file's cases. Answers undefined when it added to the mistakes, whose paths start at the file's root. */
export function readTest(value: Json, mistakes: Mistake[]): readonly TestCase[] | undefined {
  const before = mistakes.length;
  if (!isJsonObject(value)) {
    mistakes.push({ path: [], message: `expected cases: and a list of them, found ${describe(value)}` });
    return undefined;
  }
  const { cases } = readMembers(value, [], TEST_READERS, mistakes);
  if (!Object.hasOwn(value, "cases")) mistakes.push({ path: [], message: "expected the key cases: a list of cases" });
  const indexes = new Map<string, number>();
  for (const { name, index } of cases ?? []) {
    if (!indexes.has(name)) {
      indexes.set(name, index);
      continue;
    }
    const message = `the name ${JSON.stringify(name)} is taken by case ${(indexes.get(name) ?? 0) + 1} of this file`;
    mistakes.push({ path: ["cases", index, "name"], message });
  }
  return mistakes.length > before ? undefined : cases;
}
