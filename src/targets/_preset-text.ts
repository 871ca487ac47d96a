/** Texts for chats: what is shown of an event that no transform has shaped, and texts cut where a vendor would refuse more. */
import type { Json, JsonObject } from "../core/result.ts";
import { isJsonObject, ownMember } from "../core/result.ts";
import { decodeUtf8, isJsonMediaType } from "../core/event.ts";
import type { CloudEvent } from "../core/event.ts";
import { parseJson } from "../core/json.ts";
import type { Shipment } from "../core/target.ts";
import { withoutControls } from "./_failure-text.ts";

/** Attributes may have 64 KiB; a chat shows this much of each. */
export const SUMMARY_PART_CHARS_MAX = 300;

/** A longer link is left out: cut, it would lead nowhere. */
export const LINK_CHARS_MAX = 1_000;

const ELLIPSIS = "…";

/** Where webhooks have the address of the page that people look at, the more telling name first. */
const LINK_MEMBERS = ["html_url", "web_url", "permalink", "compare", "target_url", "url"];

/** Members of a payload that have such an address, the narrower first. */
const LINK_PARENTS = [
  "comment",
  "review",
  "pull_request",
  "issue",
  "release",
  "workflow_run",
  "check_run",
  "discussion",
  "object_attributes",
  "head_commit",
  "repository",
  "project",
];

/** An event in a few words. */
export interface Summary {
  /** The type, and the subject where the event has one. */
  readonly title: string;
  readonly source: string;
  /** http or https. */
  readonly link: string | undefined;
}

/** How a vendor writes text that must not be read as markup or as a mention, and links. */
export interface TextStyle {
  readonly text: (text: string) => string;
  readonly link: (url: string) => string;
}

/** The event in its attributes' words; a large one has no data to take a link from. */
export function summaryOf({ event }: Pick<Shipment, "event">): Summary {
  const { type, subject, source } = event.attributes;
  const title = subject === undefined || subject === "" ? part(type) : `${part(type)}: ${part(subject)}`;
  return { title, source: part(source), link: linkOf(event) };
}

/** The summary as lines of text. */
export function summaryText(shipment: Pick<Shipment, "event">, style: TextStyle): string {
  const { title, source, link } = summaryOf(shipment);
  const from = isLink(source) ? style.link(source) : style.text(source);
  return [style.text(title), `from ${from}`, ...(link === undefined ? [] : [style.link(link)])].join("\n");
}

/** One line without what steers terminals, chats or the direction of writing. */
function part(value: unknown): string {
  const line = withoutControls(String(value))
    .toWellFormed()
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/\s+/g, " ");
  return cutText(line.trim(), SUMMARY_PART_CHARS_MAX, utf16Units);
}

function linkOf(event: CloudEvent): string | undefined {
  if (event.body === null || !isJsonMediaType(event.attributes.datacontenttype)) return undefined;
  const text = decodeUtf8(event.body);
  const parsed = text === null ? undefined : parseJson(text);
  if (parsed?.ok !== true || !isJsonObject(parsed.value)) return undefined;
  const data = parsed.value;
  for (const from of [data, ...LINK_PARENTS.map((name) => ownMember(data, name))]) {
    const link = isJsonObject(from) ? LINK_MEMBERS.map((name) => ownMember(from, name)).find(isPage) : undefined;
    if (typeof link === "string") return link;
  }
  return undefined;
}

/** Whether it is the address of a page. What an API calls its `url` is for machines. */
function isPage(value: Json | undefined): boolean {
  return typeof value === "string" && isLink(value) && !/^https?:\/\/api\.|\/api\//i.test(value);
}

function isLink(text: string): boolean {
  return (
    text.length <= LINK_CHARS_MAX &&
    /^https?:\/\/[!#$%&'()*+,./0-9:;=?@A-Z[\]_a-z~-]+$/i.test(text) &&
    URL.canParse(text)
  );
}

/**
 * The text, or as much of its beginning as costs at most `max`, with … for what was left out. Never cuts a character in two;
 * a surrogate without its partner is replaced.
 */
export function cutText(text: string, max: number, costOf: (character: string) => number): string {
  const wellFormed = text.toWellFormed();
  const roomForEllipsis = max - costOf(ELLIPSIS);
  let cost = 0;
  let at = 0;
  let cutAt = 0;
  for (const character of wellFormed) {
    cost += costOf(character);
    if (cost > max) return wellFormed.slice(0, cutAt) + ELLIPSIS;
    at += character.length;
    if (cost <= roomForEllipsis) cutAt = at;
  }
  return wellFormed;
}

/** UTF-16 code units: what `length` counts. */
export function utf16Units(character: string): number {
  return character.length;
}

/** Bytes of a character of well-formed text within a JSON string, as `JSON.stringify` writes it, in UTF-8. */
export function jsonBytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return /[\b\f\n\r\t]/.test(character) ? 2 : 6;
  if (code < 0x80) return character === '"' || character === "\\" ? 2 : 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** JSON of an object with these members in front of its own; a member that it has stays as it is. */
export function withMembers(json: string, value: JsonObject, members: JsonObject): string {
  const added = Object.entries(members).filter(([name]) => !Object.hasOwn(value, name));
  if (added.length === 0) return json;
  const head = JSON.stringify(Object.fromEntries(added)).slice(0, -1);
  const rest = json.trim().slice(1);
  return Object.keys(value).length === 0 ? `${head}${rest}` : `${head},${rest}`;
}
