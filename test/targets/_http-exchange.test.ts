import { expect, it } from "vitest";
import { ok } from "../../src/core/result.ts";
import { exchange } from "../../src/targets/_http-exchange.ts";

it("lets go of a body that is opened only when its time is over, and sends nothing", async () => {
  let cancelled = false;
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const late = new AbortController();
  const opening = Promise.withResolvers<void>();
  const request = {
    url: "https://ci.example.com/",
    headers: {},
    body: new Uint8Array(),
    secrets: [],
    stream: () => opening.promise.then(() => ok(stream)),
  };
  const fetch = () => {
    sent += 1;
    return Promise.resolve(new Response());
  };
  const exchanged = exchange(request, { signal: late.signal, timeoutMs: 1_000, bytesMax: () => 10 }, { fetch });
  late.abort();
  expect(await exchanged).toMatchObject({ ok: false, error: { kind: "retryable", reason: "timeout" } });
  opening.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect([cancelled, sent]).toEqual([true, 0]);
});
