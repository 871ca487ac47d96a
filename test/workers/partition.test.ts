/**
 * The partition in the real runtime: what the platform's SQLite, alarms and restarts do to it. The state machine itself is
 * tested in plain Node.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AcceptItem, AcceptReply, AcceptRequest, ListedEvent } from "../../src/bus/ports.ts";
import type { Lease, PlannedDelivery, Settlement } from "../../src/core/delivery.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import { deliveryId, partitionName } from "../../src/core/receipt.ts";
import { hashing } from "../../src/hashing.ts";
import type { SentRequest } from "./router.ts";
import { FRESH_MS_MAX } from "../../src/objects/fresh-work.ts";
import {
  answerTargets,
  eventWithStatus,
  githubCall,
  partition,
  partitionOfReceipt,
  pushOf,
  receiptOf,
  send,
  stubOf,
} from "./router.ts";

const DAY_MS = 86_400_000;
/** What a lease on the deliveries here lasts. */
const LEASE_MS = 15_000 + LEASE_MARGIN_MS;

let names = 0;

/** A partition that no other test uses: a bus of its own, so that ingest never comes here either. */
function ownName(): string {
  names += 1;
  return partitionName(`test-${names}`, 4, 0);
}

function planned(id: string, rule: string): PlannedDelivery {
  return {
    id: deliveryId(id, rule, "printer", 0, hashing.sha256),
    rule,
    target: "printer",
    timeoutMs: 15_000,
    maxAgeMs: 3 * DAY_MS,
  };
}

/** An event as publish plans it; each of the rules is one delivery to the sample target. */
function itemOf(
  id: string,
  rules: readonly string[],
  body: Uint8Array | null = new TextEncoder().encode("{}"),
): AcceptItem {
  return {
    identity: hashing.sha256(id),
    fingerprint: { scope: "", hash: `1:${id}` },
    event: {
      attributes: { specversion: "1.0", id, source: "/tests", type: "com.example.order.placed" },
      body,
      source: "events",
      bus: "default",
      rawHeaders: {},
      rules,
      rulesVersion: { hash: "rules-1", deployedAt: 0 },
      key: "/tests",
    },
    redeliver: false,
    deliveries: rules.map((rule) => planned(id, rule)),
  };
}

const TWO_RULES = ["default/order-placed", "default/push"];

function requestOf(
  name: string,
  items: readonly AcceptItem[],
  leasesMax = 6,
  token = crypto.randomUUID(),
): AcceptRequest {
  return { partition: name, token, items, leasesMax, layout: { partitions: 1, deployedAt: 0 } };
}

async function accept(request: AcceptRequest): Promise<Extract<AcceptReply, { kind: "accepted" }>> {
  const reply = await partition(request.partition).accept(request);
  if (reply.kind !== "accepted") throw new Error(`refused: ${reply.kind}`);
  return reply;
}

function settlementOf(lease: Lease, step: Settlement["step"]): Settlement {
  const outcome = step.kind === "delivered" ? "delivered" : "retryable";
  return {
    seq: lease.seq,
    deliveryId: lease.deliveryId,
    token: lease.token,
    step,
    attempt: { token: lease.token, startedAt: 0, durationMs: 1, outcome, rules: "rules-1" },
  };
}

async function settle(name: string, leases: readonly Lease[], step: Settlement["step"], leasesMax = 0) {
  const settlements = leases.map((lease) => settlementOf(lease, step));
  const reply = await partition(name).settle({
    settlements,
    leasesMax,
    withinMs: 28_000,
    targetRoom: {},
    holder: "ingest",
    statuses: [],
    throttles: [],
  });
  return reply;
}

function inPartition<Value>(name: string, work: (state: DurableObjectState) => Value | Promise<Value>): Promise<Value> {
  return runInDurableObject(stubOf(name), (_instance, state) => work(state));
}

function alarmOf(name: string): Promise<number | null> {
  return inPartition(name, (state) => state.storage.getAlarm());
}

/** Rows of a table, or undefined when there is no such table. */
function countRows(name: string, table: string): Promise<number | undefined> {
  return inPartition(name, ({ storage: { sql } }) => {
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray().length === 0) return undefined;
    return Number(sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one()["n"]);
  });
}

