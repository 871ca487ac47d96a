/**
 * Access tokens by client credentials (RFC 6749, section 4.4): asked for once for all attempts of an isolate, used until shortly
 * before they end. The request for one shares the attempt's deadline.
 */
import type { TokenAsk } from "../core/oauth2.ts";
import { readTokenAnswer, tokenForm, usableUntil } from "../core/oauth2.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { parseRetryAfterMs } from "../core/retry.ts";
import { formatDuration } from "../core/read-object.ts";
import type { TargetIo } from "../core/target.ts";
import { cleanText, exchange } from "./_http-exchange.ts";
import { USER_AGENT, misconfigured, secretValue } from "./_http-request.ts";
import type { KeptValue, SharedValue } from "./_shared-value.ts";
import { createSharedValue } from "./_shared-value.ts";
import type { Oauth2, TextOrSecret } from "./_target-auth.ts";

/** Of a token endpoint's answer; more is cut off, and then is no JSON. */
export const TOKEN_ANSWER_BYTES_MAX = 32_768;

export interface AttemptTime {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

type Tokens = SharedValue<string, Outcome>;

/** One for each target of the rules that an isolate runs. */
const tokensOf = new WeakMap<Oauth2, Tokens>();

export async function accessToken(
  oauth2: Oauth2,
  { signal, timeoutMs }: AttemptTime,
  io: TargetIo,
): Promise<Result<KeptValue<string>, Outcome>> {
  let tokens = tokensOf.get(oauth2);
  if (tokens === undefined) tokensOf.set(oauth2, (tokens = createSharedValue()));
  const now = io.now();
  const ask = () => askForToken(oauth2, now, { signal, timeoutMs }, io);
  const token = await tokens.get({ now, signal, timeoutMs, ask });
  if (token !== "late") return token;
  const detail = `${endpointOf(oauth2)} gave no token within ${formatDuration(timeoutMs)}`;
  return err({ kind: "retryable", reason: "timeout", detail });
}

/** The target would not have it: the next attempt asks for another. */
export function dropToken(oauth2: Oauth2, token: KeptValue<string>): void {
  tokensOf.get(oauth2)?.drop(token);
}

async function askForToken(
  oauth2: Oauth2,
  now: number,
  { signal, timeoutMs }: AttemptTime,
  io: TargetIo,
): Promise<Result<{ readonly value: string; readonly until: number }, Outcome>> {
  const { tokenUrl, credentials, scope, audience } = oauth2;
  const clientId = textOf(oauth2.clientId, io);
  if (!clientId.ok) return clientId;
  const clientSecret = secretValue(oauth2.clientSecret, io);
  if (!clientSecret.ok) return clientSecret;
  const asked: TokenAsk = { clientId: clientId.value, clientSecret: clientSecret.value, credentials, scope, audience };
  const form = tokenForm(asked);
  const idSecrets = "secret" in oauth2.clientId ? [clientId.value] : [];
  const request = {
    url: tokenUrl.url,
    headers: { ...form.headers, "user-agent": USER_AGENT },
    body: new TextEncoder().encode(form.body),
    secrets: [clientSecret.value, ...form.secrets, ...idSecrets],
  };
  const exchanged = await exchange(request, { signal, timeoutMs, bytesMax: () => TOKEN_ANSWER_BYTES_MAX }, io);
  const endpoint = endpointOf(oauth2);
  if (!exchanged.ok) {
    const { error } = exchanged;
    return err("detail" in error ? { ...error, detail: `${endpoint} gave no token: ${error.detail}` } : error);
  }
  const { status, headers, bytes } = exchanged.value;
  // With a space after it no end of a text is taken for a secret's beginning: nothing is cut yet.
  const hide = (words: string) => cleanText(`${words} `, request).trimEnd();
  const reading = readTokenAnswer(status, new TextDecoder().decode(bytes), hide);
  if (reading.kind === "token") {
    return ok({ value: reading.token, until: usableUntil(now, reading.lifetimeMs) });
  }
  const detail = `${endpoint} ${hide(reading.detail)}`;
  if (reading.kind === "refused") return err(misconfigured(detail));
  const retryAfterMs = parseRetryAfterMs(headers.get("retry-after"), io.now());
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return err({ kind: "retryable", reason: "status", detail, ...wait });
}

function textOf(text: TextOrSecret, io: TargetIo): Result<string, Outcome> {
  return "secret" in text ? secretValue(text.secret, io) : ok(text.constant);
}

function endpointOf({ tokenUrl }: Oauth2): string {
  return `the token endpoint ${new URL(tokenUrl.url).host}`;
}
