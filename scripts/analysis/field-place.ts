/** Whether what may stand at a place can meet an alternative of a pattern, and why it can't, in words. */
import type { Alternative, Scalar } from "../../src/core/alternative.ts";
import type { Field } from "../../src/core/pattern.ts";
import { compileAlternatives } from "../../src/core/value-test.ts";
import type { GithubType } from "../github-schema.ts";
import type { Place } from "../github-schema-places.ts";
import { mayStand, unite } from "../github-schema-places.ts";
import { GITHUB_TOP_NAMES, placeOf } from "./event-place.ts";
import { ofTypes } from "./shown-types.ts";
import { nearestName } from "../../src/core/read-object.ts";

const VALUES_SHOWN_MAX = 8;
const SHOWN_CHARS_MAX = 60;
const PATH_CHARS_MAX = 120;

/**
 * Whether an event can meet the alternative. `isExact`: the types of events are named one by one. Where GitHub may add to a
 * list of texts, only exact values are held against the list, so that a prefix is the way to write what came after it.
 */
export function isMet(alternative: Alternative, place: Place | undefined, isExact: boolean): boolean {
  if (place === undefined || place.isUnknown) return true;
  switch (alternative.kind) {
    case "absent":
      return !isAlwaysThere(place);
    case "present":
      return place.exact.size > 0 || place.any.size > 0;
    case "equals":
      return mayStand(place, alternative.value);
    case "anything-but":
      return place.any.size > 0 || meetsSome(alternative, place.exact);
    case "numeric":
      return place.any.has("number") || meetsSome(alternative, place.exact);
    case "prefix":
    case "suffix":
    case "wildcard":
    case "equals-ignore-case":
    case "prefix-ignore-case":
    case "suffix-ignore-case":
    case "cidr": {
      const texts = textsOf(place);
      const mayGrow = texts.length > 1 || (texts.length === 1 && !isExact);
      return place.any.has("string") || mayGrow || meetsSome(alternative, place.exact);
    }
  }
}

/** Why none of the alternatives is ever met by events of the types; without types, by any event. */
export function whyNever(
  field: Field,
  alternatives: readonly Alternative[],
  types: readonly GithubType[] | undefined,
  isExact: boolean,
): string {
  const places = (types ?? [undefined]).map((type) => placeOf(field.path, type));
  const place = places.filter((one) => one !== undefined).reduce(unite);
  const inType = types === undefined ? "" : `in an event ${ofTypes(types)}, `;
  if (alternatives.every(({ kind }) => kind === "absent")) {
    return `${inType}${cut(field.path)} is always there: exists: false is never met`;
  }
  if (place.exact.size === 0 && place.any.size === 0 && place.objects.length === 0) return whyNowhere(field);
  const expected = `${inType}${cut(field.path)} is ${describePlace(place)}`;
  return `${expected}: ${describeNever(alternatives)}${hintOf(alternatives, place, isExact)}`;
}

/** No event has anything at the path, whatever its type: the name at the top is wrong. */
export function isNowhere(field: Field): boolean {
  const place = placeOf(field.path, undefined);
  return place !== undefined && !place.isUnknown && place.exact.size + place.any.size + place.objects.length === 0;
}

/** What EventBridge and others call the payload and its type. */
const DATA_NAMES: ReadonlySet<string> = new Set(["detail", "payload", "body"]);
const TYPE_NAMES: ReadonlySet<string> = new Set(["detail-type", "detail_type", "event_type", "eventtype"]);

function whyNowhere({ path }: Field): string {
  const [top = "", ...below] = path.split(".");
  if (below.length > 0) {
    const isData = DATA_NAMES.has(top.toLowerCase()) || nearestName(top, ["data"]) !== undefined;
    const meant = ["data", ...(isData ? [] : [top]), ...below].join(".");
    return `no event has ${cut(path)}: only data has fields below it; did you mean ${cut(meant)}?`;
  }
  const nearest = TYPE_NAMES.has(top.toLowerCase()) ? "type" : nearestName(top, GITHUB_TOP_NAMES);
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `no event can have the field ${JSON.stringify(cut(path))}: an attribute's name has lower-case letters and digits only; a field of the payload stands under data${hint}`;
}

/** Patterns may name anything, at any length. */
export function cut(path: string): string {
  return path.length > PATH_CHARS_MAX ? `${path.slice(0, PATH_CHARS_MAX)}…` : path;
}

function isAlwaysThere({ isRequired, hasArray, objects }: Place): boolean {
  return isRequired && !hasArray && objects.length === 0;
}

function meetsSome(alternative: Alternative, values: ReadonlySet<Scalar>): boolean {
  const test = compileAlternatives([alternative]);
  return [...values].some((value) => test(value));
}

function textsOf({ exact }: Place): readonly string[] {
  return [...exact].filter((value) => typeof value === "string");
}

function describePlace(place: Place): string {
  const { exact, any, objects } = place;
  const listed = [...exact].filter((value) => typeof value === "string" || typeof value === "number");
  const shown = listed.slice(0, VALUES_SHOWN_MAX).map((value) => JSON.stringify(value));
  const booleans = [true, false].filter((value) => exact.has(value));
  const kinds = [
    ...(any.has("string") ? ["a string"] : []),
    ...(any.has("number") ? ["a number"] : []),
    ...shown,
    ...(listed.length > shown.length ? ["…"] : []),
    ...booleans.map(String),
    ...(exact.has(null) ? ["null"] : []),
    ...(objects.length > 0 ? ["an object, whose fields have to be named"] : []),
  ];
  if (kinds.length === 1 && shown.length + booleans.length === 1) return `always ${kinds[0] ?? ""}`;
  const last = kinds.pop() ?? "";
  return kinds.length === 0 ? last : `${kinds.join(", ")} or ${last}`;
}

function describeNever(alternatives: readonly Alternative[]): string {
  if (alternatives.length > 1) return "none of these is ever met";
  const [one] = alternatives;
  if (one?.kind === "equals") return `${JSON.stringify(one.value).slice(0, SHOWN_CHARS_MAX)} is never met`;
  if (one?.kind === "anything-but") return "anything-but excludes all of it";
  return one?.kind === "present" ? "exists: true is never met" : "this is never met";
}

/** The nearest value, or how the value is written in the place's type, or how to write what GitHub has added. */
function hintOf(alternatives: readonly Alternative[], place: Place, isExact: boolean): string {
  for (const alternative of alternatives) {
    if (alternative.kind !== "equals") continue;
    const { value } = alternative;
    const unquoted = typeof value === "string" && value.length < SHOWN_CHARS_MAX ? readScalar(value) : undefined;
    if (unquoted !== undefined && mayStand(place, unquoted)) return `; write ${value} without quotes`;
    if (typeof value !== "string" && value !== null && mayStand(place, String(value))) {
      return `; write it in quotes: ${JSON.stringify(String(value))}`;
    }
    const texts = textsOf(place);
    if (typeof value !== "string" || (texts.length <= 1 && isExact) || texts.length === 0) continue;
    const nearest = nearestName(value, texts);
    const hint = nearest === undefined ? "." : `; did you mean ${JSON.stringify(nearest)}?`;
    return `${hint} If GitHub has added it lately, write { prefix: ${value.slice(0, SHOWN_CHARS_MAX)} }`;
  }
  return "";
}

function readScalar(text: string): Scalar | undefined {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}