async function tablesOf(name: string): Promise<readonly string[]> {
  const rows = await inPartition(name, ({ storage: { sql } }) =>
    sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").toArray(),
  );
  return rows.map((row) => String(row["name"])).filter((table) => /_\d+$/.test(table));
}

/** What the platform bills an object for from now on: the rows of every statement's cursor, and one for each setAlarm. */
function countBilled(name: string): Promise<() => { readonly rows: number; readonly alarms: number }> {
  return inPartition(name, ({ storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const exec = storage.sql.exec.bind(storage.sql);
    vi.spyOn(storage.sql, "exec").mockImplementation((query: string, ...params: SqlStorageValue[]) => {
      const cursor = exec(query, ...params);
      cursors.push(cursor);
      return cursor as never;
    });
    const setAlarm = vi.spyOn(storage, "setAlarm");
    return () => ({
      rows: cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0),
      alarms: setAlarm.mock.calls.length,
    });
  });
}

/** Makes the object's next statement that holds `text` fail, as a full or broken disk would. */
function failOnce(name: string, text: string): Promise<void> {
  return inPartition(name, ({ storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    const spy = vi.spyOn(storage.sql, "exec").mockImplementation((query: string, ...params: SqlStorageValue[]) => {
      if (!query.includes(text)) return exec(query, ...params) as never;
      spy.mockRestore();
      throw new Error("planted failure");
    });
  });
}

/** What was sent to the targets, which answer 200. */
let sent: readonly SentRequest[] = [];

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  sent = answerTargets(() => new Response("ok"));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Stops the clock of the objects that are made from now on; alarms keep to the platform's own. */
function stopClock(): { readonly advance: (ms: number) => void } {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  return { advance: (ms) => vi.setSystemTime(Date.now() + ms) };
}

/** Delivers one event and lets the alarm that it left come and go, so that the next event finds tables but no alarm. */
async function warmUp(name: string, rules: readonly string[]): Promise<void> {
  const clock = stopClock();
  const { leases } = await accept(requestOf(name, [itemOf("warm", rules)]));
  await settle(name, leases, { kind: "delivered" });
  clock.advance(LEASE_MS);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  expect(await alarmOf(name)).toBeNull();
}

/** Waits until the event is delivered, by whoever has its leases. */
function delivered(name: string, seq: number | undefined): Promise<ListedEvent | null> {
  return vi.waitFor(
    async () => {
      const event = await partition(name).get(seq ?? 0);
      expect(event).toMatchObject({ status: "delivered" });
      return event;
    },
    { timeout: 5_000, interval: 25 },
  );
}

describe("what an event costs", () => {
  it("writes at most four rows for one event to two targets, both delivered, the alarm included", async () => {
    const name = ownName();
    await warmUp(name, TWO_RULES);
    const billed = await countBilled(name);
    const { leases, items } = await accept(requestOf(name, [itemOf("measured", TWO_RULES)]));
    expect(leases).toHaveLength(2);
    const accepted = billed();
    await settle(name, leases, { kind: "delivered" });
    const { rows, alarms } = billed();
    expect(await partition(name).get(items[0]?.seq ?? 0)).toMatchObject({ status: "delivered" });
    expect(accepted).toEqual({ rows: 2, alarms: 1 });
    expect({ rows, alarms }).toEqual({ rows: 3, alarms: 1 });
    expect(rows + alarms).toBeLessThanOrEqual(4);
  });

  it("writes no more for six targets than for two", async () => {
    const name = ownName();
    const rules = ["a", "b", "c", "d", "e", "f"];
    await warmUp(name, rules);
    const billed = await countBilled(name);
    const { leases } = await accept(requestOf(name, [itemOf("measured", rules)]));
    expect(leases).toHaveLength(6);
    await settle(name, leases, { kind: "delivered" });
    expect(billed()).toEqual({ rows: 3, alarms: 1 });
  });

  it("writes two rows for an event that no rule matched, and none for a repeat", async () => {
    const name = ownName();
    await accept(requestOf(name, [itemOf("warm", [])]));
    const billed = await countBilled(name);
    await accept(requestOf(name, [itemOf("unmatched", [])]));
    expect(billed()).toEqual({ rows: 2, alarms: 0 });
    expect((await accept(requestOf(name, [itemOf("unmatched", [])]))).items[0]?.status).toBe("duplicate");
    expect(billed()).toEqual({ rows: 2, alarms: 0 });
    expect(await alarmOf(name)).toBeNull();
  });

  it("keeps to four rows along the whole way, from a signed push to two deliveries", async () => {
    const clock = stopClock();
    const body = pushOf(7_001);
    const warm = receiptOf(await send("/webhooks/github", githubCall("push", body)));
    expect(warm.rules).toEqual(["default/deploy-on-main", "default/push"]);
    await eventWithStatus(warm.id, "delivered");
    const { partition: name } = partitionOfReceipt(warm.id);
    clock.advance(LEASE_MS);
    await runDurableObjectAlarm(stubOf(name));
    expect(await alarmOf(name)).toBeNull();

    const billed = await countBilled(name);
    const measured = receiptOf(await send("/webhooks/github", githubCall("push", body)));
    expect(measured.status).toBe("accepted");
    expect(partitionOfReceipt(measured.id).partition).toBe(name);
    await eventWithStatus(measured.id, "delivered");
    expect(sent).toHaveLength(4);
    expect(billed()).toEqual({ rows: 3, alarms: 1 });
  });
});

describe("accept and settle over RPC", () => {
  it("answers accepted with leases, then duplicate or conflict with the first one's number", async () => {
    const name = ownName();
    const first = await accept(requestOf(name, [itemOf("one", TWO_RULES)]));
    expect(first.items).toEqual([{ status: "accepted", seq: expect.any(Number), rules: TWO_RULES }]);
    expect(first.leases).toMatchObject(TWO_RULES.map((rule) => ({ rule, target: "printer", attempt: 1, failures: 0 })));
    const repeat = await accept(requestOf(name, [itemOf("one", TWO_RULES)]));
    expect(repeat).toEqual({ ...first, items: [{ ...first.items[0], status: "duplicate" }], leases: [] });
    const other = { ...itemOf("one", TWO_RULES), fingerprint: { scope: "", hash: "1:other" } };
    expect((await accept(requestOf(name, [other]))).items).toEqual([{ ...first.items[0], status: "conflict" }]);
    // What is given back goes out again with the same answer, with the event, under a new token.
    const more = await settle(name, first.leases.slice(1), { kind: "release", delayMs: 0 }, 6);
    expect(more.work.map((work) => work.lease.rule)).toEqual([TWO_RULES[1]]);
    expect(more.work[0]?.lease.token).not.toBe(first.leases[1]?.token);
    expect(more.work[0]?.event).toEqual(itemOf("one", TWO_RULES).event);
    const rest = more.work.map((work) => work.lease);
    await settle(name, [...first.leases.slice(0, 1), ...rest], { kind: "delivered" });
    expect(await partition(name).wake([])).toEqual({ events: 0, deliveries: 0, bytes: 0 });
  });

  it("gives bodies back as the same bytes: every value, a view into a larger buffer, none at all", async () => {
    const name = ownName();
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    const bodies = [all, all.subarray(10, 20), null];
    const items = bodies.map((body, index) =>
      itemOf(`body-${index}`, index === 1 ? [] : ["default/order-placed"], body),
    );
    const reply = await accept(requestOf(name, items));
    for (const [index, item] of reply.items.entries()) {
      const found = await partition(name).get(item.seq);
      const body = found?.event.body ?? null;
      expect(body).toEqual(bodies[index] === null ? null : Uint8Array.from(bodies[index] ?? []));
      expect(body === null || body instanceof Uint8Array).toBe(true);
    }
    const { work } = await settle(name, reply.leases, { kind: "release", delayMs: 0 }, 6);
    expect(work.map(({ event }) => event.body)).toEqual([all, null]);
    await settle(
      name,
      work.map(({ lease }) => lease),
      { kind: "delivered" },
    );
    // From the log, where they went when their events had ended.
    const seqs = reply.items.map((item) => item.seq);
    const found = await Promise.all(seqs.map((seq) => partition(name).get(seq)));
    expect(found.map((event) => event?.event.body)).toEqual([all, all.slice(10, 20), null]);
  });
});

describe("a failure inside an object", () => {
  it("leaves nothing of an accept behind, its identity included, and the object goes on", async () => {
    const name = ownName();
    await accept(requestOf(name, [itemOf("before", [])]));
    await failOnce(name, "INSERT INTO pack_1");
    const items = [itemOf("failed-1", []), itemOf("failed-2", TWO_RULES)];
    await expect(accept(requestOf(name, items))).rejects.toThrow("planted failure");
    expect(await countRows(name, "dedup_1")).toBe(1);
    expect(await countRows(name, "pack_1")).toBe(1);
    expect(await countRows(name, "work")).toBe(0);
    expect(await partition(name).wake([])).toEqual({ events: 0, deliveries: 0, bytes: 0 });

    const again = await accept(requestOf(name, items));
    expect(again.items.map((item) => item.status)).toEqual(["accepted", "accepted"]);
    expect(again.leases).toHaveLength(2);
    await settle(name, again.leases, { kind: "delivered" });
    expect(await partition(name).get(again.items[1]?.seq ?? 0)).toMatchObject({ status: "delivered" });
  });

  it("leaves nothing of the very first accept behind, the new tables included", async () => {
    const name = ownName();
    await partition(name).wake([]);
    await failOnce(name, "INSERT INTO pack_1");
    await expect(accept(requestOf(name, [itemOf("first", [])]))).rejects.toThrow("planted failure");
    expect(await tablesOf(name)).toEqual([]);
    expect((await accept(requestOf(name, [itemOf("first", [])]))).items[0]?.status).toBe("accepted");
  });

  it("leaves a settle undone as a whole, so that it can be sent again", async () => {
    const name = ownName();
    const { leases, items } = await accept(requestOf(name, [itemOf("settled", TWO_RULES)]));
    await failOnce(name, "INSERT INTO changes_1");
    await expect(settle(name, leases, { kind: "delivered" })).rejects.toThrow("planted failure");
    expect(await partition(name).get(items[0]?.seq ?? 0)).toMatchObject({ status: "pending" });
    await settle(name, leases, { kind: "delivered" });
    const found = await partition(name).get(items[0]?.seq ?? 0);
    expect(found?.status).toBe("delivered");
    expect(found?.deliveries.map((delivery) => delivery.attempts.length)).toEqual([1, 1]);
  });
});

describe("an object that restarts", () => {
  it("answers the same accept token with the same numbers and the same leases", async () => {
    const name = ownName();
    const request = requestOf(name, [itemOf("again", TWO_RULES), itemOf("unmatched", [])], 1);
    const first = await accept(request);
    await evictDurableObject(stubOf(name));
    const second = await accept(request);
    expect(second.items).toEqual(first.items);
    const bare = (leases: readonly Lease[]) =>
      leases.map(({ leaseMs: _left, expiresInMs: _rest, ageMs: _age, ...lease }) => lease);
    expect(bare(second.leases)).toEqual(bare(first.leases));
    expect(second.leases[0]?.leaseMs).toBeLessThanOrEqual(first.leases[0]?.leaseMs ?? 0);
    expect(second.leases[0]?.leaseMs).toBeGreaterThan(15_000);
    await settle(name, second.leases, { kind: "delivered" });
    await evictDurableObject(stubOf(name));
    // What was settled is not lent again.
    expect((await accept(request)).leases).toEqual([]);
  });

  it("goes on with its numbers, its backlog and its dedup", async () => {
    const name = ownName();
    const { items } = await accept(requestOf(name, [itemOf("open", TWO_RULES), itemOf("ended", [])]));
    const before = await partition(name).wake([]);
    expect(before).toMatchObject({ events: 1, deliveries: 2 });
    await evictDurableObject(stubOf(name));
    expect(await partition(name).wake([])).toEqual(before);
    const repeat = await accept(requestOf(name, [itemOf("ended", []), itemOf("next", [])]));
    expect(repeat.items[0]).toMatchObject({ status: "duplicate", seq: items[1]?.seq });
    expect(repeat.items[1]?.seq).toBeGreaterThan(items[1]?.seq ?? 0);
  });

  it("arms itself when it finds open work and no alarm", async () => {
    const name = ownName();
    const { leases } = await accept(requestOf(name, [itemOf("asleep", TWO_RULES)]));
    const armedFor = await alarmOf(name);
    expect(armedFor).toBeGreaterThan(Date.now() + 15_000);
    await inPartition(name, (state) => state.storage.deleteAlarm());
    expect(await alarmOf(name)).toBeNull();
    await evictDurableObject(stubOf(name));
    expect(await alarmOf(name)).toBe(armedFor);
    await settle(name, leases, { kind: "delivered" });
  });

  it("sets no alarm when nothing is open", async () => {
    const name = ownName();
    await accept(requestOf(name, [itemOf("ended", [])]));
    await evictDurableObject(stubOf(name));
    expect(await partition(name).wake([])).toEqual({ events: 0, deliveries: 0, bytes: 0 });
    expect(await alarmOf(name)).toBeNull();
  });
});

describe("the alarm", () => {
  it("fires by itself for a retry that came due and hands it to the Dispatch entry point, which delivers it", async () => {
    const name = ownName();
    const { leases, items } = await accept(requestOf(name, [itemOf("retried", ["default/order-placed"])]));
    await settle(name, leases, { kind: "retry", delayMs: 50 });
    expect(sent).toHaveLength(0);
    const event = await delivered(name, items[0]?.seq);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url).toBe("https://example.com/hooks");
    expect(sent[0]?.headers.get("webhook-id")).toBe(leases[0]?.deliveryId);
    expect(sent[0]?.headers.get("ce-id")).toBe("retried");
    expect(event?.deliveries).toMatchObject([
      { attemptCount: 2, attempts: [{ outcome: "retryable" }, { outcome: "delivered" }] },
    ]);
  });

  it("takes up a lease that ran out, and counts the lost attempt", async () => {
    const clock = stopClock();
    const name = ownName();
    const { items } = await accept(requestOf(name, [itemOf("lost", ["default/order-placed"])]));
    clock.advance(LEASE_MS - 1);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    // Nothing was due: nothing is sent, and the alarm is set again, for the lease's end.
    expect(await alarmOf(name)).toBe(Date.now() + 1);
    expect(sent).toHaveLength(0);
    clock.advance(1);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    const event = await delivered(name, items[0]?.seq);
    expect(event?.deliveries[0]?.attempts.map((attempt) => attempt.outcome)).toEqual(["lost", "delivered"]);
    expect(sent).toHaveLength(1);
  });

  it("has the next alarm set, for the leases it gave out, before the target answers", async () => {
    const clock = stopClock();
    const name = ownName();
    const { items, leases } = await accept(requestOf(name, [itemOf("slow", ["default/order-placed"])]));
    await settle(name, leases, { kind: "retry", delayMs: 60_000 });
    let isReady = false;
    const slow = answerTargets(async () => {
      while (!isReady) await scheduler.wait(5);
      return new Response("ok");
    });
    clock.advance(60_000);
    const leaseEndsAt = Date.now() + LEASE_MS;
    // The alarm is over although the target has not answered.
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    expect(await alarmOf(name)).toBe(leaseEndsAt);
    await vi.waitFor(() => expect(slow).toHaveLength(1));
    expect(await partition(name).get(items[0]?.seq ?? 0)).toMatchObject({ status: "pending" });
    isReady = true;
    await delivered(name, items[0]?.seq);
  });

  it("does not throw when it fails inside, and is set again, so that nothing waits for ever", async () => {
    const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const clock = stopClock();
    const name = ownName();
    const { leases, items } = await accept(requestOf(name, [itemOf("failing", ["default/order-placed"])]));
    await settle(name, leases, { kind: "retry", delayMs: 60_000 });
    clock.advance(60_000);
    await failOnce(name, "INSERT INTO changes_1");
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    expect(complaints.mock.calls.flat().join()).toContain('"alarm.failed"');
    expect(sent).toHaveLength(0);
    expect(await alarmOf(name)).toBe(Date.now() + 5_000);
    clock.advance(5_000);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    await delivered(name, items[0]?.seq);
    expect(sent).toHaveLength(1);
  });
});

