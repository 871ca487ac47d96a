/** The gate in the real runtime: many callers at once, its row on disk, and a new instance. The decisions are tested in plain Node. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PermitReply, PermitRequest } from "../../src/bus/gate-ports.ts";

let names = 0;

/** The gate of a target that no other test uses. */
function openGate() {
  const target = `gate-test-${(names += 1)}`;
  const stub = () => env.GATE.get(env.GATE.idFromName(target));
  const request = (token: string, more: Partial<PermitRequest> = {}): PermitRequest => ({
    target,
    token,
    limits: {},
    forMs: 20_000,
    waitMsMax: 0,
    ...more,
  });
  return { target, stub, request };
}

describe("a gate", () => {
  it("gives a hundred callers at once as many starts as the rate allows, each with its own time", async () => {
    const { stub, request } = openGate();
    const rate = { limit: 10, periodMs: 1_000, burst: 5 };
    const askedAt = Date.now();
    const replies: readonly PermitReply[] = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        stub().acquire(request(`t${index}`, { limits: { rate }, waitMsMax: 2_000 })),
      ),
    );
    const tookMs = Date.now() - askedAt;
    const waits = replies.flatMap((reply) => (reply.kind === "granted" ? [reply.waitMs] : []));
    // The burst, and the starts of the 2 s that callers may wait; more only for the time that asking took.
    expect(waits.length).toBeGreaterThanOrEqual(25);
    expect(waits.length).toBeLessThanOrEqual(25 + Math.ceil(tookMs / 100));
    expect(waits.filter((waitMs) => waitMs === 0).length).toBeGreaterThanOrEqual(5);
    expect(replies.filter((reply) => reply.kind === "granted" && reply.finish)).toEqual([]);
  });

  it("has no more permits out than the target takes at a time, also after its instance is gone", async () => {
    const { target, stub, request } = openGate();
    const limits = { concurrency: 2 };
    const kinds = await Promise.all(
      ["a", "b", "c"].map(async (token) => (await stub().acquire(request(token, { limits }))).kind),
    );
    expect(kinds.toSorted()).toEqual(["denied", "granted", "granted"]);
    await evictDurableObject(stub());
    expect((await stub().acquire(request("d", { limits }))).kind).toBe("denied");
    expect(await stub().acquire(request("a", { limits }))).toMatchObject({ kind: "granted", finish: true });
    const ended = await stub().finish("a", "succeeded", target);
    expect(ended).toEqual({ status: { target, version: 0, state: { kind: "free" } }, changed: false });
    expect((await stub().acquire(request("d", { limits }))).kind).toBe("granted");
  });

  it("watches once when several report, opens its breaker once when several fail, and remembers both", async () => {
    const { target, stub, request } = openGate();
    const reports = await Promise.all(
      Array.from({ length: 4 }, () => stub().report({ target, attempts: 4, failures: 4 })),
    );
    expect(reports.filter(({ changed }) => changed)).toHaveLength(1);
    await evictDurableObject(stub());
    expect(await stub().status(target)).toMatchObject({ status: { version: 1, state: { kind: "gated" } } });
    const failed = async (token: string) => {
      expect(await stub().acquire(request(token))).toMatchObject({ kind: "granted", finish: true });
      return stub().finish(token, "failed", target);
    };
    const failures = await Promise.all(Array.from({ length: 10 }, (_, index) => failed(`f${index}`)));
    expect(failures.filter(({ changed }) => changed)).toHaveLength(1);
    await evictDurableObject(stub());
    const { status } = await stub().status(target);
    expect(status).toMatchObject({ version: 2, state: { kind: "held", reason: "breaker" } });
    const reply = await stub().acquire(request("a"));
    expect(reply).toMatchObject({ kind: "denied", changed: false });
    expect(reply.kind === "denied" && reply.retryAfterMs > 25_000 && reply.retryAfterMs <= 30_000).toBe(true);
  });

  it("holds a paused target until it is resumed", async () => {
    const { target, stub, request } = openGate();
    expect(await stub().pause(target, "target-gone")).toEqual({
      status: { target, version: 1, state: { kind: "held", reason: "target-gone", forMs: null } },
      changed: true,
    });
    expect(await stub().acquire(request("a"))).toMatchObject({ kind: "denied" });
    expect(await stub().resume(target)).toEqual({
      status: { target, version: 2, state: { kind: "free" } },
      changed: true,
    });
    expect(await stub().acquire(request("a"))).toMatchObject({ kind: "granted", waitMs: 0, finish: false });
  });

  it("keeps one row, and none before something is worth keeping", async () => {
    const { target, stub, request } = openGate();
    const rows = () =>
      runInDurableObject(stub(), (_instance, { storage }) =>
        storage.sql.exec("SELECT target, json_valid(state) AS valid FROM gate").toArray(),
      );
    await stub().status(target);
    await stub().acquire(request("a"));
    expect(await rows()).toEqual([]);
    await stub().acquire(request("b", { limits: { concurrency: 1 } }));
    await stub().finish("b", "failed", target);
    expect(await rows()).toEqual([{ target, valid: 1 }]);
  });
});
