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
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Shipment, Target, TargetIo } from "../core/target.ts";
import { answerText, readAnswerBytes } from "./_answer-body.ts";
import { ANSWER_BYTES_MAX, outcomeOfAnswer } from "./_answer.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure, holdsSecret, redact, withoutControls } from "./_failure-text.ts";
import { readHeaders } from "./_headers.ts";
import { FORMATS } from "./_http-content.ts";
import { HTTP_METHOD, localOnly, prepareRequest, previewRequest } from "./_http-request.ts";
import type { HttpConfig, HttpRequest } from "./_http-request.ts";
import { REPLY_BYTES_MAX, claimsReply, readReply, replyText } from "./_reply.ts";
import { TARGET_URL_SCHEMA, readTargetUrl } from "./_url.ts";
import type { TargetUrl } from "./_url.ts";

export const SIGNING_SECRETS_MAX = 3;

const REPEATED_SECRET = "the CloudEvent in the answer was not published: it repeats a secret that the request carried";

const readLocal: Reader<TargetUrl | "print"> = withSchema(
  (value, path, mistakes) => (value === "print" ? "print" : readTargetUrl(value, path, mistakes)),
  { anyOf: [{ enum: ["print"] }, TARGET_URL_SCHEMA] },
);

const readSigningList = readList(readBindingName, SIGNING_SECRETS_MAX);

const readSigningSecrets: Reader<readonly string[]> = withSchema(
  (value, path, mistakes) => {
    if (Array.isArray(value)) return readSigningList(value, path, mistakes);
    const name = readBindingName(value, path, mistakes);
    return name === undefined ? undefined : [name];
  },
  { ...readSigningList.schema, ...readBindingName.schema, type: ["string", "array"] },
);

const READERS = {
  http: described(readTargetUrl, "The endpoint's URL, https; plain http is for this machine only."),
  local: described(readLocal, "Where npm start delivers instead: a URL, or print to show it in the terminal."),
  format: described(
    readOneOf(FORMATS),
    "binary: CloudEvents headers and the payload as body. structured: the whole CloudEvent as JSON. raw: as the vendor sent it.",
    { default: "binary" },
  ),
  headers: described(readHeaders, "Headers of the request: a value, or { secret: NAME } for the value of a secret."),
  sign: described(readSigningSecrets, "The secret to sign with (Standard Webhooks), or a list of them.", {
    examples: ["CI_SIGNING_SECRET"],
  }),
};

function parse(entry: JsonObject): Result<HttpConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
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
    const init = { method: HTTP_METHOD, headers, body, redirect: "manual", signal } as const;
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

const http: Target<HttpConfig> = {
  kind: "http",
  summary: "POSTs events to an HTTP endpoint as CloudEvents or as the original webhook.",
  schema: membersSchema(READERS, { required: ["http"] }),
  parse,
  secretNames,
  queueBindings: () => [],
  urls: (config) => [config.target.url],
  localOnly,
  preview: (shipment, config, { local }) => previewRequest(shipment, config, local),
  send,
};

export default http;
