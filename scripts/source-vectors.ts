/** What the recorded webhooks of a vendor show of it: test/conformance/webhooks/<kind>.json. For docs/sources.md. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashing } from "../src/hashing.ts";
import type { AnySource } from "../src/core/rule-set.ts";
import type { Json, JsonObject } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { ReceivedEvent, Source, SourceAnswer } from "../src/core/source.ts";

export const VECTORS_DIR = join(import.meta.dirname, "../test/conformance/webhooks");
/** A hash of the payload at the start of an id. */
const CONTENT_ID = /^[0-9a-f]{32}(?=-|$)/;
/** Shorter values stand in an id by chance. */
const TELLING_CHARACTERS_MIN = 4;

interface VectorRequest {
  readonly method?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
}

interface VectorCase {
  readonly kind: string;
  readonly now: string;
  readonly request: VectorRequest;
  readonly entry?: JsonObject;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly expect: { readonly answer?: SourceAnswer };
}

export interface Vectors {
  readonly from: string;
  readonly vectors: "published" | "sdk" | "scheme";
  readonly note?: string;
  readonly entry: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  readonly cases: readonly VectorCase[];
}

/** Undefined where the vendor has none yet. */
export async function readVectors(kind: string): Promise<Vectors | undefined> {
  const text = await readFile(join(VECTORS_DIR, `${kind}.json`), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Vectors);
}

/** The first event of the first genuine request, as the source makes it. */
export function firstEvent(source: AnySource, vectors: Vectors): ReceivedEvent | undefined {
  const genuine = vectors.cases.find(({ kind }) => kind === "genuine");
  if (genuine === undefined) return undefined;
  const parsed = source.parse({ ...vectors.entry, ...genuine.entry });
  if (!parsed.ok) return undefined;
  const secrets = { ...vectors.secrets, ...genuine.secrets };
  const received = (source as Source<unknown>).receive(requestOf(genuine.request), parsed.value, source.kind, {
    now: Date.parse(genuine.now),
    hashing,
    secret: (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined),
  });
  return received.ok ? received.value.events[0] : undefined;
}

/** `GET → 200` for each kind of handshake that is answered. */
export function handshakes({ cases }: Vectors): readonly string[] {
  const answered = cases.flatMap(({ kind, request: { method = "POST" }, expect: { answer } }) =>
    kind === "handshake" && answer !== undefined ? [`${method} → ${answer.status}`] : [],
  );
  return [...new Set(answered)].toSorted();
}

/** Where the event's id comes from, in words: found by looking for it in the request. */
export function identityOf({ event, replay }: ReceivedEvent, vectors: Vectors): string {
  const { id } = event.attributes;
  const request = vectors.cases.find(({ kind }) => kind === "genuine")?.request;
  const hash = CONTENT_ID.exec(id)?.[0];
  const rest = hash === undefined ? id : id.slice(hash.length + 1);
  const places = rest === "" || request === undefined ? [] : placesOf(rest, request, event.body);
  const found = places.length > 0 || rest === "" ? places : ["the time of arrival"];
  const words = [...(hash === undefined ? [] : ["a hash of the payload"]), ...found].join(" and ");
  return replay === undefined ? words : `${words}; not signed, so \`replays\` is looked at`;
}

/** The places that the id is made of: those with all of it, else those with a part of it. */
function placesOf(id: string, { headers }: VectorRequest, body: Uint8Array | null): readonly string[] {
  const json = body === null ? null : parsed(new TextDecoder().decode(body));
  const fields = [
    ...leavesOf(json, []).map(([path, value]) => [`\`${path}\``, value] as const),
    ...Object.entries(headers).map(([name, value]) => [`the header \`${name.toLowerCase()}\``, value] as const),
  ];
  const whole = fields.find(([, value]) => value === id);
  if (whole !== undefined) return [whole[0]];
  const parts = fields.filter(([, value]) => value.length >= TELLING_CHARACTERS_MIN && id.includes(value));
  const seen = new Map(parts.map(([place, value]) => [value, place]).toReversed() as [string, string][]);
  return [...seen.values()].toReversed();
}

function leavesOf(json: Json | undefined, path: readonly string[]): readonly (readonly [string, string])[] {
  if (typeof json === "string" || typeof json === "number") return [[path.join("."), String(json)]];
  if (Array.isArray(json)) return (json as readonly Json[]).flatMap((item, at) => leavesOf(item, [...path, `${at}`]));
  return isJsonObject(json) ? Object.entries(json).flatMap(([name, value]) => leavesOf(value, [...path, name])) : [];
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function requestOf({ method = "POST", url, headers, body = "", bodyBase64 }: VectorRequest) {
  return {
    method,
    url: url ?? "https://sluice.example.com/webhooks/vendor",
    headers: new Headers(headers),
    body: bodyBase64 === undefined ? new TextEncoder().encode(body) : new Uint8Array(Buffer.from(bodyBase64, "base64")),
  };
}
