/** Reads one entry of targets.yaml: the keys that all targets share, and the kind's own by the kind itself. */
import type { Reader } from "../src/core/read-object.ts";
import {
  describe,
  formatDuration,
  nearestName,
  readDurationMs,
  readMembers,
  unknownName,
} from "../src/core/read-object.ts";
import { described, membersSchema, mergeMembers, withSchema } from "../src/core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import { DEFAULT_RETRY_DELAYS_MS } from "../src/core/retry.ts";
import type { Registry } from "../src/core/rule-set.ts";
import type { TargetDefinition } from "../src/core/rule.ts";
import { LIMIT_READERS, limitsOf } from "./read-limits.ts";
import { placedMistake } from "./placed-mistake.ts";
import { readName } from "./rule-name.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** An attempt runs in a Worker's waitUntil, which ends after 30 s. */
const TIMEOUT_MIN_MS = SECOND_MS;
const TIMEOUT_MAX_MS = 25 * SECOND_MS;
const TIMEOUT_DEFAULT_MS = 15 * SECOND_MS;
export const RETRIES_MAX = 20;
const RETRY_DELAY_MIN_MS = SECOND_MS;
const RETRY_DELAY_MAX_MS = DAY_MS;
const MAX_AGE_MIN_MS = MINUTE_MS;
const MAX_AGE_MAX_MS = 7 * DAY_MS;
const MAX_AGE_DEFAULT_MS = 3 * DAY_MS;

const readDelay = readDurationMs(RETRY_DELAY_MIN_MS, RETRY_DELAY_MAX_MS);

const readRetry: Reader<readonly number[]> = withSchema(
  (value, path, mistakes) => {
    if (value === "none") return [];
    if (!Array.isArray(value)) {
      mistakes.push({
        path,
        message: `expected a list of durations such as [5s, 30s, 5m], or none; found ${describe(value)}`,
      });
      return undefined;
    }
    if (value.length > RETRIES_MAX) {
      mistakes.push({ path, message: `expected at most ${RETRIES_MAX} retries, found ${value.length}` });
      return undefined;
    }
    return (value as readonly Json[]).flatMap((item, index) => readDelay(item, [...path, index], mistakes) ?? []);
  },
  { anyOf: [{ type: "array", items: readDelay.schema ?? {}, maxItems: RETRIES_MAX }, { enum: ["none"] }] },
);

const SHARED_READERS = {
  timeout: described(
    readDurationMs(TIMEOUT_MIN_MS, TIMEOUT_MAX_MS),
    `How long one attempt may take, the answer included: ${formatDuration(TIMEOUT_MIN_MS)} to ${formatDuration(TIMEOUT_MAX_MS)}.`,
    { default: formatDuration(TIMEOUT_DEFAULT_MS) },
  ),
  retry: described(
    readRetry,
    `The waits between attempts, at most ${RETRIES_MAX}, each ${formatDuration(RETRY_DELAY_MIN_MS)} to ${formatDuration(RETRY_DELAY_MAX_MS)}, such as [5s, 30s, 5m]; none for a single attempt.`,
    { default: DEFAULT_RETRY_DELAYS_MS.map(formatDuration) },
  ),
  "max-age": described(
    readDurationMs(MAX_AGE_MIN_MS, MAX_AGE_MAX_MS),
    `When a delivery ends at the latest: ${formatDuration(MAX_AGE_MIN_MS)} to ${formatDuration(MAX_AGE_MAX_MS)}.`,
    { default: formatDuration(MAX_AGE_DEFAULT_MS) },
  ),
  ...LIMIT_READERS,
} as const;
const SHARED_KEYS = Object.keys(SHARED_READERS);

export function readTarget(
  name: string,
  value: Json,
  kinds: Registry["targets"],
  mistakes: Mistake[],
): TargetDefinition | undefined {
  const path: readonly PathStep[] = [name];
  const before = mistakes.length;
  readName("target", "key")(name, path, mistakes);
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected an entry such as { http: https://… }, found ${describe(value)}` });
    return undefined;
  }
  const isShared = (key: string): boolean => Object.hasOwn(SHARED_READERS, key);
  const shared = pick(value, isShared);
  const entry = pick(value, (key) => !isShared(key));
  const read = readMembers(shared, path, SHARED_READERS, mistakes);
  const kind = readKind(entry, path, kinds, mistakes);
  const parsed = kind === undefined ? undefined : kinds[kind]?.parse(entry);
  if (parsed !== undefined && !parsed.ok)
    mistakes.push(...parsed.error.map((mistake) => placedMistake(mistake, path, SHARED_KEYS)));
  if (kind === undefined || mistakes.length > before) return undefined;
  const limits = limitsOf(read);
  return {
    name,
    kind,
    entry,
    timeoutMs: read.timeout ?? TIMEOUT_DEFAULT_MS,
    retryDelaysMs: read.retry ?? DEFAULT_RETRY_DELAYS_MS,
    maxAgeMs: read["max-age"] ?? MAX_AGE_DEFAULT_MS,
    ...(limits === undefined ? {} : { limits }),
  };
}

/** The JSON Schema of an entry: that of one of the kinds, with the members that all targets have. */
export function targetSchema(kinds: Registry["targets"]): JsonObject {
  const shared = membersSchema(SHARED_READERS);
  const anyOf = Object.entries(kinds).map(([kind, { schema, summary }]) =>
    mergeMembers(schema, shared, { title: kind, description: summary }),
  );
  return { type: "object", anyOf };
}

/** The kind is named by its own key, so an entry has exactly one of them. */
function readKind(
  entry: JsonObject,
  path: readonly PathStep[],
  kinds: Registry["targets"],
  mistakes: Mistake[],
): string | undefined {
  const known = Object.keys(kinds);
  const named = Object.keys(entry).filter((key) => known.includes(key));
  if (named.length > 1) {
    mistakes.push({ path, message: `expected one kind of target, found ${named.join(" and ")}` });
    return undefined;
  }
  if (named.length === 0) {
    const misspelt = Object.keys(entry).find((key) => nearestName(key, known) !== undefined);
    if (misspelt === undefined) {
      mistakes.push({ path, message: `expected the key that names the kind of target: ${known.join(" or ")}` });
    } else {
      mistakes.push({ path: [...path, misspelt], at: "key", message: unknownName("kind of target", misspelt, known) });
    }
  }
  return named[0];
}

function pick(object: JsonObject, wanted: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => wanted(key)));
}
