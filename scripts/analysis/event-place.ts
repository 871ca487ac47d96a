/** What may stand at a path of an event: its attributes by the CloudEvents specification, its data by GitHub's schemas. */
import type { Scalar } from "../../src/core/alternative.ts";
import { HOPS_ATTRIBUTE } from "../../src/core/hops.ts";
import type { GithubType } from "../github-schema.ts";
import type { Place } from "../github-schema-places.ts";
import { UNKNOWN_PLACE } from "../github-schema-places.ts";

const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

const none: Place = { ...UNKNOWN_PLACE, isUnknown: false };
const text: Place = { ...none, any: new Set(["string"] as const) };
const always: Place = { ...text, isRequired: true };
const only = (value: string): Place => ({ ...none, exact: new Set<Scalar>([value]), isRequired: true });

/** CloudEvents 1.0.2, section 3. */
const ATTRIBUTES: ReadonlyMap<string, Place> = new Map([
  ["specversion", only("1.0")],
  ["id", always],
  ["source", always],
  ["type", always],
  ["subject", text],
  ["time", text],
  ["datacontenttype", text],
  ["dataschema", text],
  ["data_base64", text],
]);

const EXTENSION: Place = { ...none, any: new Set(["string", "number"] as const), exact: new Set([true, false]) };

/** What the source `github` sets. */
const OF_GITHUB: ReadonlyMap<string, Place> = new Map([
  ["time", always],
  ["datacontenttype", only("application/json")],
]);

/** The names at the top of an event that GitHub sent. */
export const GITHUB_TOP_NAMES: readonly string[] = [
  ...[...ATTRIBUTES.keys()].filter((name) => name !== "dataschema" && name !== "data_base64"),
  "data",
  HOPS_ATTRIBUTE,
];

/**
 * What may stand at the path, in events of the type or, without one, in any. Undefined: no event is known to have the field,
 * which may still come to have it. A place where nothing can stand is one that no event can ever have.
 */
export function placeOf(path: string, type: GithubType | undefined): Place | undefined {
  const dot = path.indexOf(".");
  const top = dot === -1 ? path : path.slice(0, dot);
  if (top === "data") {
    if (type === undefined) return undefined;
    return dot === -1 ? { ...none, objects: [[]], isRequired: true } : type.placeAt(path.slice(dot + 1));
  }
  const known = (type === undefined ? undefined : OF_GITHUB.get(top)) ?? ATTRIBUTES.get(top);
  if (dot !== -1 || (known === undefined && !ATTRIBUTE_NAME.test(top))) return none;
  return known ?? (type === undefined || top === HOPS_ATTRIBUTE ? EXTENSION : undefined);
}
