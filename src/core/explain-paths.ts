/** What stands at a path of an event, and which of its fields somebody may have meant who named one that it has not. */
import { nearestName } from "./read-object.ts";
import type { Json, JsonObject } from "./result.ts";

/** Values of an event that are looked at, those near its root first. */
export const EVENT_NODES_MAX = 20_000;
/** Names that one misspelt name is compared with. */
export const NAMES_COMPARED_MAX = 2_000;

export type Place =
  | { readonly kind: "field" }
  /** An object, or a list of objects, with the names of its members. */
  | { readonly kind: "object" | "list"; readonly names: readonly string[] };

export interface EventPaths {
  readonly view: JsonObject;
  /** Undefined where the event has nothing. */
  readonly at: (path: string) => Place | undefined;
  /** The path of the field that is most like a path that the event does not have. */
  readonly nearest: (path: string) => string | undefined;
}

/** Paths are written as patterns' fields are: names joined by ".", and arrays leave no trace. Nothing is read before it is asked for. */
export function eventPaths(view: JsonObject): EventPaths {
  let index: PathIndex | undefined;
  const known = new Map<string, string | undefined>();
  const read = (): PathIndex => (index ??= readPaths(view));
  return {
    view,
    at: (path) => placeAt(path, read()),
    nearest: (path) => {
      if (!known.has(path)) known.set(path, findNearest(path, read()));
      return known.get(path);
    },
  };
}

interface PathIndex {
  readonly fields: ReadonlySet<string>;
  readonly containers: ReadonlyMap<string, Container>;
  /** The paths of fields by their last name, in lower case. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
}

interface Container {
  isList: boolean;
  readonly names: Set<string>;
}

const ROOT = "";

function readPaths(view: JsonObject): PathIndex {
  const fields = new Set<string>();
  const containers = new Map<string, Container>();
  const pending: { readonly path: string; readonly value: Json; readonly inList: boolean }[] = [
    { path: ROOT, value: view, inList: false },
  ];
  for (let at = 0; at < Math.min(pending.length, EVENT_NODES_MAX); at++) {
    const { path, value, inList } = pending[at] as (typeof pending)[number];
    if (typeof value !== "object" || value === null) {
      fields.add(path);
      continue;
    }
    const container = containers.get(path) ?? { isList: false, names: new Set<string>() };
    containers.set(path, container);
    container.isList ||= inList || Array.isArray(value);
    const room = EVENT_NODES_MAX - pending.length;
    if (Array.isArray(value)) {
      for (const item of (value as readonly Json[]).slice(0, room)) pending.push({ path, value: item, inList: true });
      continue;
    }
    for (const name of Object.keys(value).slice(0, room)) {
      container.names.add(name);
      pending.push({ path: below(path, name), value: (value as JsonObject)[name] as Json, inList: false });
    }
  }
  return { fields, containers, byName: Map.groupBy(fields, (path) => lastName(path).toLowerCase()) };
}

function placeAt(path: string, { fields, containers }: PathIndex): Place | undefined {
  if (fields.has(path)) return { kind: "field" };
  const container = containers.get(path);
  return container && { kind: container.isList ? "list" : "object", names: [...container.names] };
}

function findNearest(path: string, index: PathIndex): string | undefined {
  return misspelt(path, index) ?? elsewhere(path, lastName(path), index) ?? elsewhereMisspelt(path, index);
}

/** The path with each name that is not there replaced by the most similar one beside it. */
function misspelt(path: string, { fields, containers }: PathIndex): string | undefined {
  let found = ROOT;
  for (const name of path.split(".")) {
    const names = containers.get(found)?.names ?? new Set<string>();
    const nearest = names.has(name) ? name : mostSimilar(name, [...names]);
    if (nearest === undefined) return undefined;
    found = below(found, nearest);
  }
  return found !== path && (fields.has(found) || containers.has(found)) ? found : undefined;
}

/** A field of that name in another place: the one that shares the most names with the path, from its end or its beginning. */
function elsewhere(path: string, name: string, { byName }: PathIndex): string | undefined {
  const wanted = path.split(".");
  let best: { readonly path: string; readonly score: readonly number[] } | undefined;
  for (const candidate of byName.get(name.toLowerCase()) ?? []) {
    if (candidate === path) continue;
    const names = candidate.split(".");
    const score = [shared(wanted.toReversed(), names.toReversed()), shared(wanted, names), -names.length];
    if (best === undefined || isGreater(score, best.score)) best = { path: candidate, score };
  }
  return best?.path;
}

function elsewhereMisspelt(path: string, index: PathIndex): string | undefined {
  const name = mostSimilar(lastName(path).toLowerCase(), [...index.byName.keys()]);
  return name === undefined ? undefined : elsewhere(path, name, index);
}

/** Names of quite another length can't be the nearest, and to compare them takes time. */
function mostSimilar(name: string, names: readonly string[]): string | undefined {
  const apart = Math.floor(name.length / 3);
  const alike = names.filter((each) => Math.abs(each.length - name.length) <= apart);
  return nearestName(name, alike.slice(0, NAMES_COMPARED_MAX));
}

function below(path: string, name: string): string {
  return path === ROOT ? name : `${path}.${name}`;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function shared(a: readonly string[], b: readonly string[]): number {
  const end = a.findIndex((name, at) => name !== b[at]);
  return end === -1 ? a.length : end;
}

function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}
