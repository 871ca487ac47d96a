/**
 * CloudEvents 1.0.2 over HTTP: binary, structured and batched. A source of this kind named `events` also answers `/events`.
 * References: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md and
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md (section 3, authorization).
 */
import entry from "#entry/sources/_cloudevents-entry.ts";
import { withData } from "../core/event-data.ts";
import { decodeUtf8, eventFingerprint } from "../core/event.ts";
import type { CloudEvent } from "../core/event.ts";
import { readHeaderAttributes } from "../core/http-binding.ts";
import { readBatch, readStructured } from "../core/json-format.ts";
import { bareMediaType, shownContentType } from "../core/media-type.ts";
import { orderKeyOf } from "../core/order-key.ts";
import type { Rejection } from "../core/rejection.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import type { Received, ReceivedEvent, Source, SourceContext, SourceRequest } from "../core/source.ts";
import { rightSecrets, setSecrets } from "./_auth.ts";
import type { CloudEventsConfig } from "./_cloudevents-entry.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";

const cloudevents: Source<CloudEventsConfig> = {
  kind: "cloudevents",
  ...entry(),

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
