/**
 * Recorded webhooks signed for another moment: what a vendor would send now. By Node's own cryptography and the description's data, never
 * by the verifier.
 */
import type { KeyObject } from "node:crypto";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { hashing } from "../../src/hashing.ts";
import type { SignatureScheme, ValuePlace } from "../../src/core/signature-scheme.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";
import type { VectorRequest } from "./webhook-vectors.ts";
import { vectorRequest } from "./webhook-vectors.ts";

export interface Signer {
  /** What the router's secret is to be: the recorded one, or a new public key. */
  readonly secret: string;
  /** The request as it would be sent at that time; as it is where no time is signed. */
  readonly signAgain: (request: VectorRequest, nowMs: number) => VectorRequest;
}

export function createSigner(description: WebhookDescription, secret: string): Signer {
  const { signature } = description;
  const { algorithm, timestamp } = signature;
  if (timestamp === undefined) return { secret, signAgain: (request) => request };
  const pair = algorithm === "ed25519" || algorithm === "ecdsa-p256" ? newPair(algorithm) : undefined;
  const signed = (content: string): Buffer =>
    pair === undefined
      ? createHmac(algorithm.slice("hmac-".length), keyOf(signature, secret)).update(content).digest()
      : sign(algorithm === "ed25519" ? null : "sha256", Buffer.from(content), pair.privateKey);
  return {
    secret: pair?.secret ?? secret,
    signAgain(request, nowMs) {
      const place = placeOf(signature, timestamp.value);
      const time = timestamp.unit === "s" ? String(Math.floor(nowMs / 1_000)) : String(nowMs);
      // What is in the signature's own header is written anew with it.
      const timed = isPart(place) ? request : put(request, place, time);
      const values = { ...readValues(signature, timed), [timestamp.value]: time };
      const text = contentOf(description, timed, values);
      const value =
        (signature.prefix ?? "") + signed(text).toString(signature.encoding === "text" ? "utf8" : signature.encoding);
      if (!isPart(signature.signature)) return put(timed, signature.signature, value);
      const parts = `${isPart(place) ? place.part : "t"}=${time}${signature.separator ?? ","}${signature.signature.part}=${value}`;
      return put(timed, { header: signature.signature.header }, parts);
    },
  };
}

function newPair(algorithm: "ed25519" | "ecdsa-p256"): { readonly privateKey: KeyObject; readonly secret: string } {
  const { publicKey, privateKey } =
    algorithm === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = publicKey.export({ format: "der", type: "spki" });
  return { privateKey, secret: algorithm === "ed25519" ? der.subarray(-32).toString("hex") : der.toString("base64") };
}

function keyOf({ key }: SignatureScheme, secret: string): Buffer | string {
  if (key === undefined || key === "text") return secret;
  return key === "hex" ? Buffer.from(secret, "hex") : Buffer.from(secret.replace(/^whsec_/, ""), "base64");
}

type PartPlace = { readonly header: string; readonly part: string };

function isPart(place: ValuePlace): place is PartPlace {
  return "header" in place && place.part !== undefined;
}

function placeOf({ values = {} }: SignatureScheme, name: string): ValuePlace {
  const place = values[name];
  if (place === undefined) throw new Error(`the scheme has no ${name}`);
  return place;
}

function readValues({ values = {} }: SignatureScheme, request: VectorRequest): Readonly<Record<string, string>> {
  const places = Object.entries(values).filter(([, place]) => !isPart(place));
  return Object.fromEntries(places.map(([name, place]) => [name, read(request, place)]));
}

function read({ headers, body = "" }: VectorRequest, place: ValuePlace): string {
  if ("header" in place) return new Headers(headers).get(place.header) ?? "";
  if ("query" in place) throw new Error("no vendor signs the query yet");
  const json = JSON.parse(body) as Record<string, unknown>;
  return String(place.path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], json));
}

function put(request: VectorRequest, place: ValuePlace, value: string): VectorRequest {
  if ("header" in place) {
    const headers = new Headers(request.headers);
    headers.set(place.header, value);
    return { ...request, headers: Object.fromEntries(headers) };
  }
  if ("query" in place) throw new Error("no vendor signs the query yet");
  const json = JSON.parse(request.body ?? "") as Record<string, unknown>;
  const names = place.path.split(".");
  const holder = names.slice(0, -1).reduce((value, name) => value[name] as Record<string, unknown>, json);
  const last = names.at(-1) ?? "";
  holder[last] = typeof holder[last] === "number" ? Number(value) : value;
  return { ...request, body: JSON.stringify(json) };
}

function contentOf(
  { signature, signedParts }: WebhookDescription,
  request: VectorRequest,
  values: Readonly<Record<string, string>>,
): string {
  const whole = vectorRequest(request);
  const more = signedParts?.(whole, { now: 0, hashing, secret: () => undefined }) ?? {};
  const all: Record<string, string> = { url: whole.url, method: whole.method, ...values, ...more };
  all["body"] = new TextDecoder().decode(whole.body);
  return signature.content.replaceAll(/\{([^}]+)\}/g, (_, name: string) => all[name] ?? "");
}
