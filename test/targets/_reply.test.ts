import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/result.ts";
import { REPLY_BYTES_MAX, claimsReply, readReply } from "../../src/targets/_reply.ts";
import { eventWith } from "../support/target-io.ts";

const STRUCTURED = { "content-type": "application/cloudevents+json; charset=utf-8" };
const BINARY = { "ce-specversion": "1.0", "ce-id": "r1", "ce-source": "/ci", "ce-type": "build.done" };
const EVENT = { specversion: "1.0", id: "r1", source: "/ci", type: "build.done" };

function replyOf(headers: Readonly<Record<string, string>>, body: string | Uint8Array) {
  return readReply(new Headers(headers), typeof body === "string" ? new TextEncoder().encode(body) : body);
}

function structured(event: Json) {
  return replyOf(STRUCTURED, JSON.stringify(event));
}

describe("an answer claims a reply", () => {
  it("by its content type or by ce-specversion, with 200 exactly", () => {
    for (const headers of [STRUCTURED, BINARY, { "content-type": "Application/CloudEvents-Batch+JSON" }]) {
      expect(claimsReply(200, new Headers(headers))).toBe(true);
      for (const status of [201, 202, 204, 299, 301, 404, 500])
        expect(claimsReply(status, new Headers(headers))).toBe(false);
    }
  });
  it("in no other way", () => {
    for (const headers of [{}, { "content-type": "application/json" }, { "ce-id": "r1", "ce-type": "t" }]) {
      expect(claimsReply(200, new Headers(headers))).toBe(false);
    }
  });
});

describe("a reply", () => {
  it("in structured mode keeps its data as it was written", () => {
    expect(
      replyOf(STRUCTURED, '{"specversion":"1.0","id":"r1","source":"/ci","type":"build.done","data":{ "n": 1.0 }}'),
    ).toEqual({
      reply: { event: { attributes: EVENT, body: new TextEncoder().encode('{ "n": 1.0 }') } },
    });
  });

  it("in binary mode has its attributes in headers and its data in the body", () => {
    const headers = { ...BINARY, "ce-subject": "gr%C3%BCn", "content-type": "text/plain", "x-other": "y" };
    expect(replyOf(headers, "done")).toEqual({
      reply: {
        event: {
          attributes: { ...EVENT, subject: "grün", datacontenttype: "text/plain" },
          body: new TextEncoder().encode("done"),
        },
      },
    });
    expect(replyOf(BINARY, "")).toEqual({ reply: { event: { attributes: EVENT, body: null } } });
  });

  it("has at most 64 KiB", () => {
    const binary = { ...BINARY, "content-type": "application/octet-stream" };
    expect(replyOf(binary, new Uint8Array(REPLY_BYTES_MAX))).toHaveProperty("reply");
    expect(replyOf(binary, new Uint8Array(REPLY_BYTES_MAX + 1))).toEqual({
      ignoredReply: "the CloudEvent in the answer was not published: its body has more than 65536 bytes",
    });
  });

  const wrong: readonly (readonly [what: string, answer: () => unknown, why: string])[] = [
    [
      "is a batch",
      () => replyOf({ "content-type": "application/cloudevents-batch+json" }, "[]"),
      "a reply is one event",
    ],
    [
      "is in another format",
      () => replyOf({ "content-type": "application/cloudevents+avro" }, "x"),
      "a reply is one event",
    ],
    ["is not UTF-8", () => replyOf(STRUCTURED, new Uint8Array([0xff])), "not UTF-8"],
    ["is not JSON", () => replyOf(STRUCTURED, "{"), "its JSON is malformed: "],
    ["is a list", () => structured([EVENT]), "expected an object, a CloudEvent"],
    ["nests too deep", () => replyOf(STRUCTURED, `${"[".repeat(70)}${"]".repeat(70)}`), "nests deeper than 65 levels"],
    ["lacks an id", () => structured({ ...EVENT, id: null }), "its attribute id: it is required and missing"],
    [
      "has data that it says is JSON",
      () => replyOf({ ...BINARY, "content-type": "application/json" }, "{"),
      "malformed",
    ],
    ["has a malformed header", () => replyOf({ ...BINARY, "ce-subject": "%ff" }, ""), "its attribute subject: "],
    ["is of another version", () => replyOf({ ...BINARY, "ce-specversion": "0.3" }, ""), "its attribute specversion: "],
  ];
  it.each(wrong)("that %s is ignored, with the reason", (_what, answer, why) => {
    expect(answer()).toEqual({ ignoredReply: expect.stringContaining(why) });
  });

  it("that is ignored is never quoted", () => {
    const secret = "hunter2hunter2";
    for (const answer of [
      structured({ ...EVENT, time: secret }),
      replyOf({ ...BINARY, "ce-time": secret }, ""),
      replyOf({ ...BINARY, "content-type": "application/json" }, secret),
      replyOf(STRUCTURED, secret),
    ]) {
      expect(answer).toHaveProperty("ignoredReply");
      expect(JSON.stringify(answer)).not.toContain(secret);
    }
  });

  it("reads back any event that Sluice sends", () => {
    const { attributes } = eventWith("{}", { sluicehops: 3 });
    expect(structured({ ...attributes, data: {} })).toEqual({
      reply: { event: { attributes, body: new TextEncoder().encode("{}") } },
    });
  });
});
