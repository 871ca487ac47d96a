import { describe, expect, it } from "vitest";
import type { EventFilter, StoredEvent } from "../../src/bus/ports.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { seqAtMs } from "../../src/core/receipt.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { PAGE_BYTES_MAX, SCAN_ROWS_MAX, listEvents, toListed } from "../../src/objects/listing.ts";
import { migrate } from "../../src/objects/schema.ts";
import { NO_TARGETS, acceptItem, acceptRequest, storedEvent } from "../support/accept-requests.ts";
import { attemptWith, deliveryWith, settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const NEWEST = Number.MAX_SAFE_INTEGER;

interface Row {
  readonly event: StoredEvent;
  readonly deliveries?: readonly Delivery[];
}

/** A ledger with the given events, a millisecond apart, oldest first. */
function ledgerOf(rows: readonly Row[]) {
  let reads = 0;
  const stored = rows.map(({ event, deliveries = [] }, index) => ({ seq: seqAtMs(START + index), event, deliveries }));
  const ledger: Pick<Ledger, "before"> = {
    before(seq, rowsMax) {
      const found = stored
        .filter((row) => row.seq < seq)
        .toReversed()
        .slice(0, rowsMax);
      reads += found.length;
      return found;
    },
  };
  return { ledger: ledger as Ledger, reads: () => reads };
}

function plain(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => ({ event: storedEvent(`e${index}`) }));
}

function idsOf(ledger: Ledger, filter: EventFilter = {}, limit = 100): readonly string[] {
  return listEvents(ledger, { before: NEWEST, limit, which: "all", filter }).events.map(
    ({ event }) => event.attributes.id,
  );
}

describe("a listing", () => {
  it("goes from the newest back, and tells where it stopped", () => {
    const { ledger } = ledgerOf(plain(5));
    const first = listEvents(ledger, { before: NEWEST, limit: 2, which: "all", filter: {} });
    expect(first.events.map(({ event }) => event.attributes.id)).toEqual(["e4", "e3"]);
    expect(first.scannedTo).toBe(first.events[1]?.seq);
    const rest = listEvents(ledger, { before: first.scannedTo ?? 0, limit: 10, which: "all", filter: {} });
    expect(rest.events.map(({ event }) => event.attributes.id)).toEqual(["e2", "e1", "e0"]);
    expect(rest.scannedTo).toBeNull();
  });

  it("reads a bounded number of rows in one call, and goes on from there", () => {
    const { ledger, reads } = ledgerOf(plain(SCAN_ROWS_MAX + 50));
    const filter = { id: "e3" };
    const first = listEvents(ledger, { before: NEWEST, limit: 1, which: "all", filter });
    expect(first.events).toEqual([]);
    expect(reads()).toBe(SCAN_ROWS_MAX);
    expect(first.scannedTo).toBe(seqAtMs(START + 50));
    const second = listEvents(ledger, { before: first.scannedTo ?? 0, limit: 5, which: "all", filter });
    expect(second).toMatchObject({ events: [{ event: { attributes: { id: "e3" } } }], scannedTo: null });
  });

  it("ends where there is nothing more, also at the edge of a chunk", () => {
    expect(listEvents(ledgerOf([]).ledger, { before: NEWEST, limit: 5, which: "all", filter: {} })).toEqual({
      events: [],
      scannedTo: null,
    });
    const { ledger } = ledgerOf(plain(200));
    expect(listEvents(ledger, { before: NEWEST, limit: 500, which: "all", filter: {} })).toMatchObject({
      scannedTo: null,
      events: { length: 200 },
    });
  });

  it("stops at a time without reading what is older", () => {
    const { ledger, reads } = ledgerOf(plain(500));
    expect(idsOf(ledger, { sinceMs: START + 498 })).toEqual(["e499", "e498"]);
    expect(reads()).toBe(20);
  });
});

