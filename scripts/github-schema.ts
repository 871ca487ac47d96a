/**
 * What GitHub's webhooks can say, type by type, from the schemas that the npm package `@octokit/webhooks-schemas` publishes.
 * They are read when they are first asked for, and each type's fields when a rule names them.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Scalar } from "../src/core/alternative.ts";
import type { JsonObject } from "../src/core/result.ts";
import { GITHUB_MAPPING, UNLISTED_EVENT } from "../src/sources/_github-mapping.ts";
import { ADDED_PAYLOAD_MEMBERS, ADDED_TYPE_PARTS, LOOSE_PATHS } from "./github-schema-differences.ts";
import type { Place, SchemaReader } from "./github-schema-places.ts";
import { UNKNOWN_PLACE, createSchemaReader, unite } from "./github-schema-places.ts";

export const GITHUB_PREFIX = "com.github.";

/** One type of event, such as `com.github.pull_request.labeled`. */
export interface GithubType {
  readonly type: string;
  /** As in X-GitHub-Event. */
  readonly event: string;
  /** False when GitHub has the type and the published schemas don't: then any field may be there. */
  readonly hasSchema: boolean;
  /** What may stand at a path of the payload, such as `pull_request.title`; undefined when no payload has it. */
  readonly placeAt: (path: string) => Place | undefined;
  /** The members of what stands at a path (`""` for the payload), as far as they are known. */
  readonly namesAt: (path: string) => readonly string[];
}

export interface GithubSchema {
  /** Every type whose name is known in full, by its name. */
  readonly types: ReadonlyMap<string, GithubType>;
  readonly events: readonly string[];
  /** The types of an event that are known, in order. */
  readonly typesOf: (event: string) => readonly GithubType[];
  /** A type by its name; also one whose last part is the sender's to choose, as in `com.github.repository_dispatch.deploy`. */
  readonly find: (type: string) => GithubType | undefined;
}

let loaded: GithubSchema | undefined;

/** Reads the installed schemas once. */
export function githubSchema(): GithubSchema {
  loaded ??= createGithubSchema(readSchemas());
  return loaded;
}

function readSchemas(): JsonObject {
  const file = createRequire(import.meta.url).resolve("@octokit/webhooks-schemas");
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly definitions: JsonObject }).definitions;
}

/** What of the payload is in the type's name: paths and what stands there. */
type Parts = ReadonlyMap<string, string>;

/** One form of payload that events of a type have. */
interface Variant {
  readonly root: Place;
  readonly parts: Parts;
  /** It has no schema of its own. */
  readonly isAdded?: true;
}

function createGithubSchema(definitions: JsonObject): GithubSchema {
  const reader = createSchemaReader(definitions);
  const variantsByType = new Map<string, Variant[]>();
  const freeByEvent = new Map<string, Variant[]>();
  const events = new Set([...Object.keys(GITHUB_MAPPING), ...Object.keys(ADDED_TYPE_PARTS)]);
  for (const name of Object.keys(definitions)) {
    const event = /^(.+)(?:_event|\$event)$/.exec(name)?.[1];
    if (event !== undefined) events.add(event);
  }

  for (const event of events) {
    const definition = Object.hasOwn(definitions, `${event}_event`) ? `${event}_event` : `${event}$event`;
    const roots = reader.variants(definition).flatMap((variant) => reader.root(variant) ?? []);
    for (const root of roots) {
      const { named, isFree } = partsOf(event, root, reader);
      for (const parts of named) addTo(variantsByType, typeOf(event, [...parts.values()]), { root, parts });
      if (isFree) addTo(freeByEvent, event, { root, parts: new Map() });
    }
    for (const ending of Object.hasOwn(ADDED_TYPE_PARTS, event) ? (ADDED_TYPE_PARTS[event] ?? []) : []) {
      const type = typeOf(event, [ending]);
      if (variantsByType.has(type)) continue;
      // What all payloads of the event have in common, it has too.
      const root = roots.length === 0 ? UNKNOWN_PLACE : roots.reduce(unite);
      variantsByType.set(type, [{ root, parts: addedParts(event, ending), isAdded: true }]);
    }
    // The mapping says that GitHub has it, and nothing says more.
    const isBare = roots.length === 0 && (ADDED_TYPE_PARTS[event] ?? []).length === 0;
    if (isBare) variantsByType.set(typeOf(event, []), [{ root: UNKNOWN_PLACE, parts: new Map(), isAdded: true }]);
  }

  const types = new Map<string, GithubType>();
  for (const type of [...variantsByType.keys()].toSorted()) {
    types.set(type, createType(type, variantsByType.get(type) ?? [], reader));
  }
  const byEvent = Map.groupBy(types.values(), ({ event }) => event);
  return {
    types,
    events: [...events].toSorted(),
    typesOf: (event) => byEvent.get(event) ?? [],
    find: (type) => {
      const known = types.get(type);
      if (known !== undefined) return known;
      const { event, ending } = splitType(type);
      const free = freeByEvent.get(event);
      if (free === undefined || ending === "") return undefined;
      const path = typePartsOf(event)[0];
      const parts: Parts = new Map(path === undefined ? [] : [[path, ending]]);
      const variants = free.map(({ root }) => ({ root, parts }));
      const found = createType(type, variants, reader);
      types.set(type, found);
      return found;
    },
  };
}

