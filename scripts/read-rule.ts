/** Reads one rule file's content. The file's name and folder make the rule's path. */
import { parsePattern } from "../src/core/pattern.ts";
import type { Reader } from "../src/core/read-object.ts";
import { describe, readList, readMembers, readOneOf, readString, unknownName } from "../src/core/read-object.ts";
import type { Json, Mistake, Result } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { RuleDefinition, RuleMode } from "../src/core/rule.ts";
import { parseTransform } from "../src/core/transform.ts";
import { ORDER_READERS, orderOf } from "./read-order.ts";

export const DESCRIPTION_CHARS_MAX = 1_000;
/** Every target is a delivery of its own in the event's work row. */
export const RULE_TARGETS_MAX = 100;

/** Checks a value with its own parser and keeps it as it was written: the isolate compiles it again at its start. */
function readChecked(parse: (value: Json) => Result<unknown, readonly Mistake[]>): Reader<{ readonly value: Json }> {
  return (value, path, mistakes) => {
    const parsed = parse(value);
    if (parsed.ok) return { value };
    mistakes.push(...parsed.error.map((mistake) => ({ ...mistake, path: [...path, ...mistake.path] })));
    return undefined;
  };
}

const readDescription: Reader<string> = (value, path, mistakes) => {
  const text = readString(value, path, mistakes);
  if (text === undefined || text.length <= DESCRIPTION_CHARS_MAX) return text;
  mistakes.push({ path, message: `expected at most ${DESCRIPTION_CHARS_MAX} characters, found ${text.length}` });
  return undefined;
};

const readMode: Reader<RuleMode> = (value, path, mistakes) => {
  if (value !== "shadow") return readOneOf(["live", "off"])(value, path, mistakes);
  mistakes.push({ path, message: "mode: shadow is not built yet; use mode: off, or live to deliver" });
  return undefined;
};

function readTargets(known: readonly string[]): Reader<readonly string[]> {
  const readTargetName: Reader<string> = (value, path, mistakes) => {
    if (typeof value === "string" && known.includes(value)) return value;
    const message =
      typeof value === "string"
        ? `${unknownName("target", value, known)}; targets are named in targets.yaml`
        : `expected a name of targets.yaml, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  };
  return (value, path, mistakes) => {
    if (typeof value === "string") {
      mistakes.push({ path, message: `expected a list; write targets: [${value.slice(0, 80)}]` });
      return undefined;
    }
    const names = readList(readTargetName, RULE_TARGETS_MAX)(value, path, mistakes);
    if (names === undefined || !Array.isArray(value)) return names;
    for (const [index, name] of (value as readonly Json[]).entries()) {
      if (value.indexOf(name) < index) {
        mistakes.push({ path: [...path, index], message: `${describe(name)} is in the list twice` });
      }
    }
    return names;
  };
}

/**
 * Reads a rule. `bus` and `name` come from its place in the folder, `targetNames` from targets.yaml. Answers undefined when
 * it added to the mistakes, whose paths start at the file's root.
 */
export function readRule(
  bus: string,
  name: string,
  value: Json,
  targetNames: readonly string[],
  mistakes: Mistake[],
): RuleDefinition | undefined {
  const before = mistakes.length;
  if (!isJsonObject(value)) {
    mistakes.push({ path: [], message: `expected a rule with a pattern and targets, found ${describe(value)}` });
    return undefined;
  }
  const readers = {
    description: readDescription,
    pattern: readChecked(parsePattern),
    transform: readChecked(parseTransform),
    targets: readTargets(targetNames),
    mode: readMode,
    ...ORDER_READERS,
  } as const;
  const read = readMembers(value, [], readers, mistakes);
  const order = orderOf(value, read, mistakes);
  for (const [key, what] of [
    ["pattern", "which events the rule wants"],
    ["targets", "names of targets.yaml"],
  ] as const) {
    if (!Object.hasOwn(value, key)) mistakes.push({ path: [], message: `expected the key ${key}: ${what}` });
  }
  if (mistakes.length > before || read.pattern === undefined || read.targets === undefined) return undefined;
  return {
    path: `${bus}/${name}`,
    bus,
    ...(read.description === undefined ? {} : { description: read.description }),
    pattern: read.pattern.value,
    ...(read.transform === undefined ? {} : { transform: read.transform.value }),
    targets: read.targets,
    mode: read.mode ?? "live",
    ...(order === undefined ? {} : { order }),
  };
}