describe("the sweep", () => {
  it("arms an object whose alarm is lost while it runs", async () => {
    const name = ownName();
    const { leases } = await accept(requestOf(name, [itemOf("open", TWO_RULES)]));
    const armedFor = await alarmOf(name);
    await inPartition(name, (state) => state.storage.deleteAlarm());
    expect(await partition(name).wake([])).toMatchObject({ events: 1, deliveries: 2 });
    expect(await alarmOf(name)).toBe(armedFor);
    await settle(name, leases, { kind: "delivered" });
  });

  it("drops identities after 4 days and the log after 14, each with its segment, and leaves what is open", async () => {
    const clock = stopClock();
    const name = ownName();
    const patient = itemOf("open", ["default/order-placed"]);
    const open = { ...patient, deliveries: patient.deliveries.map((each) => ({ ...each, maxAgeMs: 30 * DAY_MS })) };
    const { items } = await accept(requestOf(name, [itemOf("ended", []), open]));
    const [endedSeq, openSeq] = items.map((item) => item.seq);
    clock.advance(FRESH_MS_MAX);
    await partition(name).wake([]);
    // Segments take a day's events: the window counts from the last of them.
    clock.advance(5 * DAY_MS - FRESH_MS_MAX - 1);
    await partition(name).wake([]);
    expect(await tablesOf(name)).toEqual(["changes_1", "dead_1", "dedup_1", "log_1", "pack_1"]);
    clock.advance(1);
    await partition(name).wake([]);
    expect(await tablesOf(name)).toEqual(["changes_1", "dead_1", "log_1", "pack_1"]);
    clock.advance(10 * DAY_MS - 1);
    await partition(name).wake([]);
    expect(await partition(name).get(endedSeq ?? 0)).toMatchObject({ status: "unmatched" });
    clock.advance(1);
    await partition(name).wake([]);
    expect(await tablesOf(name)).toEqual([]);
    expect(await partition(name).get(endedSeq ?? 0)).toBeNull();
    expect(await partition(name).get(openSeq ?? 0)).toMatchObject({ status: "pending" });
    // Its identity may come again now, under a new number.
    const again = await accept(requestOf(name, [itemOf("ended", [])]));
    expect(again.items[0]).toMatchObject({ status: "accepted" });
    expect(again.items[0]?.seq).toBeGreaterThan(openSeq ?? 0);
  });
});

