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
import { readBindingName, readList, readMembers, readOneOf } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Shipment, Target, TargetIo } from "../core/target.ts";
import { ANSWER_BYTES_MAX, outcomeOfAnswer } from "./_answer.ts";
import { holdsSecret } from "./_failure-text.ts";
import { readHeaders } from "./_headers.ts";
import { FORMATS } from "./_http-content.ts";
import { cleanText, exchange, shownAnswer } from "./_http-exchange.ts";
import type { AnswerHead } from "./_http-exchange.ts";
import { localOnly, prepareRequest, previewRequest } from "./_http-request.ts";
import type { HttpConfig } from "./_http-request.ts";
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
  const hasReply = ({ status, headers }: AnswerHead): boolean => claimsReply(status, headers);
  const bytesMax = (head: AnswerHead): number => (hasReply(head) ? REPLY_BYTES_MAX + 1 : ANSWER_BYTES_MAX);
  const exchanged = await exchange(request, { signal, timeoutMs, bytesMax }, io);
  if (!exchanged.ok) return exchanged.error;
  const answer = exchanged.value;
  const outcome = outcomeOfAnswer(shownAnswer(answer, request), io.now());
  if (outcome.kind !== "delivered" || !hasReply(answer)) return outcome;
  const read = readReply(answer.headers, answer.bytes);
  if ("ignoredReply" in read) return { ...outcome, ignoredReply: cleanText(read.ignoredReply, request) };
  // A target that echoes what it got would have Sluice store the secret and hand it on to whoever wants the reply.
  const repeats = holdsSecret(replyText(read.reply, answer.bytes), request.secrets);
  return { ...outcome, ...(repeats ? { ignoredReply: REPEATED_SECRET } : read) };
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