describe("a page", () => {
  it("ends early when it is large, and goes on from there", () => {
    const deliveries = Array.from({ length: 500 }, (_, n) => deliveryWith({ id: `dlv_${n}`, target: "t".repeat(60) }));
    const { ledger } = ledgerOf(Array.from({ length: 30 }, (_, n) => ({ event: storedEvent(`e${n}`), deliveries })));
    const request = { limit: 200, which: "all", filter: {} } as const;
    const first = listEvents(ledger, { ...request, before: Number.MAX_SAFE_INTEGER });
    expect(first.events.length).toBeLessThan(30);
    expect(JSON.stringify(first).length).toBeGreaterThan(PAGE_BYTES_MAX);
    expect(JSON.stringify(first).length).toBeLessThan(1.5 * PAGE_BYTES_MAX);
    const seen = first.events.map(({ seq }) => seq);
    for (let at = first.scannedTo; at !== null;) {
      const page = listEvents(ledger, { ...request, before: at });
      seen.push(...page.events.map(({ seq }) => seq));
      at = page.scannedTo;
    }
    expect(new Set(seen).size).toBe(30);
    expect(seen).toHaveLength(30);
  });

  it("shows the newest attempt of a delivery, without the answer's text", () => {
    const attempts = [attemptWith("a"), attemptWith("b", { answer: { status: 503, body: "a long page" } })];
    const { ledger } = ledgerOf([{ event: storedEvent("e"), deliveries: [deliveryWith({ attempts })] }]);
    const page = listEvents(ledger, { before: Number.MAX_SAFE_INTEGER, limit: 1, which: "all", filter: {} });
    expect(page.events[0]?.deliveries[0]?.attempts).toMatchObject([{ token: "b", answer: { status: 503 } }]);
    expect(JSON.stringify(page)).not.toContain("a long page");
  });
});

describe("a filter", () => {
  const push = storedEvent("push", { source: "github" });
  const dead = deliveryWith({ state: { kind: "dead", at: 1, reason: "status", detail: "404" } });
  const { ledger } = ledgerOf([
    { event: { ...push, attributes: { ...push.attributes, type: "com.github.push", source: "/repo" } } },
    { event: storedEvent("other"), deliveries: [deliveryWith()] },
    { event: storedEvent("third"), deliveries: [dead] },
  ]);

  it.each([
    ["nothing", {}, ["third", "other", "push"]],
    ["an exact type", { type: "com.github.push" }, ["push"]],
    ["a type's beginning", { type: "com.github.*" }, ["push"]],
    ["any type", { type: "*" }, ["third", "other", "push"]],
    ["a type that another begins with", { type: "com.github" }, []],
    ["the source's name", { source: "github" }, ["push"]],
    ["the event's source", { source: "/repo" }, ["push"]],
    ["an id", { id: "other" }, ["other"]],
    ["what waits", { status: "pending" as const }, ["other"]],
    ["what is dead", { status: "dead" as const }, ["third"]],
    ["what nobody wanted", { status: "unmatched" as const }, ["push"]],
    ["two things at once", { status: "dead" as const, id: "push" }, []],
  ] satisfies readonly [string, EventFilter, readonly string[]][])("finds %s", (_, filter, ids) => {
    expect(idsOf(ledger, filter)).toEqual(ids);
  });
});

describe("of shadow rules, a listing", () => {
  const made = { rule: "default/try", targets: ["ci"], output: '{"a":1}' };
  const cut = { rule: "default/long", targets: ["ci"], output: '{"', outputBytes: 90_000 };
  const failed = { rule: "default/bad", targets: ["audit"], problem: "no" };
  const { ledger } = ledgerOf([
    { event: storedEvent("both", { shadow: [failed, made] }) },
    { event: storedEvent("one", { shadow: [cut, made] }) },
    { event: storedEvent("none") },
  ]);
  const shadowsOf = (filter: EventFilter) =>
    listEvents(ledger, { before: NEWEST, limit: 10, which: "all", filter }).events.map(({ event }) => event.shadow);

  it("tells which have matched, and not what they would have sent", () => {
    expect(shadowsOf({})).toEqual([
      undefined,
      [
        { rule: "default/long", targets: ["ci"] },
        { rule: "default/try", targets: ["ci"] },
      ],
      [
        { rule: "default/bad", targets: ["audit"] },
        { rule: "default/try", targets: ["ci"] },
      ],
    ]);
  });

  it("finds the events of one, with what it would have sent and nothing of others", () => {
    expect(idsOf(ledger, { shadow: "default/try" })).toEqual(["one", "both"]);
    expect(shadowsOf({ shadow: "default/try" })).toEqual([[made], [made]]);
    expect(shadowsOf({ shadow: "default/long" })).toEqual([[cut]]);
    expect(shadowsOf({ shadow: "default/bad" })).toEqual([[failed]]);
    expect(shadowsOf({ shadow: "default/tr" })).toEqual([]);
    // The rules that an event was delivered by are others.
    expect(shadowsOf({ shadow: "default/all" })).toEqual([]);
  });

  it("has nothing of them in its events' bodies", () => {
    const filter = { shadow: "default/bad" };
    const listed = listEvents(ledger, { before: NEWEST, limit: 10, which: "all", filter }).events;
    expect(listed.map(({ event }) => event.body)).toHaveLength(1);
    expect(toListed({ seq: 1, event: storedEvent("a", { shadow: [made] }), deliveries: [] }).event.shadow).toEqual([
      made,
    ]);
  });
});

