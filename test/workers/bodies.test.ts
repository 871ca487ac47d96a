/** The body store on R2, and what the sweep leaves in it. */
import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { newBodyKey } from "../../src/bus/body-keys.ts";
import { PART_BYTES } from "../../src/http/large-upload.ts";
import worker from "../../src/index.ts";
import { bodyStoreOf } from "../../src/r2-body-store.ts";
import { answerTargets, eventWithStatus, githubCall, problemOf, receiptOf, send, sendWith } from "./router.ts";

const HOUR_MS = 3_600_000;

const store = bodyStoreOf(env.BODIES);
if (store === undefined) throw new Error("wrangler.toml has the binding BODIES");

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function bytesOf(body: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

async function keysWith(prefix: string): Promise<readonly string[]> {
  const { objects } = await env.BODIES.list({ prefix });
  return objects.map(({ key }) => key);
}

/** JSON of so many bytes. */
function payloadOf(bytes: number, repositoryId: number): Uint8Array {
  const start = `{"ref":"refs/heads/main","repository":{"id":${repositoryId}},"text":"`;
  return new TextEncoder().encode(`${start}${"x".repeat(bytes - start.length - 2)}"}`);
}

describe("the body store", () => {
  it("reads what was put, whole and in part", async () => {
    await store.put("test/put", Uint8Array.of(1, 2, 3, 4), "application/json");
    const whole = await store.read("test/put");
    expect(whole).toMatchObject({ bytes: 4, contentType: "application/json", etag: expect.stringMatching(/^".+"$/) });
    expect(await bytesOf(whole?.body)).toEqual(Uint8Array.of(1, 2, 3, 4));
    const part = await store.read("test/put", { offset: 1, length: 2 });
    expect(part?.bytes).toBe(4);
    expect(await bytesOf(part?.body)).toEqual(Uint8Array.of(2, 3));
    expect(await store.read("test/other")).toBeNull();
  });

  it("shows a body of parts when it is complete, and never one that was given up", async () => {
    const upload = await store.begin("test/parts", "application/json");
    await Promise.all([upload.part(new Uint8Array(PART_BYTES).fill(1)), upload.part(Uint8Array.of(2))]);
    expect(await store.read("test/parts")).toBeNull();
    await upload.complete();
    const found = await store.read("test/parts", { offset: PART_BYTES - 1 });
    expect(found).toMatchObject({ bytes: PART_BYTES + 1, contentType: "application/json" });
    expect(await bytesOf(found?.body)).toEqual(Uint8Array.of(1, 2));
    const given = await store.begin("test/given-up", undefined);
    await given.part(Uint8Array.of(1));
    await given.abort();
    expect(await store.read("test/given-up")).toBeNull();
  });

  it("lists by prefix, page by page, and removes", async () => {
    for (const name of ["a", "b", "c"]) await store.put(`test-list/${name}`, new Uint8Array(1), undefined);
    const first = await store.list("test-list/", undefined, 2);
    expect(first.found.map(({ key }) => key)).toEqual(["test-list/a", "test-list/b"]);
    expect(Math.abs((first.found[0]?.uploadedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    const second = await store.list("test-list/", first.cursor, 2);
    expect(second).toMatchObject({ found: [{ key: "test-list/c" }], cursor: undefined });
    await store.remove(["test-list/a", "test-list/c", "test-list/none"]);
    expect(await keysWith("test-list/")).toEqual(["test-list/b"]);
  });

  it("is no other binding", () => {
    for (const other of [undefined, null, "BODIES", {}, env.PARTITION]) expect(bodyStoreOf(other)).toBeUndefined();
  });
});

describe("a large webhook", () => {
  it("is refused with the way out where there is no bucket", async () => {
    const answer = await sendWith(
      { BODIES: undefined },
      "/webhooks/github",
      githubCall("push", payloadOf(1_100_000, 1)),
    );
    expect(problemOf(answer)).toBe("413 body-too-large");
    expect(answer.text).toContain("BODIES in wrangler.toml");
  });

  it("is removed when its event is a conflict, and kept where nobody knows whether it was accepted", async () => {
    const sent = answerTargets(() => new Response(null, { status: 204 }));
    const id = { "x-github-delivery": "same-id" };
    const first = receiptOf(await send("/webhooks/github", githubCall("push", payloadOf(1_100_000, 77_002), id)));
    await eventWithStatus(first.id, "delivered");
    const [kept] = await keysWith("bodies/");
    const other = await send("/webhooks/github", githubCall("push", payloadOf(1_100_001, 77_002), id));
    expect(problemOf(other)).toBe("409 conflict");
    await vi.waitFor(async () => expect(await keysWith("bodies/")).toEqual([kept]));

    const broken = { idFromName: () => "id", get: () => ({ accept: () => Promise.reject(new Error("out of reach")) }) };
    const call = githubCall("push", payloadOf(1_100_000, 77_003));
    expect(problemOf(await sendWith({ PARTITION: broken }, "/webhooks/github", call))).toBe("503 storage-unavailable");
    expect(await keysWith("bodies/")).toHaveLength(2);
    await env.BODIES.delete([...(await keysWith("bodies/"))]);
    expect(sent.length).toBeGreaterThan(0);
  });

  it("stays in the bucket while its event is there; an orphan goes with the sweep", async () => {
    const sent = answerTargets(() => new Response(null, { status: 204 }));
    const payload = payloadOf(1_100_000, 77_001);
    const receipt = receiptOf(await send("/webhooks/github", githubCall("push", payload)));
    expect(receipt.status).toBe("accepted");
    await eventWithStatus(receipt.id, "delivered");
    expect(sent.filter(({ body }) => body === new TextDecoder().decode(payload)).length).toBeGreaterThan(0);
    const [kept, ...others] = await keysWith("bodies/");
    expect(others).toEqual([]);
    const orphan = newBodyKey({ bus: "default", partitions: 4, at: Date.now(), token: "orphan" });
    await store.put(orphan, new Uint8Array(1), undefined);
    const sweep = () => worker.scheduled(createScheduledController(), env as never, createExecutionContext());
    await sweep();
    expect(await keysWith("bodies/")).toHaveLength(2);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * HOUR_MS });
    await sweep();
    expect(await keysWith("bodies/")).toEqual([kept]);
  });
});
