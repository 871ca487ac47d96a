/** Signs a made-up webhook as a vendor's description says, so that each vendor can be attacked without a recorded one. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { SignatureScheme, TimestampUnit, ValuePlace } from "../../src/core/signature-scheme.ts";
import type { SourceContext, SourceRequest } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";

export const SECRET = "TEST_SECRET";
export const OTHER_SECRET = "OTHER_TEST_SECRET";

const ed25519 = generateKeyPairSync("ed25519");
const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

export interface Signing {
  readonly now: number;
  /** The source's address, where it is a real one. */
  readonly url?: string;
  /** In place of the time of `now`. */
  readonly timestamp?: string;
  /** Changes the signature's text after it was made. */
  readonly change?: (signature: string) => string;
  /** In place of the made-up one. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function contextAt(now: number, description: WebhookDescription, isSet = true): SourceContext {
  const secret = secretOf(description.signature);
  return { now, hashing, secret: (name) => (isSet && (name === SECRET || name === OTHER_SECRET) ? secret : undefined) };
}

export function configOf(description: WebhookDescription): Record<string, unknown> {
  const other = description.otherSecret === undefined ? {} : { [description.otherSecret.key]: OTHER_SECRET };
  return { secrets: [SECRET], ...other };
}

export function timestampOf(unit: TimestampUnit, timeMs: number): string {
  if (unit === "iso") return new Date(timeMs).toISOString();
  return String(unit === "s" ? Math.floor(timeMs / 1_000) : timeMs);
}

/** A request that is genuine but for what `signing` changes. */
export function signedWebhook(description: WebhookDescription, signing: Signing): SourceRequest {
  const scheme = description.signature;
  const headers = new Headers({ "content-type": contentTypeOf(description), ...signing.headers });
  const url = new URL(signing.url ?? "https://sluice.example/webhooks/vendor?from=test");
  const values = new Map<string, string>();
  const inBody: [path: string, value: string][] = [];
  const parts = new Map<string, string[]>();

  const put = (place: ValuePlace, value: string): void => {
    if ("query" in place) url.searchParams.set(place.query, value);
    else if ("path" in place) inBody.push([place.path, value]);
    else if (place.part === undefined) headers.set(place.header, value);
    else parts.set(place.header, [...(parts.get(place.header) ?? []), `${place.part}=${value}`]);
  };
  for (const [name, place] of Object.entries(scheme.values ?? {})) {
    const isTime = scheme.timestamp?.value === name;
    const time = scheme.timestamp && timestampOf(scheme.timestamp.unit, signing.now);
    const value = isTime ? (signing.timestamp ?? time ?? "") : `sample-${name}`;
    values.set(name, value);
    put(place, value);
  }
  const flush = (): void => {
    for (const [header, list] of parts) headers.set(header, list.join(scheme.separator ?? ","));
  };
  flush();
  let body = signing.body ?? bodyOf(description, inBody);
  const request = (): SourceRequest => ({
    method: "POST",
    url: url.href,
    headers,
    body: new TextEncoder().encode(body),
  });
  const more = description.signedParts?.(request(), contextAt(signing.now, description)) ?? {};
  const known = new Map([["url", url.href], ["method", "POST"], ["body", body], ...values, ...Object.entries(more)]);
  const content = scheme.content
    .split(/[{}]/)
    .map((part, at) => (at % 2 === 0 ? part : (known.get(part) ?? "")))
    .join("");
  const signature = `${scheme.prefix ?? ""}${(signing.change ?? ((text) => text))(signatureText(scheme, content))}`;
  put(scheme.signature, signature);
  flush();
  if ("path" in scheme.signature) body = bodyOf(description, inBody);
  return request();
}

function contentTypeOf({ payloads = ["json"] }: WebhookDescription): string {
  return payloads.some((form) => form !== "form") ? "application/json" : "application/x-www-form-urlencoded";
}

function bodyOf({ payloads = ["json"], list }: WebhookDescription, inBody: readonly [string, string][]): string {
  if (payloads.every((form) => form === "form")) {
    return new URLSearchParams([["MessageSid", "evt_1"], ["type", "a"], ...inBody]).toString();
  }
  const event: Record<string, unknown> = {
    id: "evt_1",
    type: "thing.happened",
    created: 1_700_000_000,
    data: { id: "x" },
  };
  const json: Record<string, unknown> = list === undefined ? event : { id: "evt_1", [list]: [event] };
  for (const [path, value] of inBody) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    let at = json;
    for (const name of names) at = (at[name] = { ...(at[name] as object | undefined) }) as Record<string, unknown>;
    at[last] = value;
  }
  return JSON.stringify(payloads.includes("json") ? json : [json]);
}

export function secretOf({ algorithm, key = "text" }: SignatureScheme): string {
  const { publicKey } = algorithm === "ecdsa-p256" ? p256 : ed25519;
  const der = publicKey.export({ format: "der", type: "spki" });
  const bytes = algorithm === "ecdsa-p256" ? der : algorithm === "ed25519" ? der.subarray(-32) : Buffer.alloc(32, 7);
  if (key === "text") return algorithm === "token" ? "user:password-of-some-length" : "a-secret-of-some-length";
  if (key === "hex") return bytes.toString("hex");
  return `${key === "prefixed" ? "whsec_" : ""}${bytes.toString("base64")}`;
}

function signatureText(scheme: SignatureScheme, content: string): string {
  const bytes = signatureBytes(scheme, Buffer.from(content));
  if (scheme.encoding === "text") return bytes.toString();
  return bytes.toString(scheme.encoding);
}

function signatureBytes(scheme: SignatureScheme, content: Buffer): Buffer {
  const { algorithm, key = "text" } = scheme;
  if (algorithm === "ed25519") return sign(null, content, ed25519.privateKey);
  if (algorithm === "ecdsa-p256") return sign("sha256", content, p256.privateKey);
  if (algorithm === "token") return Buffer.from(secretOf(scheme));
  const secret = secretOf(scheme);
  const keyBytes =
    key === "text" ? Buffer.from(secret) : key === "hex" ? Buffer.from(secret, "hex") : Buffer.alloc(32, 7);
  return createHmac(algorithm.slice("hmac-".length), keyBytes).update(content).digest();
}
