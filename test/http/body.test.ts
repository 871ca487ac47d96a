import { describe, expect, it } from "vitest";
import { BODY_BYTES_MAX, BODY_TIMEOUT_MS, readBody } from "../../src/http/body.ts";

type Part = Uint8Array | "stall" | "break" | "drip";

/** A request whose body comes in the given parts; tells whether it was let go of. */
function requestOf(parts: readonly Part[], headers: Record<string, string> = {}) {
  let cancelled = false;
  let pulled = 0;
  const queue = [...parts];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        const part = queue.shift();
        if (part === undefined) controller.close();
        else if (part === "break") controller.error(new Error("connection reset"));
        else if (part === "stall") return new Promise(() => {});
        else if (part === "drip") {
          return new Promise((resolve) => {
            setTimeout(() => {
              if (!cancelled) controller.enqueue(Uint8Array.of(0));
              resolve();
            }, 8);
          });
        } else controller.enqueue(part);
        return undefined;
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, headers, duplex: "half" };
  return {
    request: new Request("https://example.com/", init),
    cancelled: () => cancelled,
    pulled: () => pulled,
  };
}

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

describe("a request's body", () => {
  it("is read as it came, in any number of parts", async () => {
    expect(await readBody(requestOf([bytes(1, 2), bytes(), bytes(3)]).request)).toEqual({
      ok: true,
      value: bytes(1, 2, 3),
    });
    expect(await readBody(requestOf([bytes(255, 0)]).request)).toEqual({ ok: true, value: bytes(255, 0) });
    expect(await readBody(requestOf([]).request)).toEqual({ ok: true, value: bytes() });
  });

  it("may be absent", async () => {
    const request = new Request("https://example.com/", { method: "POST" });
    expect(await readBody(request)).toEqual({ ok: true, value: bytes() });
  });

  it("has the limit's bytes and not one more, counted while they come", async () => {
    const half = new Uint8Array(BODY_BYTES_MAX / 2);
    expect(await readBody(requestOf([half, half]).request)).toMatchObject({
      ok: true,
      value: { length: BODY_BYTES_MAX },
    });
    const over = requestOf([half, half, bytes(1), half]);
    expect(await readBody(over.request)).toEqual({
      ok: false,
      error: { reason: "body-too-large", bytesMax: BODY_BYTES_MAX },
    });
    expect(over.cancelled()).toBe(true);
    expect(over.pulled()).toBe(3);
  });

  it("is refused unread when Content-Length is over the limit already; a smaller one is not believed", async () => {
    const honest = requestOf([bytes(1)], { "content-length": "11" });
    expect(await readBody(honest.request, 10)).toEqual({
      ok: false,
      error: { reason: "body-too-large", bytesMax: 10 },
    });
    expect(honest.pulled()).toBe(0);
    const liar = requestOf([new Uint8Array(11)], { "content-length": "1" });
    expect(await readBody(liar.request, 10)).toMatchObject({ ok: false, error: { reason: "body-too-large" } });
    expect(await readBody(requestOf([bytes(1)], { "content-length": "?" }).request, 10)).toMatchObject({ ok: true });
  });

  it.each([["gzip"], ["br"], ["identity, gzip"], [" GZIP "]])("is refused compressed: %s", async (encoding) => {
    const { request, pulled } = requestOf([bytes(1)], { "content-encoding": encoding });
    expect(await readBody(request)).toEqual({
      ok: false,
      error: { reason: "unsupported-content-encoding", found: encoding.trim().toLowerCase() },
    });
    expect(pulled()).toBe(0);
  });

  it("is read under the encoding that is none", async () => {
    expect(await readBody(requestOf([bytes(1)], { "content-encoding": "Identity" }).request)).toMatchObject({
      ok: true,
    });
  });

  it("has its time in all, not for each part", async () => {
    expect(BODY_TIMEOUT_MS).toBeLessThan(10_000);
    const stalled = requestOf([bytes(1), "stall"]);
    expect(await readBody(stalled.request, 10, 20)).toEqual({
      ok: false,
      error: { reason: "body-timeout", timeoutMs: 20 },
    });
    expect(stalled.cancelled()).toBe(true);
    const dripping = requestOf(Array.from({ length: 20 }, () => "drip" as const));
    expect(await readBody(dripping.request, 100, 40)).toMatchObject({ ok: false, error: { reason: "body-timeout" } });
  });

  it("that breaks off is no body", async () => {
    expect(await readBody(requestOf([bytes(1), "break"]).request)).toEqual({
      ok: false,
      error: { reason: "body-unreadable" },
    });
  });

  it("that comes byte by byte is read into one buffer of its own size", async () => {
    const parts = Array.from({ length: 1_000 }, (_, index) => Uint8Array.of(index % 256));
    const read = await readBody(requestOf(parts).request, 1_000);
    if (!read.ok) throw new Error(read.error.reason);
    expect([...read.value]).toEqual(parts.map(([value]) => value));
    expect(read.value.buffer.byteLength).toBe(1_000);
    const over = await readBody(requestOf([...parts, Uint8Array.of(0)]).request, 1_000);
    expect(over).toEqual({ ok: false, error: { reason: "body-too-large", bytesMax: 1_000 } });
  });
});