describe("what Sluice relies on of the platform", () => {
  it("counts no free pages in databaseSize: a dropped table gives its room back at once", async () => {
    const sizes = await inPartition(ownName(), ({ storage: { sql } }) => {
      const before = sql.databaseSize;
      sql.exec("CREATE TABLE filler (n INTEGER PRIMARY KEY, bytes BLOB)");
      for (let n = 0; n < 8; n++) sql.exec("INSERT INTO filler (bytes) VALUES (zeroblob(262144))");
      const full = sql.databaseSize;
      sql.exec("DROP TABLE filler");
      return { before, full, after: sql.databaseSize };
    });
    expect(sizes.full - sizes.before).toBeGreaterThanOrEqual(8 * 262_144);
    expect(sizes.after).toBe(sizes.before);
  });

  it("gives a BLOB back as an ArrayBuffer, NULL as null and integers beyond 32 bits whole", async () => {
    const row = await inPartition(ownName(), ({ storage: { sql } }) => {
      const bytes = Uint8Array.of(9, 0, 255, 128, 9).subarray(1, 4);
      return sql.exec("SELECT ? AS bytes, NULL AS none, ? AS seq", bytes, 1_800_000_000_000 * 1_024).one();
    });
    expect(row["bytes"]).toBeInstanceOf(ArrayBuffer);
    expect(new Uint8Array(row["bytes"] as ArrayBuffer)).toEqual(Uint8Array.of(0, 255, 128));
    expect(row["none"]).toBeNull();
    expect(row["seq"]).toBe(1_800_000_000_000 * 1_024);
  });

  it("rolls nothing back when an exception alone follows a write, but all of a transactionSync", async () => {
    const counts = await inPartition(ownName(), ({ storage }) => {
      const { sql } = storage;
      sql.exec("CREATE TABLE plain (n INTEGER)");
      const write = () => {
        sql.exec("INSERT INTO plain VALUES (1)");
        throw new Error("after the write");
      };
      const count = () => sql.exec("SELECT COUNT(*) AS n FROM plain").one()["n"];
      expect(write).toThrow("after the write");
      const afterThrow = count();
      expect(() => storage.transactionSync(write)).toThrow("after the write");
      return { afterThrow, afterTransaction: count() };
    });
    expect(counts).toEqual({ afterThrow: 1, afterTransaction: 1 });
  });
});
