/**
 * Delivers to an HTTP endpoint: one POST per attempt, as a CloudEvent or as the vendor's webhook, signed on request.
 * An answer of 200 with a CloudEvent in it is a reply, which goes on to the bus.
 *
 * ```yaml
 * ci:
 *   http: https://ci.example.com/hooks
 *   local: print                      # instead of the URL under `npm start`: print, or a URL
 *   format: binary                    # binary (default) | structured | raw
 *   headers: { Authorization: { secret: CI_TOKEN }, X-Team: build }
 *   sign: CI_SIGNING_SECRET           # or a list, to sign with several
 * ```
 */
import type { Outcome } from "../core/outcome.ts";
import { formatDuration, readBindingName, readList, readMembers, readOneOf } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Shipment, Target, TargetIo } from "../core/target.ts";
import { answerText, readAnswerBytes } from "./_answer-body.ts";
import { ANSWER_BYTES_MAX, outcomeOfAnswer } from "./_answer.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure, holdsSecret, redact, withoutControls } from "./_failure-text.ts";
import { headerValueProblem, readHeaders } from "./_headers.ts";
import type { TargetHeader } from "./_headers.ts";
import { FORMATS, encodeContent, headersProblem } from "./_http-content.ts";
import type { HttpFormat } from "./_http-content.ts";
import { REPLY_BYTES_MAX, claimsReply, readReply, replyText } from "./_reply.ts";
import { signingKey, webhookSignature } from "./_standard-webhooks.ts";
import { readTargetUrl } from "./_url.ts";
import type { TargetUrl } from "./_url.ts";

export const SIGNING_SECRETS_MAX = 3;

const USER_AGENT = "Sluice/1";

const REPEATED_SECRET = "the CloudEvent in the answer was not published: it repeats a secret that the request carried";

export interface HttpConfig {
  readonly target: TargetUrl;
  readonly local: TargetUrl | "print" | undefined;
  readonly format: HttpFormat;
  readonly headers: readonly TargetHeader[];
  readonly signingSecrets: readonly string[];
}

const readLocal: Reader<TargetUrl | "print"> = (value, path, mistakes) =>
  value === "print" ? "print" : readTargetUrl(value, path, mistakes);

const readSigningSecrets: Reader<readonly string[]> = (value, path, mistakes) => {
  if (Array.isArray(value)) return readList(readBindingName, SIGNING_SECRETS_MAX)(value, path, mistakes);
  const name = readBindingName(value, path, mistakes);
  return name === undefined ? undefined : [name];
};

function parse(entry: JsonObject): Result<HttpConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(
    entry,
    [],
    {
      http: readTargetUrl,
      local: readLocal,
      format: readOneOf(FORMATS),
      headers: readHeaders,
      sign: readSigningSecrets,
    },
    mistakes,
  );
  if (!Object.hasOwn(entry, "http")) mistakes.push({ path: [], message: "expected the target's URL under http" });
  if (read.http === undefined || mistakes.length > 0) return err(mistakes);
  return ok({
    target: read.http,
    local: read.local,
    format: read.format ?? "binary",
    headers: read.headers ?? [],
    signingSecrets: read.sign ?? [],
  });
}

function secretNames(config: HttpConfig): readonly string[] {
  const inHeaders = config.headers.flatMap((header) => ("secret" in header ? [header.secret] : []));
  return [...new Set([...config.signingSecrets, ...inHeaders])];
}

function localOnly(config: HttpConfig): readonly string[] {
  if (!config.target.isLoopback) return [];
  return [`its URL names this machine (${new URL(config.target.url).host}), which nothing deployed can reach`];
}

/** A request ready to be sent, and what of it must not appear in any record. */
interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly secrets: readonly string[];
}

async function send(shipment: Shipment, config: HttpConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const signal = io.timeoutSignal(timeoutMs);
  const prepared = prepareRequest(shipment, config, io);
  if (!prepared.ok) return prepared.error;
  const request = prepared.value;
  const late = `no complete answer within ${formatDuration(timeoutMs)}`;

  let response: Response;
  try {
    const { url, headers } = request;
    // Events never hold shared memory, which is all that this type excludes.
    const body = request.body as Uint8Array<ArrayBuffer>;
    // "error" would throw in workerd, and following would turn a POST into a GET without its body.
    const init = { method: "POST", headers, body, redirect: "manual", signal } as const;
    const timed = await beforeDeadline(io.fetch(url, init), signal, cancelBody);
    if (timed.late) return { kind: "retryable", reason: "timeout", detail: late };
    response = timed.value;
  } catch (error) {
    return failed(error, request, late);
  }

  const { status, headers } = response;
  const clean = (text: string): string => redact(withoutControls(text), request.secrets);
  try {
    const hasReply = claimsReply(status, headers);
    const body = await readAnswerBytes(response, hasReply ? REPLY_BYTES_MAX + 1 : ANSWER_BYTES_MAX, signal);
    if (body.late) return { kind: "retryable", reason: "timeout", detail: late, answer: { status } };
    const location = headers.get("location");
    const shown = location === null ? undefined : clean(location);
    const answer = { status, headers, location: shown, body: clean(answerText(body.value)) };
    const outcome = outcomeOfAnswer(answer, io.now());
    if (outcome.kind !== "delivered" || !hasReply) return outcome;
    const read = readReply(headers, body.value);
    if ("ignoredReply" in read) return { ...outcome, ignoredReply: clean(read.ignoredReply) };
    // A target that echoes what it got would have Sluice store the secret and hand it on to whoever wants the reply.
    const repeats = holdsSecret(replyText(read.reply, body.value), request.secrets);
    return { ...outcome, ...(repeats ? { ignoredReply: REPEATED_SECRET } : read) };
  } catch (error) {
    return { ...failed(error, request, late), answer: { status } };
  }
}

