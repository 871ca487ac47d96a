/**
 * Refusals as RFC 9457 problem documents. The only place that maps a reason to a status: a new reason does not compile until
 * it has one. `type` is stable, so that a sender's code can tell refusals apart.
 */
import type { Rejection } from "../core/rejection.ts";
import { isUnauthenticated } from "../core/rejection.ts";

/** Somebody has to set a secret first. */
const NOT_CONFIGURED_RETRY_AFTER_SECONDS = 60;

const TYPE_BASE = "urn:sluice:problem:";

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the sender is told. Says nothing that helps to guess a secret. */
export function describeRejection(rejection: Rejection): Problem {
  switch (rejection.reason) {
    case "unknown-source":
      return problem(
        404,
        "Unknown source",
        `No source named ${JSON.stringify(rejection.source)} stands in rules/sources.yaml.`,
      );
    case "source-not-configured":
      return problem(
        503,
        "Source not configured",
        `${rejection.expected === undefined ? "None of the source's secrets is set" : `None of the source's secrets is ${rejection.expected}`}: ${rejection.secretNames.join(", ")}. Set one with \`wrangler secret put\`, or in .dev.vars for a local run.`,
        { "retry-after": String(NOT_CONFIGURED_RETRY_AFTER_SECONDS) },
      );
    case "body-too-large":
      return problem(
        413,
        "Body too large",
        `The body is over the limit of ${rejection.bytesMax} bytes.${rejection.hint === undefined ? "" : ` ${rejection.hint}.`}`,
      );
    case "rules-need-too-much":
      return problem(
        413,
        "Rules need too much",
        `The body is too large to be matched as a whole, and what the rules' patterns name of it is over ${rejection.bytesMax} bytes: name smaller fields in them.`,
      );
    case "too-many-large-bodies":
      return problem(
        503,
        "Too many large bodies",
        "Too many large bodies are being received at this moment. Nothing of this request was accepted.",
        { "retry-after": String(rejection.retryAfterSeconds) },
      );
    case "body-timeout":
      return problem(408, "Body too slow", `The body did not arrive within ${rejection.timeoutMs} ms.`);
    case "body-unreadable":
      return problem(400, "Body unreadable", "The body ended before it was complete.");
    case "unsupported-content-type":
      return problem(
        415,
        "Unsupported content type",
        `Expected ${rejection.expected.join(" or ")}, found ${rejection.found === "" ? "none" : JSON.stringify(rejection.found)}${rejection.hint === undefined ? "" : `; ${rejection.hint}`}.`,
      );
    case "unsupported-content-encoding":
      return problem(
        415,
        "Compressed body",
        `The body has the content encoding ${JSON.stringify(rejection.found)}; send it ${rejection.takesGzip === true ? "uncompressed or with gzip" : "uncompressed"}.`,
        { "accept-encoding": rejection.takesGzip === true ? "gzip, identity" : "identity" },
      );
    case "malformed-gzip":
      return problem(400, "Malformed gzip", "The body is not one complete gzip member with nothing after it.");
    case "compression-ratio":
      return problem(
        413,
        "Compressed too far",
        `The body decompresses to more than ${rejection.ratioMax} times its size; send it uncompressed.`,
      );
    case "missing-header":
      return problem(400, "Missing header", `${placeIn(rejection.header)} is missing.`);
    case "invalid-header":
      return problem(400, "Invalid header", `${placeIn(rejection.header)} is invalid: ${rejection.detail}.`);
    case "missing-signature":
      return problem(
        401,
        "Missing signature",
        `${placeIn(rejection.header)} is missing: is a secret set at the sender?`,
      );
    case "malformed-signature":
      return problem(400, "Malformed signature", `${placeIn(rejection.header)} is malformed: ${rejection.detail}.`);
    case "wrong-signature":
      return problem(401, "Wrong signature", `The signature in ${rejection.header} fits none of the source's secrets.`);
    case "stale-timestamp":
      return problem(
        401,
        "Stale timestamp",
        `The request was signed more than ${rejection.toleranceSeconds} seconds ago or ahead; sign it anew, and check the clock.`,
      );
    case "wrong-challenge":
      return problem(403, "Wrong challenge", `The verification request is not right: ${rejection.detail}.`);
    case "missing-token":
      return problem(401, "Missing token", "Send the header Authorization: Bearer <token>.", {
        "www-authenticate": "Bearer",
      });
    case "wrong-token":
      return problem(401, "Wrong token", "The bearer token is none of the source's tokens.", {
        "www-authenticate": 'Bearer error="invalid_token"',
      });
    case "invalid-utf8":
      return problem(400, "Invalid UTF-8", "The text is not UTF-8.");
    case "invalid-json":
      return problem(400, "Invalid JSON", `The body is not valid JSON: ${rejection.detail}.`);
    case "json-too-deep":
      return problem(400, "JSON too deep", `The JSON nests deeper than ${rejection.depthMax} levels.`);
    case "invalid-form":
      return problem(400, "Invalid form", `The form-encoded body is invalid: ${rejection.detail}.`);
    case "invalid-payload":
      return problem(400, "Invalid payload", `The payload is not one of this vendor's: ${rejection.detail}.`);
    case "invalid-event":
      return problem(
        400,
        "Invalid CloudEvent",
        `${rejection.index === undefined ? "" : `Event ${rejection.index} of the batch: `}${rejection.attribute}: ${rejection.detail}.`,
      );
    case "batch-too-large":
      return problem(413, "Batch too large", `A batch holds at most ${rejection.eventsMax} events.`);
    case "conflict":
      return problem(
        409,
        "Conflict",
        `An event with this source and id was accepted before, with other content; its receipt is ${rejection.receipt}.`,
      );
    case "replayed":
      return problem(
        409,
        "Replayed",
        `The same signed content was accepted before under another id; its receipt is ${rejection.receipt}.`,
      );
    case "too-many-deliveries":
      return problem(
        500,
        "Fan-out too large",
        `An event may go to at most ${rejection.deliveriesMax} targets; more rules matched this one.`,
      );
    case "backlog-full":
      return problem(
        503,
        "Backlog full",
        "Deliveries are too far behind to accept more. Nothing of this request was accepted.",
        { "retry-after": String(rejection.retryAfterSeconds) },
      );
    case "storage-unavailable":
      return problem(
        503,
        "Storage unavailable",
        "The event could not be stored in time, so it is not acknowledged. Send it again.",
        { "retry-after": String(rejection.retryAfterSeconds) },
      );
  }
}

