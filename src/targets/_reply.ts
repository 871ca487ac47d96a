/**
 * Replies: a target may answer 200 with a CloudEvent, in binary or structured mode, which Sluice publishes on the rule's bus.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, section 3
 */
import { withData } from "../core/event-data.ts";
import type { DataProblem } from "../core/event-data.ts";
import type { CloudEvent } from "../core/event.ts";
import { decodeUtf8 } from "../core/event.ts";
import { readHeaderAttributes } from "../core/http-binding.ts";
import type { JsonFormatProblem } from "../core/json-format.ts";
import { readStructured } from "../core/json-format.ts";
import { bareMediaType } from "../core/media-type.ts";
import type { Reply } from "../core/outcome.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";

/** What every intermediary has to take (CloudEvents 1.0.2, section 5, "size limits"). */
export const REPLY_BYTES_MAX = 65_536;

const STRUCTURED = "application/cloudevents+json";

/** Whether the answer says that there is a CloudEvent in it, well-formed or not. */
export function claimsReply(status: number, headers: Pick<Headers, "get">): boolean {
  if (status !== 200) return false;
  return isCloudEventsType(headers) || headers.get("ce-specversion") !== null;
}

function isCloudEventsType(headers: Pick<Headers, "get">): boolean {
  return bareMediaType(headers.get("content-type")).startsWith("application/cloudevents");
}

/**
 * The reply in an answer that claims one, or why there is none to publish, in words that repeat no value. `body` may end
 * after `REPLY_BYTES_MAX + 1` bytes.
 */
export function readReply(
  headers: Headers,
  body: Uint8Array,
): { readonly reply: Reply } | { readonly ignoredReply: string } {
  const event = readReplyEvent(headers, body);
  if (event.ok) return { reply: { event: event.value } };
  return { ignoredReply: `the CloudEvent in the answer was not published: ${event.error}` };
}

/** All that a reply says, as it was sent and as it was read: to be searched. */
export function replyText({ event }: Reply, body: Uint8Array): string {
  const decoder = new TextDecoder();
  const data = event.body === null ? "" : decoder.decode(event.body);
  return [decoder.decode(body), data, ...Object.values(event.attributes).map(String)].join("\n");
}

function readReplyEvent(headers: Headers, body: Uint8Array): Result<CloudEvent, string> {
  if (body.length > REPLY_BYTES_MAX) return err(`its body has more than ${REPLY_BYTES_MAX} bytes`);
  if (isCloudEventsType(headers)) {
    if (bareMediaType(headers.get("content-type")) !== STRUCTURED) {
      return err(`a reply is one event, as ${STRUCTURED} or in binary mode`);
    }
    const text = decodeUtf8(body);
    if (text === null) return err(describeProblem({ reason: "invalid-utf8" }));
    const event = readStructured(text);
    return event.ok ? ok(event.value) : err(describeProblem(event.error));
  }
  const attributes = readHeaderAttributes(headers);
  if (!attributes.ok) return err(describeProblem({ reason: "invalid-event", ...attributes.error }));
  const event = withData(attributes.value, body);
  return event.ok ? ok(event.value) : err(describeProblem(event.error));
}

function describeProblem(problem: JsonFormatProblem | DataProblem): string {
  switch (problem.reason) {
    case "invalid-utf8":
      return "its body is not UTF-8";
    case "invalid-json":
      return `its JSON is malformed: ${problem.detail}`;
    case "json-too-deep":
      return `its JSON nests deeper than ${problem.depthMax} levels`;
    case "batch-too-large":
      return `it has more than ${problem.eventsMax} events`;
    case "invalid-event":
      return `its attribute ${problem.attribute}: ${problem.detail}`;
  }
}