/** A fetch that failed: by its deadline where the runtime says so itself, else by the network. */
function failed(error: unknown, request: HttpRequest, late: string): Outcome & { readonly kind: "retryable" } {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError" || name === "AbortError") return { kind: "retryable", reason: "timeout", detail: late };
  const { pathname, search } = new URL(request.url);
  const detail = describeFailure(error, [...request.secrets, pathname + search, search.slice(1)]);
  return { kind: "retryable", reason: "network", detail: `the request failed: ${detail}` };
}

function cancelBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

function prepareRequest(shipment: Shipment, config: HttpConfig, io: TargetIo): Result<HttpRequest, Outcome> {
  const url = destination(config, io);
  if (!url.ok) return url;
  const custom = customHeaders(config, io);
  if (!custom.ok) return custom;
  const signing = signingKeys(config, io);
  if (!signing.ok) return signing;

  const content = encodeContent(shipment, config.format);
  const headers = new Map([...content.headers, ["user-agent", USER_AGENT], ...custom.value.headers]);
  const timestampSeconds = Math.floor(io.now() / 1_000);
  headers.set("webhook-id", shipment.deliveryId);
  headers.set("webhook-timestamp", String(timestampSeconds));
  const secrets = [...custom.value.secrets, ...signing.value.secrets];
  if (signing.value.keys.length > 0) {
    const signed = { id: shipment.deliveryId, timestampSeconds, body: content.body };
    const signature = webhookSignature(signed, signing.value.keys, io.hashing);
    headers.set("webhook-signature", signature);
    secrets.push(...signature.split(" "));
  }
  const problem = headersProblem(headers);
  if (problem !== undefined) return err({ kind: "permanent", ...problem });
  return ok({ url: url.value, headers: Object.fromEntries(headers), body: content.body, secrets });
}

function destination(config: HttpConfig, io: TargetIo): Result<string, Outcome> {
  if (io.local === undefined) {
    const problem = localOnly(config)[0];
    return problem === undefined ? ok(config.target.url) : err(misconfigured(problem));
  }
  if (config.local === "print") return ok(io.local.printUrl);
  return ok((config.local ?? config.target).url);
}

interface CustomHeaders {
  readonly headers: readonly (readonly [string, string])[];
  readonly secrets: readonly string[];
}

function customHeaders(config: HttpConfig, io: TargetIo): Result<CustomHeaders, Outcome> {
  const headers: (readonly [string, string])[] = [];
  const secrets: string[] = [];
  for (const header of config.headers) {
    if ("constant" in header) {
      headers.push([header.name, header.constant]);
      continue;
    }
    const value = secretValue(header.secret, io);
    if (!value.ok) return value;
    const problem = headerValueProblem(value.value);
    if (problem !== undefined) {
      return err(misconfigured(`the secret ${header.secret} can't be sent as ${header.name}: it ${problem}`));
    }
    headers.push([header.name, value.value]);
    secrets.push(value.value);
  }
  return ok({ headers, secrets });
}

interface SigningKeys {
  readonly keys: readonly Uint8Array[];
  readonly secrets: readonly string[];
}

function signingKeys(config: HttpConfig, io: TargetIo): Result<SigningKeys, Outcome> {
  const keys: Uint8Array[] = [];
  const secrets: string[] = [];
  for (const name of config.signingSecrets) {
    const secret = secretValue(name, io);
    if (!secret.ok) return secret;
    const key = signingKey(secret.value);
    if (!key.ok) return err(misconfigured(`the secret ${name} ${key.error}`));
    keys.push(key.value);
    secrets.push(secret.value);
  }
  return ok({ keys, secrets });
}

function secretValue(name: string, io: TargetIo): Result<string, Outcome> {
  const value = io.secret(name);
  return value === undefined || value === "" ? err(misconfigured(`the secret ${name} is not set`)) : ok(value);
}

function misconfigured(detail: string): Outcome {
  return { kind: "permanent", reason: "configuration", detail };
}

const http: Target<HttpConfig> = {
  kind: "http",
  summary: "POSTs events to an HTTP endpoint as CloudEvents or as the original webhook.",
  parse,
  secretNames,
  queueBindings: () => [],
  urls: (config) => [config.target.url],
  localOnly,
  send,
};

export default http;
