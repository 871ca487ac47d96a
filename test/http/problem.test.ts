import { describe, expect, it } from "vitest";
import type { Rejection, RejectionReason } from "../../src/core/rejection.ts";
import { describeRejection, problemResponse, rejectionResponse } from "../../src/http/problem.ts";

/** One rejection of each reason, with the status that it must have. A reason without an entry does not compile. */
const REJECTIONS: { readonly [Reason in RejectionReason]: readonly [Extract<Rejection, { reason: Reason }>, number] } =
  {
    "unknown-source": [{ reason: "unknown-source", source: "git<hub>" }, 404],
    "source-not-configured": [{ reason: "source-not-configured", secretNames: ["A_SECRET", "B_SECRET"] }, 503],
    "body-too-large": [{ reason: "body-too-large", bytesMax: 1_048_576 }, 413],
    "rules-need-too-much": [{ reason: "rules-need-too-much", bytesMax: 1_048_576 }, 413],
    "too-many-large-bodies": [{ reason: "too-many-large-bodies", retryAfterSeconds: 5 }, 503],
    "body-timeout": [{ reason: "body-timeout", timeoutMs: 5_000 }, 408],
    "body-unreadable": [{ reason: "body-unreadable" }, 400],
    "unsupported-content-type": [
      { reason: "unsupported-content-type", found: "text/plain", expected: ["application/json", "text/json"] },
      415,
    ],
    "unsupported-content-encoding": [{ reason: "unsupported-content-encoding", found: "gzip" }, 415],
    "malformed-gzip": [{ reason: "malformed-gzip" }, 400],
    "compression-ratio": [{ reason: "compression-ratio", ratioMax: 100 }, 413],
    "missing-header": [{ reason: "missing-header", header: "X-GitHub-Event" }, 400],
    "invalid-header": [{ reason: "invalid-header", header: "ce-id", detail: "it is empty" }, 400],
    "missing-signature": [{ reason: "missing-signature", header: "X-Hub-Signature-256" }, 401],
    "malformed-signature": [
      { reason: "malformed-signature", header: "X-Hub-Signature-256", detail: "expected sha256=" },
      400,
    ],
    "wrong-signature": [{ reason: "wrong-signature", header: "X-Hub-Signature-256" }, 401],
    "stale-timestamp": [{ reason: "stale-timestamp", toleranceSeconds: 300 }, 401],
    "wrong-challenge": [{ reason: "wrong-challenge", detail: "no token" }, 403],
    "invalid-payload": [{ reason: "invalid-payload", detail: "no id" }, 400],
    "missing-token": [{ reason: "missing-token" }, 401],
    "wrong-token": [{ reason: "wrong-token" }, 401],
    "invalid-utf8": [{ reason: "invalid-utf8" }, 400],
    "invalid-json": [{ reason: "invalid-json", detail: "the text ends too early" }, 400],
    "json-too-deep": [{ reason: "json-too-deep", depthMax: 64 }, 400],
    "invalid-form": [{ reason: "invalid-form", detail: "no payload" }, 400],
    "invalid-event": [{ reason: "invalid-event", attribute: "id", detail: "it is empty", index: 3 }, 400],
    "batch-too-large": [{ reason: "batch-too-large", eventsMax: 100 }, 413],
    "too-many-deliveries": [{ reason: "too-many-deliveries", deliveriesMax: 500 }, 500],
    conflict: [{ reason: "conflict", receipt: "evt_abc" }, 409],
    replayed: [{ reason: "replayed", receipt: "evt_abc" }, 409],
    "backlog-full": [{ reason: "backlog-full", retryAfterSeconds: 30 }, 503],
    "storage-unavailable": [{ reason: "storage-unavailable", retryAfterSeconds: 5 }, 503],
  };
const all = Object.values(REJECTIONS);

describe("a refusal", () => {
  it.each(all)("is a problem document: $reason", async (rejection, status) => {
    const response = rejectionResponse(rejection);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as Record<string, unknown>;
    expect(Object.keys(problem).toSorted()).toEqual(["detail", "status", "title", "type"]);
    expect(problem).toMatchObject({ type: `urn:sluice:problem:${rejection.reason}`, status });
    expect(problem["detail"]).toMatch(/^[A-Z].+[.?]$/s);
    // What a template left out would stand there like this.
    expect(JSON.stringify(problem)).not.toMatch(/undefined|\[object|NaN/);
  });

  it("has a title of its own for each reason", () => {
    expect(new Set(all.map(([rejection]) => describeRejection(rejection).title)).size).toBe(all.length);
  });

  it("tells the numbers, names and places that help", () => {
    const detailOf = (rejection: Rejection) => describeRejection(rejection).detail;
    expect(detailOf(REJECTIONS["unknown-source"][0])).toContain('"git<hub>"');
    expect(detailOf(REJECTIONS["source-not-configured"][0])).toContain("A_SECRET, B_SECRET");
    expect(detailOf(REJECTIONS["body-too-large"][0])).toContain("1048576 bytes");
    expect(detailOf(REJECTIONS["unsupported-content-type"][0])).toContain(
      'application/json or text/json, found "text/plain"',
    );
    expect(detailOf({ reason: "unsupported-content-type", found: "", expected: ["a/b"] })).toContain("found none");
    for (const reason of ["conflict", "replayed"] as const) {
      expect(detailOf(REJECTIONS[reason][0])).toContain("its receipt is evt_abc.");
    }
    expect(detailOf(REJECTIONS["invalid-event"][0])).toBe("Event 3 of the batch: id: it is empty.");
    expect(detailOf({ reason: "invalid-event", attribute: "id", detail: "it is empty" })).toBe("id: it is empty.");
  });

  it("says when to come back, what to send instead and how to authenticate", () => {
    const headersOf = (reason: RejectionReason) => rejectionResponse(REJECTIONS[reason][0]).headers;
    expect(headersOf("backlog-full").get("retry-after")).toBe("30");
    expect(headersOf("storage-unavailable").get("retry-after")).toBe("5");
    expect(headersOf("unsupported-content-encoding").get("accept-encoding")).toBe("identity");
    expect(headersOf("missing-token").get("www-authenticate")).toBe("Bearer");
    expect(headersOf("wrong-token").get("www-authenticate")).toBe('Bearer error="invalid_token"');
  });
});

describe("a problem of another kind", () => {
  it("is named by its caller, and its headers can't change what it is", async () => {
    const response = problemResponse("not-found", {
      status: 404,
      title: "Not found",
      detail: "There is nothing here.",
      headers: { "content-type": "text/html", allow: "GET" },
    });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("allow")).toBe("GET");
    expect(await response.json()).toEqual({
      type: "urn:sluice:problem:not-found",
      title: "Not found",
      status: 404,
      detail: "There is nothing here.",
    });
  });
});