function problem(status: number, title: string, detail: string, headers?: Readonly<Record<string, string>>): Problem {
  return headers === undefined ? { status, title, detail } : { status, title, detail, headers };
}

/** `unauthenticatedStatus` takes the place of 400 and 401 where a vendor insists on one. */
export function rejectionResponse(rejection: Rejection, unauthenticatedStatus?: number): Response {
  const described = describeRejection(rejection);
  const isOther = unauthenticatedStatus !== undefined && isUnauthenticated(rejection);
  return problemResponse(rejection.reason, isOther ? { ...described, status: unauthenticatedStatus } : described);
}

/** A problem document; `name` ends its `type`. */
export function problemResponse(name: string, { status, title, detail, headers }: Problem): Response {
  return Response.json(
    { type: TYPE_BASE + name, title, status, detail },
    { status, headers: { ...headers, "content-type": "application/problem+json" } },
  );
}

export function onlyPost(): Response {
  return problemResponse("method-not-allowed", {
    status: 405,
    title: "Method not allowed",
    detail: "This address takes POST, and OPTIONS for the CloudEvents validation handshake.",
    headers: { allow: "POST, OPTIONS" },
  });
}

/** Values may also stand in the query or in the body: `shownPlace` in src/core/signed-values.ts. */
function placeIn(header: string): string {
  if (header.startsWith("?")) return `The query parameter ${header.slice(1, -1)}`;
  return header.startsWith("body:") ? `The body's member ${header.slice("body:".length)}` : `The header ${header}`;
}