/** `com.github.<event>` and what comes after the next dot. */
export function splitType(type: string): { readonly event: string; readonly ending: string } {
  const rest = type.slice(GITHUB_PREFIX.length);
  const dot = rest.indexOf(".");
  return dot === -1 ? { event: rest, ending: "" } : { event: rest.slice(0, dot), ending: rest.slice(dot + 1) };
}

function typeOf(event: string, parts: readonly string[]): string {
  return GITHUB_PREFIX + [event, ...parts].join(".");
}

function typePartsOf(event: string): readonly string[] {
  const mapping = Object.hasOwn(GITHUB_MAPPING, event) ? GITHUB_MAPPING[event] : undefined;
  return (mapping ?? UNLISTED_EVENT).typeParts ?? [];
}

/** The combinations of what stands where the type's parts come from, and whether a part is anybody's to choose. */
function partsOf(
  event: string,
  root: Place,
  reader: SchemaReader,
): { readonly named: readonly Parts[]; readonly isFree: boolean } {
  let named: readonly Parts[] = [new Map()];
  let isFree = false;
  for (const path of typePartsOf(event)) {
    const place = walk(root, path, reader);
    if (place === undefined) continue;
    const values = [...place.exact].filter((value) => typeof value === "string");
    isFree ||= place.isUnknown || place.any.has("string");
    named = named.flatMap((parts) => values.map((value): Parts => new Map([...parts, [path, value]])));
  }
  return { named, isFree };
}

function addedParts(event: string, ending: string): Parts {
  const paths = typePartsOf(event);
  const values = ending.split(".");
  return new Map(paths.flatMap((path, at) => (values[at] === undefined ? [] : [[path, values[at]] as const])));
}

function createType(type: string, variants: readonly Variant[], reader: SchemaReader): GithubType {
  const known = new Map<string, Place | undefined>();
  const { event } = splitType(type);
  const root = variants.map((variant) => variant.root).reduce(unite);
  const loose = Object.hasOwn(LOOSE_PATHS, event) ? (LOOSE_PATHS[event] ?? []) : [];
  const find = (path: string): Place | undefined => {
    if (loose.includes(path)) return UNKNOWN_PLACE;
    const found = variants.map((variant) => placeIn(variant, path, reader));
    const there = found.filter((place) => place !== undefined);
    if (there.length === 0) return undefined;
    const place = there.reduce(unite);
    return { ...place, isRequired: place.isRequired && there.length === found.length };
  };
  const placeAt = (path: string): Place | undefined => {
    if (!known.has(path)) known.set(path, find(path));
    return known.get(path);
  };
  return {
    type,
    event,
    hasSchema: variants.every((variant) => variant.isAdded !== true),
    placeAt,
    namesAt: (path) => {
      const place = path === "" ? root : placeAt(path);
      return place === undefined ? [] : reader.memberNames(place);
    },
  };
}

function placeIn({ root, parts }: Variant, path: string, reader: SchemaReader): Place | undefined {
  const part = parts.get(path);
  const place = walk(root, path, reader);
  if (part === undefined) return place;
  // The type's name holds it, so it is there, and it is that.
  return { ...UNKNOWN_PLACE, isUnknown: false, exact: new Set<Scalar>([part]), isRequired: true };
}

function walk(root: Place, path: string, reader: SchemaReader): Place | undefined {
  let place: Place | undefined = root;
  const names = path.split(".");
  for (const [depth, name] of names.entries()) {
    if (place === undefined) return undefined;
    place = reader.member(place, name) ?? (depth === 0 ? addedPlace(name, reader) : undefined);
  }
  return place;
}

function addedPlace(name: string, reader: SchemaReader): Place | undefined {
  if (!ADDED_PAYLOAD_MEMBERS.has(name)) return undefined;
  const definition = ADDED_PAYLOAD_MEMBERS.get(name);
  const place = definition === undefined ? undefined : reader.root(definition);
  return place === undefined ? UNKNOWN_PLACE : { ...place, isRequired: false };
}

function addTo<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
