/** Reads what a rule says of order: `order`, `on_failure` and `gap_wait`, which mean something only together. */
import type { Reader } from "../src/core/read-object.ts";
import { describe, readDurationMs, readInteger, readMembers, readOneOf, unknownName } from "../src/core/read-object.ts";
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

const readSkipAfter = readInteger(1, SKIP_AFTER_FAILURES_MAX);

const readOnFailure: Reader<OnFailure> = (value, path, mistakes) => {
  if (isJsonObject(value)) {
    const read = readMembers(value, path, { "skip-after": readSkipAfter }, mistakes);
    if (Object.keys(value).length === 0) mistakes.push({ path, message: `expected ${SKIP_AFTER_FORM}, found nothing` });
    const failures = read["skip-after"];
    return failures === undefined ? undefined : { kind: "skip-after", failures };
  }
  const word = ON_FAILURE_WORDS.find((each) => each === value);
  if (word !== undefined) return { kind: word };
  mistakes.push({ path, message: onFailureMistake(value) });
  return undefined;
};

function onFailureMistake(value: Json): string {
  const choices = `${ON_FAILURE_WORDS.join(", ")} or ${SKIP_AFTER_FORM}`;
  if (typeof value !== "string") return `expected ${choices}, found ${describe(value)}`;
  const flat = FLAT_SKIP_AFTER.exec(value);
  if (flat === null) return unknownName("value", value, [...ON_FAILURE_WORDS, SKIP_AFTER_FORM]);
  return `skip-after takes a number of failures in braces; write on_failure: { skip-after: ${flat[1] ?? 3} }`;
}

/** The readers of a rule's members; `orderOf` then says whether they go together. */
export const ORDER_READERS = {
  order: readOneOf(["none", "key", "sequence"]),
  on_failure: readOnFailure,
  gap_wait: readDurationMs(GAP_WAIT_MIN_MS, GAP_WAIT_MAX_MS),
} as const;

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
