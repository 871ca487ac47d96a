/**
 * Reads a GitHub payload by the mapping in `_github-mapping.ts`: the event's attributes and its key.
 */
import { isAttributeText } from "../core/attributes.ts";
import type { EventAttributes } from "../core/event.ts";
import type { Json, JsonObject } from "../core/result.ts";
import { isJsonObject, ownMember } from "../core/result.ts";
import { isTimestamp } from "../core/timestamp.ts";
import { isUriReference } from "../core/uri-reference.ts";
import type { EventMapping, PayloadPath, SourceRule } from "./_github-mapping.ts";
import { GITHUB_MAPPING, SOURCE_FALLBACKS, SOURCE_LAST_RESORT, UNLISTED_EVENT } from "./_github-mapping.ts";
import { formatTimestamp } from "./_timestamp.ts";

/** Longer texts of a payload are left out of attributes. GitHub's longest are URLs and ref names, of some 300 characters. */
const PAYLOAD_TEXT_CHARACTERS_MAX = 1_024;

/** What a payload may belong to, the narrowest first. */
const KEY_OWNERS = ["repository", "organization", "installation", "enterprise", "sender"] as const;

/** What `<action>` stands for in the mapping: the actions of `release`, as GitHub's documentation of webhooks lists them. */
const ACTIONS = ["created", "deleted", "edited", "prereleased", "published", "released", "unpublished"] as const;

/**
 * The attributes of an event. `eventName` is from X-GitHub-Event, `deliveryId` from X-GitHub-Delivery, both checked; `now`
 * is the time of arrival in milliseconds since the epoch. What a payload lacks, or has in no usable form, is replaced as the
 * mapping says or left out: a payload never fails here.
 */
export function githubAttributes(
  eventName: string,
  deliveryId: string,
  payload: JsonObject,
  now: number,
): EventAttributes {
  const mapping = mappingOf(eventName);
  const typeParts = (mapping.typeParts ?? []).map((path) => textAt(payload, path)).filter((part) => part !== undefined);
  const subject = mapping.subject === undefined ? undefined : textAt(payload, mapping.subject);
  return {
    specversion: "1.0",
    id: deliveryId,
    source: sourceOf(payload, mapping.source),
    type: ["com.github", eventName, ...typeParts].join("."),
    ...(subject === undefined ? {} : { subject }),
    time: timeOf(payload, mapping.times ?? []) ?? new Date(now).toISOString(),
    datacontenttype: "application/json",
  };
}

/** What orders a payload's event: `repository:<id>` or the like of the next wider owner; `sourceName` when it names none. */
export function githubKey(payload: JsonObject, sourceName: string): string {
  for (const owner of KEY_OWNERS) {
    const id = textAt(payload, `${owner}.id`);
    if (id !== undefined) return `${owner}:${id}`;
  }
  return sourceName;
}

/** Members of a payload that `githubAttributes` and `githubKey` may read, as dotted paths. */
export function githubPaths(eventName: string): readonly PayloadPath[] {
  const { typeParts = [], source, subject, times = [] } = mappingOf(eventName);
  const sources =
    typeof source === "string"
      ? [source]
      : "literal" in source
        ? []
        : "parentOf" in source
          ? [source.parentOf]
          : source.join;
  const anyAction = times.flatMap((path) => ACTIONS.map((action) => path.replace("<action>", action)));
  const keys = KEY_OWNERS.map((owner) => `${owner}.id`);
  const subjects = subject === undefined ? [] : [subject];
  return [...new Set(["action", ...typeParts, ...sources, ...SOURCE_FALLBACKS, ...subjects, ...anyAction, ...keys])];
}

function mappingOf(eventName: string): EventMapping {
  return (Object.hasOwn(GITHUB_MAPPING, eventName) ? GITHUB_MAPPING[eventName] : undefined) ?? UNLISTED_EVENT;
}

function sourceOf(payload: JsonObject, rule: SourceRule): string {
  const own = ruledSource(payload, rule);
  if (own !== undefined && isUriReference(own)) return own;
  for (const path of SOURCE_FALLBACKS) {
    const url = textAt(payload, path);
    if (url !== undefined && isUriReference(url)) return url;
  }
  return SOURCE_LAST_RESORT;
}

function ruledSource(payload: JsonObject, rule: SourceRule): string | undefined {
  if (typeof rule === "string") return textAt(payload, rule);
  if ("literal" in rule) return rule.literal;
  if ("parentOf" in rule) {
    const url = textAt(payload, rule.parentOf);
    return url === undefined ? undefined : /^([^/?#]+\/\/[^/?#]+(?:\/[^/?#]+)*)\/[^/?#]+$/.exec(url)?.[1];
  }
  const [first, second] = rule.join.map((path) => textAt(payload, path));
  return first === undefined || second === undefined ? undefined : `${first}/${second}`;
}

function timeOf(payload: JsonObject, paths: readonly PayloadPath[]): string | undefined {
  for (const path of paths) {
    const value = valueAt(
      payload,
      path.replace("<action>", () => textAt(payload, "action") ?? ""),
    );
    if (typeof value === "string" && isTimestamp(value)) return value;
    // Seconds since the epoch, as in installations.
    const time = typeof value === "number" ? formatTimestamp(value * 1_000) : null;
    if (time !== null) return time;
  }
  return undefined;
}

/** A string or number of the payload as an attribute's text; undefined when there is none or it can't be one. */
function textAt(payload: JsonObject, path: PayloadPath): string | undefined {
  const value = valueAt(payload, path);
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "" || value.length > PAYLOAD_TEXT_CHARACTERS_MAX) return undefined;
  return isAttributeText(value) ? value : undefined;
}

function valueAt(payload: JsonObject, path: PayloadPath): Json | undefined {
  let value: Json | undefined = payload;
  for (const name of path.split(".")) {
    if (!isJsonObject(value)) return undefined;
    value = ownMember(value, name);
  }
  return value;
}
