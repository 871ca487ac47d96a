/**
 * CloudEvents 1.0.2 over HTTP: binary, structured and batched. A source of this kind named `events` also answers `/events`.
 * References: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md and
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md (section 3, authorization).
 */
import { withData } from "../core/event-data.ts";
import type { CloudEvent } from "../core/event.ts";
import { decodeUtf8, eventFingerprint } from "../core/event.ts";
import { readHeaderAttributes } from "../core/http-binding.ts";
import { readBatch, readStructured } from "../core/json-format.ts";
import { bareMediaType, shownContentType } from "../core/media-type.ts";
import { orderKeyOf } from "../core/order-key.ts";
import type { Reader } from "../core/read-object.ts";
import { isMisspelt, readMembers } from "../core/read-object.ts";
import { membersSchema, withSchema } from "../core/reader-schema.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Mistake, Result } from "../core/result.ts";
import { err, isJsonObject, ok } from "../core/result.ts";
import type { Received, ReceivedEvent, Source, SourceContext, SourceRequest } from "../core/source.ts";
import { readSecretNames, rightSecrets, setSecrets } from "./_auth.ts";

export type CloudEventsConfig =
  | { readonly auth: "none" }
  | { readonly auth: "bearer"; readonly secretNames: readonly string[] };

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";

const AUTH_READERS = { bearer: readSecretNames };

const readAuth: Reader<CloudEventsConfig> = withSchema(
  (value, path, mistakes) => {
    if (value === "none") return { auth: "none" };
    if (!isJsonObject(value)) {
      // Never repeats what was found: it may be a token in the wrong place.
      mistakes.push({ path, message: "expected none or { bearer: [NAME, …] }" });
      return undefined;
    }
    const { bearer } = readMembers(value, path, AUTH_READERS, mistakes);
    const isSlip = isMisspelt("bearer", value, Object.keys(AUTH_READERS));
    if (!Object.hasOwn(value, "bearer") && !isSlip)
      mistakes.push({ path, message: "expected bearer: [NAME, …], found nothing" });
    return bearer === undefined ? undefined : { auth: "bearer", secretNames: bearer };
  },
  {
    description: "Who may send: { bearer: [INGEST_TOKEN] } asks for a token, none lets anyone.",
    anyOf: [membersSchema(AUTH_READERS, { required: ["bearer"] }), { enum: ["none"] }],
  },
);

const READERS = { auth: readAuth };

const cloudevents: Source<CloudEventsConfig> = {
  kind: "cloudevents",
  summary: "CloudEvents 1.0 over HTTP: binary, structured or batched, with a bearer token",
  schema: membersSchema(READERS, { required: ["auth"] }),

  parse(entry) {
    const mistakes: Mistake[] = [];
    const { auth } = readMembers(entry, [], READERS, mistakes);
    if (!Object.hasOwn(entry, "auth") && !isMisspelt("auth", entry, Object.keys(READERS))) {
      mistakes.push({ path: [], message: "expected auth: { bearer: [NAME, …] } or auth: none, found neither" });
    }
    return auth === undefined || mistakes.length > 0 ? err(mistakes) : ok(auth);
  },

  secretNames: (config) => (config.auth === "none" ? [] : config.secretNames),

  isOpen: (config) => config.auth === "none",

  receive(request, config, _sourceName, context) {
    const authenticated = authenticate(request.headers, config, context);
    if (!authenticated.ok) return authenticated;
    const read = readEvents(request, context);
    return read.ok ? ok({ ...read.value, ...authenticated.value }) : read;
  },
};

export default cloudevents;

function authenticate(
  headers: Headers,
  config: CloudEventsConfig,
  context: SourceContext,
): Result<Pick<Received, "verifiedBy">, Rejection> {
  if (config.auth === "none") return ok({});
  const tokens = setSecrets(config.secretNames, context);
  if (tokens.length === 0) return err({ reason: "source-not-configured", secretNames: config.secretNames });
  // RFC 6750, section 2.1; the scheme's name has no case (RFC 9110, section 11.1).
  const sent = /^bearer +([^\s]+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (sent === undefined) return err({ reason: "missing-token" });
  const { sha256, equalBytes } = context.hashing;
  const sentHash = sha256(sent);
  // Hashes are of one length: the time doesn't tell a token's.
  const verifiedBy = rightSecrets(tokens, (token) => equalBytes(sha256(token), sentHash));
  return verifiedBy.length > 0 ? ok({ verifiedBy }) : err({ reason: "wrong-token" });
}

/** HTTP binding, section 3: the content type tells the mode. */
function readEvents(request: SourceRequest, context: SourceContext): Result<Received, Rejection> {
  const contentType = request.headers.get("content-type");
  const mediaType = bareMediaType(contentType);
  if (mediaType === STRUCTURED || mediaType === BATCH) return readJsonMode(request.body, mediaType, context);
  if (mediaType.startsWith("application/cloudevents")) {
    const found = shownContentType(contentType);
    return err({ reason: "unsupported-content-type", found, expected: [STRUCTURED, BATCH] });
  }
  if (!request.headers.has("ce-specversion")) return err({ reason: "missing-header", header: "ce-specversion" });
  const attributes = readHeaderAttributes(request.headers);
  if (!attributes.ok) return err({ reason: "invalid-event", ...attributes.error });
  const event = withData(attributes.value, request.body);
  return event.ok ? ok({ events: [received(event.value, context)], batch: false }) : event;
}

function readJsonMode(
  body: Uint8Array,
  mediaType: typeof STRUCTURED | typeof BATCH,
  context: SourceContext,
): Result<Received, Rejection> {
  const text = decodeUtf8(body);
  if (text === null) return err({ reason: "invalid-utf8" });
  if (mediaType === STRUCTURED) {
    const event = readStructured(text);
    return event.ok ? ok({ events: [received(event.value, context)], batch: false }) : event;
  }
  const events = readBatch(text);
  return events.ok ? ok({ events: events.value.map((event) => received(event, context)), batch: true }) : events;
}

/** The key is part of the identity, so every repeat meets its first arrival (docs/decisions/0005). */
function received(event: CloudEvent, context: SourceContext): ReceivedEvent {
  return {
    event,
    fingerprint: eventFingerprint(event, context.hashing.sha256),
    key: event.attributes.source,
    orderKey: orderKeyOf(event.attributes),
    rawHeaders: {},
  };
}
