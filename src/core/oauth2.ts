/**
 * OAuth 2.0 client credentials: what the token endpoint is asked, what its answer means, and how long a token is used.
 * Reference: RFC 6749, sections 2.3.1 (client authentication), 4.4 (the grant), 5.1 and 5.2 (answers).
 */
import { toBase64 } from "./event.ts";
import type { Json } from "./result.ts";
import { isJsonObject, ownMember } from "./result.ts";

/** Tokens of some providers are signed documents of a few thousand characters. */
export const TOKEN_CHARS_MAX = 8_192;
/** A token whose answer does not say how long it lasts (RFC 6749 only recommends that it does) is used for so long. */
export const TOKEN_DEFAULT_MS = 300_000;
/** A token is asked for anew after this at the latest, whatever its answer says. */
export const TOKEN_MS_MAX = 86_400_000;
/** A token is not used in its last minute, or its last half where it is short: a request must arrive while it lasts. */
export const TOKEN_MARGIN_MS = 60_000;
const ERROR_CODE_CHARS_MAX = 64;
const ERROR_DESCRIPTION_CHARS_MAX = 200;

/** How the client says who it is: in the Authorization header, or in the form. */
export const CLIENT_CREDENTIALS = ["basic", "body"] as const;
export type ClientCredentials = (typeof CLIENT_CREDENTIALS)[number];

export interface TokenAsk {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly credentials: ClientCredentials;
  readonly scope?: string | undefined;
  /** No parameter of RFC 6749, but asked for by many servers. */
  readonly audience?: string | undefined;
}

export interface TokenForm {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What of it must not be shown, besides the client's secret. */
  readonly secrets: readonly string[];
}

export function tokenForm({ clientId, clientSecret, credentials, scope, audience }: TokenAsk): TokenForm {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (scope !== undefined) form.set("scope", scope);
  if (audience !== undefined) form.set("audience", audience);
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  if (credentials === "body") {
    form.set("client_id", clientId);
    form.set("client_secret", clientSecret);
    return { headers, body: form.toString(), secrets: [formEncoded(clientSecret)] };
  }
  // Both are form-encoded first, so that an id may hold a colon and a secret any character.
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  const basic = toBase64(new TextEncoder().encode(pair));
  return {
    headers: { ...headers, authorization: `Basic ${basic}` },
    body: form.toString(),
    secrets: [basic, formEncoded(clientSecret)],
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

export type TokenReading =
  | { readonly kind: "token"; readonly token: string; readonly lifetimeMs: number }
  /** The endpoint says no, and will say it again: somebody has to change the configuration. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Not now, or not understandable: it may pass. */
  | { readonly kind: "unavailable"; readonly detail: string };

/**
 * What the endpoint's answer means. `text` is the start of its body; details say nothing of a token, and of the endpoint's own
 * words what `hide` leaves of them.
 */
export function readTokenAnswer(
  status: number,
  text: string,
  hide: (words: string) => string = (words) => words,
): TokenReading {
  if (status >= 200 && status <= 299) return readToken(text);
  const detail = `answered ${status}${shownError(text, hide)}`;
  if (status >= 300 && status <= 399) {
    return { kind: "refused", detail: `${detail}; redirects are not followed, so token-url must be corrected` };
  }
  const mayPass = status === 408 || status === 425 || status === 429 || status < 400 || status > 499;
  return { kind: mayPass ? "unavailable" : "refused", detail };
}

function readToken(text: string): TokenReading {
  const answer = parse(text);
  const token = ownText(answer, "access_token");
  if (token === undefined) return { kind: "unavailable", detail: "answered without an access_token" };
  const type = ownText(answer, "token_type");
  // Required by section 5.1, but left out by some servers that know only one type.
  if (type !== undefined && type.toLowerCase() !== "bearer") {
    return {
      kind: "refused",
      detail: "answered with a token that is no bearer token, the only type that is known here",
    };
  }
  if (token.length > TOKEN_CHARS_MAX || !/^[\x21-\x7e]+$/.test(token)) {
    const detail = `answered with a token that no header can carry (visible ASCII, at most ${TOKEN_CHARS_MAX} characters)`;
    return { kind: "refused", detail };
  }
  return { kind: "token", token, lifetimeMs: lifetimeMs(answer) };
}

function lifetimeMs(answer: Json): number {
  const written = isJsonObject(answer) ? ownMember(answer, "expires_in") : undefined;
  // Some servers write the number as a string.
  const seconds = typeof written === "string" && /^\d{1,12}$/.test(written) ? Number(written) : written;
  if (typeof seconds !== "number" || !(seconds >= 0)) return TOKEN_DEFAULT_MS;
  return Math.min(seconds * 1_000, TOKEN_MS_MAX);
}

/** Until when a token is used that was asked for at `askedAt`; both in milliseconds since the epoch. */
export function usableUntil(askedAt: number, lifetime: number): number {
  return askedAt + lifetime - Math.min(TOKEN_MARGIN_MS, lifetime / 2);
}

/** Section 5.2: ` (invalid_client: Client authentication failed)`, or nothing. */
function shownError(text: string, hide: (words: string) => string): string {
  const answer = parse(text);
  const code = ownText(answer, "error");
  if (code === undefined || !/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(code)) return "";
  // Hidden before it is cut: half of a secret would not be found.
  const description = hide(ownText(answer, "error_description") ?? "")
    .replaceAll(/\s+/g, " ")
    .trim();
  const shown = description === "" ? "" : `: ${description.slice(0, ERROR_DESCRIPTION_CHARS_MAX)}`;
  return ` (${hide(code).slice(0, ERROR_CODE_CHARS_MAX)}${shown})`;
}

function ownText(answer: Json, name: string): string | undefined {
  const member = isJsonObject(answer) ? ownMember(answer, name) : undefined;
  return typeof member === "string" && member !== "" ? member : undefined;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
