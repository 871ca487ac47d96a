/** Reads one entry of sources.yaml. */
import type { Reader } from "../src/core/read-object.ts";
import { describe, nearestName, readMembers, unknownName } from "../src/core/read-object.ts";
import { described, membersSchema, mergeMembers, withSchema } from "../src/core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import type { Registry } from "../src/core/rule-set.ts";
import type { SourceDefinition } from "../src/core/rule.ts";
import { placedMistake } from "./placed-mistake.ts";
import { readName } from "./rule-name.ts";

const BUS_DEFAULT = "default";
const SHARED_KEYS = ["kind", "bus", "gzip"];

const readFlag: Reader<boolean> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "boolean") return value;
    mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
    return undefined;
  },
  { type: "boolean" },
);

export function readSource(
  name: string,
  value: Json,
  kinds: Registry["sources"],
  mistakes: Mistake[],
): SourceDefinition | undefined {
  const path: readonly PathStep[] = [name];
  const before = mistakes.length;
  readName("source", "key")(name, path, mistakes);
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected an entry such as { kind: github, … }, found ${describe(value)}` });
    return undefined;
  }
  const { kind: _kind, bus: _bus, gzip: _gzip, ...entry } = value;
  const own = Object.fromEntries(
    SHARED_KEYS.flatMap((key) => (Object.hasOwn(value, key) ? [[key, value[key] as Json]] : [])),
  );
  const read = readMembers(own, path, sharedReaders(kinds), mistakes);
  if (ownMember(value, "kind") === undefined) {
    const slip = Object.keys(entry).find((key) => nearestName(key, ["kind"]) !== undefined);
    mistakes.push(
      slip === undefined
        ? {
            path,
            message: `expected the member kind, such as github; docs/sources.md lists all ${Object.keys(kinds).length}`,
          }
        : { path: [...path, slip], at: "key", message: unknownName("key", slip, SHARED_KEYS) },
    );
  }
  if (read.kind === undefined) return undefined;
  const parsed = kinds[read.kind]?.parse(entry);
  if (parsed !== undefined && !parsed.ok) {
    mistakes.push(...parsed.error.map((mistake) => placedMistake(mistake, path, SHARED_KEYS)));
  }
  if (mistakes.length > before) return undefined;
  const gzip = read.gzip === true ? { gzip: true as const } : {};
  return { name, kind: read.kind, bus: read.bus ?? BUS_DEFAULT, ...gzip, entry };
}

/** The JSON Schema of an entry: that of one of the kinds, with the members that all sources have. */
export function sourceSchema(kinds: Registry["sources"]): JsonObject {
  const anyOf = Object.entries(kinds).map(([kind, { schema, summary }]) => {
    const shared = membersSchema(sharedReaders({ [kind]: kinds[kind] as Registry["sources"][string] }));
    return mergeMembers(shared, schema, { title: kind, description: `${summary}.` });
  });
  return { type: "object", required: ["kind"], anyOf };
}

/** There are too many to name them all. */
function unknownKind(kind: string, known: readonly string[]): string {
  const nearest = nearestName(kind, known);
  const hint = nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  const others = `docs/sources.md lists all ${known.length}; hmac is for a sender without a kind of its own`;
  return `unknown kind of source ${JSON.stringify(kind.slice(0, 80))}${hint === "" ? `; ${others}` : `${hint} (${others})`}`;
}

function sharedReaders(kinds: Registry["sources"]) {
  return {
    kind: described(readKind(kinds), "How to read what comes in, and how to tell that it is genuine."),
    bus: described(readName("bus", "value"), "The bus that gets the events: a folder with rules.", {
      default: BUS_DEFAULT,
    }),
    gzip: described(readFlag, "true: bodies may come with Content-Encoding: gzip.", { default: false }),
  } as const;
}

function readKind(kinds: Registry["sources"]): Reader<string> {
  const read: Reader<string> = (value, path, mistakes) => {
    if (typeof value === "string" && Object.hasOwn(kinds, value)) return value;
    const message =
      typeof value === "string"
        ? unknownKind(value, Object.keys(kinds))
        : `expected a kind of source, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  };
  return withSchema(read, { enum: Object.keys(kinds) });
}
