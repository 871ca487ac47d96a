import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { Preview } from "../../src/core/target.ts";
import { HOPS_MAX } from "../../src/core/hops.ts";
import { REQUEST_HEADERS_BYTES_MAX } from "../../src/targets/_http-content.ts";
import bus from "../../src/targets/bus.ts";
import http from "../../src/targets/http.ts";
import queue, { QUEUE_MESSAGE_BYTES_MAX } from "../../src/targets/queue.ts";
import { LOCAL, eventWith, shipmentOf } from "../support/target-io.ts";

const URL_GIVEN = "https://ci.example.com/hooks?team=build";

function previewHttp(entry: JsonObject, local: typeof LOCAL | undefined, event = eventWith("{}")): Preview {
  const parsed = http.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return http.preview(shipmentOf(event), parsed.value, { local });
}

describe("the preview of an HTTP target", () => {
  it.each([
    [{ http: URL_GIVEN }, undefined, URL_GIVEN],
    [{ http: URL_GIVEN, local: "print" }, undefined, URL_GIVEN],
    [{ http: URL_GIVEN, local: "print" }, LOCAL, LOCAL.printUrl],
    [{ http: URL_GIVEN, local: "http://localhost:3000/x" }, LOCAL, "http://localhost:3000/x"],
    [{ http: URL_GIVEN }, LOCAL, URL_GIVEN],
  ])("of %j under %j goes to %s", (entry, local, url) => {
    const preview = previewHttp(entry, local);
    expect(preview).toMatchObject({ action: `POST ${url}`, method: "POST", url });
    expect(preview).not.toHaveProperty("problem");
  });

  it("says that nothing deployed reaches this machine, and nothing of it in local mode", () => {
    const entry = { http: "http://localhost:3000/" };
    expect(previewHttp(entry, undefined).problem).toMatch(/^its URL names this machine \(localhost:3000\)/);
    expect(previewHttp(entry, LOCAL)).not.toHaveProperty("problem");
  });

  it("says which header can't be sent, and when there is too much of them", () => {
    const entry = { http: URL_GIVEN, headers: { "X-Key": { secret: "KEY" } } };
    const long = eventWith("{}", { subject: "x".repeat(REQUEST_HEADERS_BYTES_MAX) });
    expect(previewHttp(entry, undefined, long).problem).toMatch(/^the headers have \d+ bytes, the limit is 120000/);
    const bad = eventWith("{}", { datacontenttype: "text/\nplain" });
    expect(previewHttp(entry, undefined, bad).problem).toBe(
      "the event's value for the header content-type can't be sent in a header",
    );
  });
});

describe("the preview of a queue target", () => {
  const previewOf = (chars: number) =>
    queue.preview(
      shipmentOf(eventWith("x".repeat(chars), { datacontenttype: "text/plain" })),
      { binding: "AUDIT" },
      {
        local: undefined,
      },
    );

  it("is its message", () => {
    const { body, ...rest } = queue.preview(
      shipmentOf(eventWith('{"a":1}')),
      { binding: "AUDIT" },
      { local: undefined },
    );
    expect(rest).toEqual({ action: "send to queue AUDIT", headers: {} });
    expect(new TextDecoder().decode(body ?? undefined)).toMatch(
      /^\{"specversion".*"deliveryid":"msg_.*"data":\{"a":1\}\}$/,
    );
  });

  it("refers to its data where the message would be one byte too large", () => {
    const room = QUEUE_MESSAGE_BYTES_MAX - 100 - (previewOf(0).body?.length ?? 0);
    const shown = (bytes: number) => new TextDecoder().decode(previewOf(bytes).body ?? undefined);
    expect(shown(room)).not.toContain("dataref");
    expect(shown(room + 1)).toContain('"dataref":"<claimed when sent>"');
    expect(previewOf(room + 1)).not.toHaveProperty("problem");
  });

  it("has a problem where even its attributes are too large", () => {
    const event = eventWith("a", { subject: "s".repeat(QUEUE_MESSAGE_BYTES_MAX) });
    const { problem } = queue.preview(shipmentOf(event), { binding: "AUDIT" }, { local: undefined });
    expect(problem).toMatch(/^the message has \d+ bytes with its metadata, a queue takes 128000$/);
  });
});

describe("the preview of a bus target", () => {
  const previewOf = (hops: number) =>
    bus.preview(shipmentOf(eventWith('{"a":1}', { sluicehops: hops })), { bus: "audit" }, { local: undefined });

  it("is the event with one hop more", () => {
    const { body, ...rest } = previewOf(HOPS_MAX - 1);
    expect(rest).toEqual({ action: "publish on bus audit", headers: {} });
    expect(JSON.parse(new TextDecoder().decode(body ?? undefined))).toMatchObject({
      sluicehops: HOPS_MAX,
      data: { a: 1 },
    });
  });

  it("has a problem where that is one too many", () => {
    expect(previewOf(HOPS_MAX).problem).toMatch(/it is a loop$/);
  });
});