describe("a listed event", () => {
  it("has its status and the time of its acceptance", () => {
    const listed = toListed({ seq: seqAtMs(START) + 5, event: storedEvent("a"), deliveries: [deliveryWith()] });
    expect(listed).toMatchObject({ status: "pending", acceptedAt: START });
  });
});

describe("a listing of dead events", () => {
  it("has those that ended and those with other deliveries still open, and nothing that only sounds like it", () => {
    const sql = openNodeSql();
    migrate(sql);
    const ledger = openLedger(sql, LEDGER_LIMITS);
    const items = [acceptItem("ended", ["ci"]), acceptItem("open", ["ci", "audit"]), acceptItem("named", ["dead"])];
    const reply = ledger.accept(acceptRequest("t", items, 6), START);
    const leases = reply.kind === "accepted" ? reply.leases : [];
    const settlements = leases
      .filter(({ target }) => target === "ci")
      .map((lease) => settlementFor(lease, { kind: "dead", reason: "status", detail: '"kind":"dead"' }));
    ledger.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS }, START, () => "");
    const { events } = listEvents(ledger, { before: NEWEST, limit: 10, which: "dead", filter: {} });
    expect(events.map(({ event, status }) => [event.attributes.id, status])).toEqual([
      ["open", "pending"],
      ["ended", "dead"],
    ]);
    expect(events.every(({ event }) => event.body === null)).toBe(true);
  });
});

describe("a listing with bodies", () => {
  /** Half of them are ended and in the archive, the others wait. */
  function ledgerWith(bodies: readonly (Uint8Array | null)[]): Ledger {
    const sql = openNodeSql();
    migrate(sql);
    const ledger = openLedger(sql, LEDGER_LIMITS);
    for (const [index, body] of bodies.entries()) {
      const item = acceptItem(`e${index}`, index % 2 === 0 ? [] : ["ci"]);
      ledger.accept(acceptRequest(`t${index}`, [{ ...item, event: { ...item.event, body } }], 1), START + index);
    }
    return ledger;
  }
  const request = { before: NEWEST, limit: 100, which: "all", filter: {}, withBodies: true } as const;

  it("has every event whole, less its deliveries' attempts, wherever it stands", () => {
    const bodies = [Uint8Array.of(1), Uint8Array.of(2, 3), null, Uint8Array.of(4)];
    const ledger = ledgerWith(bodies);
    const { events, scannedTo } = listEvents(ledger, request);
    expect(events.map(({ event }) => event.body && [...event.body])).toEqual([[4], null, [2, 3], [1]]);
    expect(scannedTo).toBeNull();
    const attempts = [attemptWith("a"), attemptWith("b")];
    const rows = ledgerOf([{ event: storedEvent("e"), deliveries: [deliveryWith({ attempts })] }]).ledger;
    const whole = { ...rows, get: (seq: number) => rows.before(seq + 1, 1, "all")[0] };
    expect(listEvents(whole, request).events[0]?.deliveries).toMatchObject([{ target: "ci", attempts: [] }]);
  });

  it("ends a page when its bodies are PAGE_BYTES_MAX, with one event at least, and shows each once", () => {
    const half = new Uint8Array(PAGE_BYTES_MAX / 2);
    const ledger = ledgerWith([half, half, half, new Uint8Array(2 * PAGE_BYTES_MAX), half, half]);
    const pages: string[][] = [];
    for (let before: number | null = NEWEST; before !== null;) {
      const page = listEvents(ledger, { ...request, before });
      pages.push(page.events.map(({ event }) => event.attributes.id));
      before = page.scannedTo;
    }
    expect(pages.filter((page) => page.length > 0)).toEqual([["e5", "e4"], ["e3"], ["e2", "e1"], ["e0"]]);
  });
});
