/** Reads what a rule says of order: `order`, `on_failure` and `gap_wait`, which mean something only together. */
import type { Reader } from "../src/core/read-object.ts";
import {
  describe,
  formatDuration,
  readDurationMs,
  readInteger,
  readMembers,
  readOneOf,
  unknownName,
} from "../src/core/read-object.ts";
import { described, membersSchema, withSchema } from "../src/core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { OnFailure, RuleOrder } from "../src/core/rule.ts";

/** As many as a target has retries: what fails more often is better off with `block`. */
export const SKIP_AFTER_FAILURES_MAX = 20;
const GAP_WAIT_MIN_MS = 1_000;
const GAP_WAIT_MAX_MS = 3_600_000;
const GAP_WAIT_DEFAULT_MS = 60_000;

const ON_FAILURE_DEFAULT: OnFailure = { kind: "block" };
const ON_FAILURE_WORDS = ["block", "park", "latest"] as const;
const SKIP_AFTER_FORM = "{ skip-after: 3 }";
/** `skip-after 3`, `skip-after:3`, `skip_after=3`, `skip-after`: what people write who don't think of braces. */
const FLAT_SKIP_AFTER = /^skip[-_ ]?after\b[ :=]*(\d{1,9})?$/i;

const SKIP_READERS = {
  "skip-after": described(readInteger(1, SKIP_AFTER_FAILURES_MAX), "After so many failed attempts the lane goes on."),
} as const;

const readOnFailure: Reader<OnFailure> = withSchema(
  (value, path, mistakes) => {
    if (isJsonObject(value)) {
      const read = readMembers(value, path, SKIP_READERS, mistakes);
      if (Object.keys(value).length === 0)
        mistakes.push({ path, message: `expected ${SKIP_AFTER_FORM}, found nothing` });
      const failures = read["skip-after"];
      return failures === undefined ? undefined : { kind: "skip-after", failures };
    }
    const word = ON_FAILURE_WORDS.find((each) => each === value);
    if (word !== undefined) return { kind: word };
    mistakes.push({ path, message: onFailureMistake(value) });
    return undefined;
  },
  { anyOf: [{ enum: ON_FAILURE_WORDS }, membersSchema(SKIP_READERS, { required: ["skip-after"] })] },
);

function onFailureMistake(value: Json): string {
  const choices = `${ON_FAILURE_WORDS.join(", ")} or ${SKIP_AFTER_FORM}`;
  if (typeof value !== "string") return `expected ${choices}, found ${describe(value)}`;
  const flat = FLAT_SKIP_AFTER.exec(value);
  if (flat === null) return unknownName("value", value, [...ON_FAILURE_WORDS, SKIP_AFTER_FORM]);
  return `skip-after takes a number of failures in braces; write on_failure: { skip-after: ${flat[1] ?? 3} }`;
}

/** The readers of a rule's members; `orderOf` then says whether they go together. */
export const ORDER_READERS = {
  order: described(
    readOneOf(["none", "key", "sequence"]),
    "none: deliveries don't wait for each other. key: one at a time for each key (a repository, a subject), in the order " +
      "of acceptance. sequence: by the event's own number.",
    { default: "none" },
  ),
  on_failure: described(
    readOnFailure,
    "What a failure in an ordered lane means. block: the lane waits until it is delivered or too old. { skip-after: 3 }: " +
      "it goes on after so many failures. park: it stops until somebody comes. latest: only the newest event counts.",
    { default: "block" },
  ),
  gap_wait: described(
    readDurationMs(GAP_WAIT_MIN_MS, GAP_WAIT_MAX_MS),
    `With order: sequence, how long a missing number is waited for: ${formatDuration(GAP_WAIT_MIN_MS)} to ${formatDuration(GAP_WAIT_MAX_MS)}.`,
    { default: formatDuration(GAP_WAIT_DEFAULT_MS) },
  ),
} as const;

/** Which of them go together, for the rule's schema. */
export const ORDER_DEPENDENCIES: JsonObject = {
  on_failure: { properties: { order: { enum: ["key", "sequence"] } }, required: ["order"] },
  gap_wait: { properties: { order: { enum: ["sequence"] } }, required: ["order"] },
};

/**
 * What the members of `rule`, read by `ORDER_READERS`, come to: undefined for a rule without order. Adds a mistake for each
 * that has no meaning beside the others.
 */
export function orderOf(
  rule: JsonObject,
  read: { readonly order?: "none" | RuleOrder["by"]; readonly on_failure?: OnFailure; readonly gap_wait?: number },
  mistakes: Mistake[],
): RuleOrder | undefined {
  // A misspelt order has its mistake already, and nobody knows what would have fitted it.
  if (Object.hasOwn(rule, "order") && read.order === undefined) return undefined;
  const by = read.order ?? "none";
  const misplaced = (key: PathStep, message: string): number => mistakes.push({ path: [key], at: "key", message });
  if (by === "none") {
    if (Object.hasOwn(rule, "on_failure")) {
      misplaced("on_failure", "on_failure belongs to ordered rules; add order: key, or leave it out");
    }
    if (Object.hasOwn(rule, "gap_wait")) {
      misplaced("gap_wait", "gap_wait belongs to rules with order: sequence; add that, or leave it out");
    }
    return undefined;
  }
  if (by === "key" && Object.hasOwn(rule, "gap_wait")) {
    misplaced("gap_wait", "gap_wait belongs to order: sequence; with order: key nothing waits for a gap, leave it out");
  }
  if (by === "sequence" && read.on_failure?.kind === "latest") {
    const message = "on_failure: latest drops what waits, and order: sequence waits for every number; use order: key";
    mistakes.push({ path: ["on_failure"], message });
  }
  return {
    by,
    onFailure: read.on_failure ?? ON_FAILURE_DEFAULT,
    gapWaitMs: by === "sequence" ? (read.gap_wait ?? GAP_WAIT_DEFAULT_MS) : 0,
  };
}
