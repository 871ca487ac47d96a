/** Reads one rule file's content. The file's name and folder make the rule's path. */
import { PATTERN_REFERENCE } from "../src/core/pattern-schema.ts";
import { parsePattern } from "../src/core/pattern.ts";
import type { Reader } from "../src/core/read-object.ts";
import {
  describe,
  isMisspelt,
  readList,
  readMembers,
  readOneOf,
  readString,
  unknownName,
} from "../src/core/read-object.ts";
import { described, membersSchema, withSchema } from "../src/core/reader-schema.ts";
import type { Json, JsonObject, Mistake, Result } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import type { RuleDefinition, RuleMode } from "../src/core/rule.ts";
import { jsonataEngine } from "../src/core/jsonata.ts";
import { parseTransform, transformSchema } from "../src/core/read-transform.ts";
import { NAME_SCHEMA } from "./rule-name.ts";
import { ORDER_DEPENDENCIES, ORDER_READERS, orderOf } from "./read-order.ts";

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

const readDescription: Reader<string> = withSchema(
  (value, path, mistakes) => {
    const text = readString(value, path, mistakes);
    if (text === undefined || text.length <= DESCRIPTION_CHARS_MAX) return text;
    mistakes.push({ path, message: `expected at most ${DESCRIPTION_CHARS_MAX} characters, found ${text.length}` });
    return undefined;
  },
  { ...readString.schema, maxLength: DESCRIPTION_CHARS_MAX },
);

const readMode: Reader<RuleMode> = readOneOf(["live", "shadow", "off"]);

const RULE_READERS = {
  description: described(readDescription, "What the rule is for, for people."),
  pattern: withSchema(readChecked(parsePattern), PATTERN_REFERENCE),
  transform: withSchema(
    readChecked((value) => parseTransform(value, jsonataEngine)),
    transformSchema(),
  ),
  mode: described(
    readMode,
    "live: deliver. shadow: match and keep what would have gone out, deliver nothing. off: do nothing.",
    { default: "live" },
  ),
  ...ORDER_READERS,
} as const;

/** Without the known names, as when their file can't be read, any name may be one. */
function readTargets(known: readonly string[] | undefined): Reader<readonly string[]> {
  const readTargetName: Reader<string> = (value, path, mistakes) => {
    if (typeof value === "string" && known?.includes(value) !== false) return value;
    const message =
      typeof value === "string" && known !== undefined
        ? `${unknownName("target", value, known)}; targets are named in targets.yaml`
        : `expected a name of targets.yaml, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  };
  const readNames = readList(
    withSchema(readTargetName, known === undefined || known.length === 0 ? NAME_SCHEMA : { enum: known }),
    RULE_TARGETS_MAX,
  );
  const read: Reader<readonly string[]> = (value, path, mistakes) => {
    if (typeof value === "string") {
      mistakes.push({ path, message: `expected a list; write targets: [${value.slice(0, 80)}]` });
      return undefined;
    }
    const names = readNames(value, path, mistakes);
    if (names === undefined || !Array.isArray(value)) return names;
    for (const [index, name] of (value as readonly Json[]).entries()) {
      if (value.indexOf(name) < index) {
        mistakes.push({ path: [...path, index], message: `${describe(name)} is in the list twice` });
      }
    }
    return names;
  };
  return described(read, "Where the event goes: names of targets.yaml. Each gets a delivery of its own.", {
    ...readNames.schema,
    uniqueItems: true,
  });
}

/** In the order in which messages list them. */
function ruleReaders(targetNames: readonly string[] | undefined) {
  const { description, pattern, transform, ...others } = RULE_READERS;
  return { description, pattern, transform, targets: readTargets(targetNames), ...others } as const;
}

/** The JSON Schema of a rule file, in need of the definitions that its pattern refers to. */
export function ruleSchema(targetNames: readonly string[]): JsonObject {
  return membersSchema(ruleReaders(targetNames), {
    required: ["pattern", "targets"],
    dependencies: ORDER_DEPENDENCIES,
  });
}

/**
 * What a rule with mistakes surely says, so that its pattern is looked at all the same: a person wants all of its mistakes at
 * once. Undefined when the pattern can't be read. A mode that is none is taken for live.
 */
export function draftRule(
  bus: string,
  name: string,
  value: Json,
  targetNames: readonly string[] | undefined,
): RuleDefinition | undefined {
  if (!isJsonObject(value)) return undefined;
  const unsaid: Mistake[] = [];
  const { pattern, transform, mode } = readMembers(value, [], RULE_READERS, unsaid);
  if (pattern === undefined) return undefined;
  const listed = ownMember(value, "targets");
  const targets = (Array.isArray(listed) ? (listed as readonly Json[]) : []).filter((each) => typeof each === "string");
  return {
    path: `${bus}/${name}`,
    bus,
    pattern: pattern.value,
    ...(transform === undefined ? pickTransform(value) : { transform: transform.value }),
    targets: targets.filter((each) => targetNames?.includes(each) !== false),
    mode: mode ?? "live",
  };
}

/** That there is one says something, too: it may make any data. */
function pickTransform(value: JsonObject): Pick<RuleDefinition, "transform"> {
  const transform = ownMember(value, "transform");
  return transform === undefined ? {} : { transform };
}

/**
 * Reads a rule. `bus` and `name` come from its place in the folder, `targetNames` from targets.yaml. Answers undefined when
 * it added to the mistakes, whose paths start at the file's root.
 */
export function readRule(
  bus: string,
  name: string,
  value: Json,
  targetNames: readonly string[] | undefined,
  mistakes: Mistake[],
): RuleDefinition | undefined {
  const before = mistakes.length;
  if (!isJsonObject(value)) {
    mistakes.push({ path: [], message: `expected a rule with a pattern and targets, found ${describe(value)}` });
    return undefined;
  }
  const readers = ruleReaders(targetNames);
  const read = readMembers(value, [], readers, mistakes);
  const order = orderOf(value, read, mistakes);
  for (const [key, what] of [
    ["pattern", "which events the rule wants"],
    ["targets", "names of targets.yaml"],
  ] as const) {
    if (Object.hasOwn(value, key) || isMisspelt(key, value, Object.keys(readers))) continue;
    mistakes.push({ path: [], message: `expected the key ${key}: ${what}` });
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
