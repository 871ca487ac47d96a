/** Reads the values of a request that a signature scheme names: from headers, the query or the body. */
import { parseJson } from "./json.ts";
import { decodeUtf8 } from "./event.ts";
import type { Rejection } from "./rejection.ts";
import type { Json, Result } from "./result.ts";
import { err, isJsonObject, ok, ownMember } from "./result.ts";
import type { SignatureScheme, ValuePlace } from "./signature-scheme.ts";
import { SIGNED_VALUE_CHARACTERS_MAX } from "./signature-scheme.ts";
import type { SourceRequestHead } from "./source.ts";

/** What `{body}` stands for. */
export const BODY = "body";

/** The values by their names. */
export function readSignedValues(
  scheme: SignatureScheme,
  head: SourceRequestHead,
  body: Uint8Array,
): Result<ReadonlyMap<string, string>, Rejection> {
  const values = new Map([
    ["url", head.url],
    ["method", head.method],
  ]);
  const json = Object.values(scheme.values ?? {}).some((place) => "path" in place) ? jsonOf(body) : undefined;
  for (const [name, place] of Object.entries(scheme.values ?? {})) {
    const value = valueAt(place, scheme.separator, head, json);
    if (!value.ok) return value;
    values.set(name, value.value);
  }
  return ok(values);
}

/** The signature's whole value: one signature or a list. */
export function readSignature(
  scheme: SignatureScheme,
  head: SourceRequestHead,
  body: Uint8Array,
): Result<readonly string[], Rejection> {
  const { signature: place, separator, rotated } = scheme;
  const json = "path" in place ? jsonOf(body) : undefined;
  const text = textAt(place, head, json);
  const more = rotated === undefined ? null : head.headers.get(rotated.header);
  const found = shownPlace(place);
  if (text === undefined || text === "") return err({ reason: "missing-signature", header: found });
  if (text.length + (more?.length ?? 0) > SIGNED_VALUE_CHARACTERS_MAX) {
    const detail = `it has more than ${SIGNED_VALUE_CHARACTERS_MAX} characters`;
    return err({ reason: "malformed-signature", header: found, detail });
  }
  if ("header" in place && place.part !== undefined) {
    const parts = partsOf(text, separator).filter(([name]) => name === place.part);
    return parts.length > 0
      ? ok(parts.map(([, value]) => value))
      : err({ reason: "malformed-signature", header: found, detail: `expected ${place.part}=…` });
  }
  const texts = more === null ? [text] : [text, more];
  return ok(separator === undefined ? texts : texts.flatMap((each) => each.split(separator).map((one) => one.trim())));
}

/** How a rejection names the place. */
export function shownPlace(place: ValuePlace): string {
  if ("header" in place) return place.header;
  return "query" in place ? `?${place.query}=` : `body:${place.path}`;
}

function valueAt(
  place: ValuePlace,
  separator: string | undefined,
  head: SourceRequestHead,
  json: Json | undefined,
): Result<string, Rejection> {
  const text = textAt(place, head, json);
  const header = shownPlace(place);
  if (text === undefined || text === "") return err({ reason: "missing-header", header });
  if (text.length > SIGNED_VALUE_CHARACTERS_MAX) {
    return err({
      reason: "invalid-header",
      header,
      detail: `it has more than ${SIGNED_VALUE_CHARACTERS_MAX} characters`,
    });
  }
  if (!("header" in place) || place.part === undefined) return ok(text);
  const parts = partsOf(text, separator).filter(([name]) => name === place.part);
  const [[, value] = ["", ""]] = parts;
  // Of two times the older one could be signed and the newer one looked at.
  if (parts.length === 1 && value !== "") return ok(value);
  return err({ reason: "invalid-header", header, detail: `expected ${place.part}=… once` });
}

function textAt(place: ValuePlace, head: SourceRequestHead, json: Json | undefined): string | undefined {
  if ("header" in place) return head.headers.get(place.header) ?? undefined;
  if ("query" in place) {
    const found = new URL(head.url).searchParams.getAll(place.query);
    return found.length === 1 ? found[0] : undefined;
  }
  let value = json;
  for (const name of place.path.split(".")) value = isJsonObject(value) ? ownMember(value, name) : undefined;
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : undefined;
}

function partsOf(text: string, separator = ","): readonly (readonly [name: string, value: string])[] {
  return text.split(separator).map((part) => {
    const at = part.indexOf("=");
    return at === -1 ? [part.trim(), ""] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function jsonOf(body: Uint8Array): Json | undefined {
  const text = decodeUtf8(body);
  const parsed = text === null ? undefined : parseJson(text);
  return parsed?.ok === true ? parsed.value : undefined;
}
