import { describe, expect, it } from "vitest";
import { HOLD_MS_MIN } from "../../src/core/breaker.ts";
import { GATE_SCHEMA_VERSION, openGateEngine } from "../../src/objects/gate-engine.ts";
import { writeMeta } from "../../src/objects/schema.ts";
import type { Sql } from "../../src/objects/sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = 1_800_000_000_000;
const LIMITS = { rate: { limit: 1, periodMs: 1_000, burst: 1 }, concurrency: 1 };

function openGate(sql = openNodeSql()) {
  const clock = { now: START };
  const open = (over: Sql = sql) => openGateEngine({ sql: over, now: () => clock.now, random: () => 0 });
  const request = (token: string, limits = {}) => ({
    target: "ci",
    token,
    limits,
    forMs: 20_000,
    waitMsMax: 0,
  });
  const written = (work: () => unknown): number => {
    const before = sql.rowsWritten();
    work();
    return sql.rowsWritten() - before;
  };
  const engine = open();
  const fail = (times: number): void => {
    for (let time = 0; time < times; time++) {
      engine.acquire(request(`f${time}`, { concurrency: 99 }));
      engine.finish(`f${time}`, "failed", "ci");
    }
  };
  return { sql, clock, open, request, written, fail, engine };
}

const FREE = { target: "ci", version: 0, state: { kind: "free" } };

describe("a gate's answers", () => {
  it("carry how the target stands, and whether that is new", () => {
    const { engine, request, clock, fail } = openGate();
    expect(engine.status("ci")).toEqual({ status: FREE, changed: false });
    expect(engine.acquire(request("a"))).toEqual({
      kind: "granted",
      waitMs: 0,
      finish: false,
      status: FREE,
      changed: false,
    });
    const watched = { target: "ci", version: 1, state: { kind: "gated" } };
    expect(engine.report({ target: "ci", attempts: 10, failures: 10 })).toEqual({ status: watched, changed: true });
    expect(engine.report({ target: "ci", attempts: 10, failures: 10 })).toEqual({ status: watched, changed: false });
    const opened = { target: "ci", version: 2, state: { kind: "held", reason: "breaker", forMs: HOLD_MS_MIN } };
    fail(9);
    engine.acquire(request("tenth"));
    expect(engine.finish("tenth", "failed", "ci")).toEqual({ status: opened, changed: true });
    expect(engine.finish("tenth", "failed", "ci")).toEqual({ status: opened, changed: false });
    expect(engine.acquire(request("b"))).toEqual({
      kind: "denied",
      retryAfterMs: HOLD_MS_MIN,
      status: opened,
      changed: false,
    });
    clock.now += HOLD_MS_MIN;
    expect(engine.acquire(request("probe"))).toMatchObject({ kind: "granted", finish: true, changed: false });
    const gated = { target: "ci", version: 3, state: { kind: "gated" } };
    expect(engine.finish("probe", "succeeded", "ci")).toEqual({ status: gated, changed: true });
    expect(engine.finish("probe", "succeeded", "ci")).toEqual({ status: gated, changed: false });
    const paused = { target: "ci", version: 4, state: { kind: "held", reason: "target-gone", forMs: null } };
    expect(engine.pause("ci", "target-gone")).toEqual({ status: paused, changed: true });
    expect(engine.pause("ci", "target-gone")).toEqual({ status: paused, changed: false });
    expect(engine.resume("ci")).toEqual({ status: { ...FREE, version: 5 }, changed: true });
    expect(engine.status("ci")).toEqual({ status: { ...FREE, version: 5 }, changed: false });
  });

  it("say who finds out that a probe is lost, who then tells it", () => {
    const { engine, request, clock, fail } = openGate();
    fail(10);
    clock.now += HOLD_MS_MIN;
    engine.acquire(request("lost"));
    clock.now += 20_000;
    expect(engine.status("ci")).toMatchObject({ status: { version: 2 }, changed: false });
    expect(engine.acquire(request("next"))).toMatchObject({ kind: "denied", status: { version: 2 }, changed: true });
    expect(engine.acquire(request("next"))).toMatchObject({ kind: "denied", status: { version: 2 }, changed: false });
  });
});

describe("a gate's row", () => {
  it("is written once by a call that changes something, and not by one that does not", () => {
    const { engine, request, written, clock } = openGate();
    expect(written(() => engine.status("ci"))).toBe(0);
    expect(written(() => engine.acquire(request("no limits")))).toBe(0);
    expect(written(() => engine.acquire(request("a", LIMITS)))).toBe(1);
    expect(written(() => engine.acquire(request("a", LIMITS)))).toBe(0);
    expect(written(() => engine.acquire(request("b", LIMITS)))).toBe(0);
    expect(written(() => engine.finish("a", "failed", "ci"))).toBe(1);
    expect(written(() => engine.finish("a", "failed", "ci"))).toBe(0);
    expect(written(() => engine.acquire(request("c", LIMITS)))).toBe(0);
    expect(written(() => engine.report({ target: "ci", attempts: 0, failures: 0 }))).toBe(0);
    expect(written(() => engine.report({ target: "ci", attempts: 1, failures: 0 }))).toBe(1);
    expect(written(() => engine.pause("ci", "paused"))).toBe(1);
    expect(written(() => engine.pause("ci", "paused"))).toBe(0);
    expect(written(() => engine.resume("ci"))).toBe(1);
    expect(written(() => engine.resume("ci"))).toBe(0);
    clock.now += 1_000;
    expect(written(() => engine.acquire(request("d", LIMITS)))).toBe(1);
    // A permit that has ended is no reason to write.
    clock.now += 20_000;
    expect(written(() => engine.status("ci"))).toBe(0);
    expect(written(() => engine.acquire(request("e")))).toBe(0);
  });

  it("is all that a new instance needs", () => {
    const { engine, open, request, clock } = openGate();
    engine.acquire(request("a", LIMITS));
    engine.pause("ci", "paused");
    const next = open();
    expect(next.status("ci")).toEqual(engine.status("ci"));
    next.resume("ci");
    expect(next.acquire(request("b", LIMITS)).kind).toBe("denied");
    expect(next.acquire(request("a", LIMITS)).kind).toBe("granted");
    expect(next.finish("a", "succeeded", "ci").status).toEqual({ ...FREE, version: 2 });
    clock.now += 1_000;
    expect(next.acquire(request("b", LIMITS)).kind).toBe("granted");
  });

  it("that can't be written leaves the gate as it was", () => {
    const { sql, open, request } = openGate();
    const broken = { full: false };
    const engine = open({
      ...sql,
      run: (query, ...params) => {
        if (broken.full) throw new Error("disk full");
        sql.run(query, ...params);
      },
    });
    broken.full = true;
    expect(() => engine.acquire(request("a", LIMITS))).toThrow("disk full");
    expect(() => engine.pause("ci", "paused")).toThrow("disk full");
    broken.full = false;
    expect(engine.status("ci")).toEqual({ status: FREE, changed: false });
    expect(engine.acquire(request("b", LIMITS)).kind).toBe("granted");
  });

  it("belongs to one target", () => {
    const { engine } = openGate();
    engine.pause("ci", "paused");
    expect(() => engine.pause("audit", "paused")).toThrow("this is the gate of ci");
    expect(() => engine.finish("a", "unsent", "audit")).toThrow("this is the gate of ci");
  });

  it("is made by a token that is given back, though nothing was asked before", () => {
    const { engine, open, request, written } = openGate();
    expect(written(() => engine.finish("late", "failed", "ci"))).toBe(0);
    expect(written(() => engine.finish("late", "unsent", "ci"))).toBe(1);
    expect(written(() => engine.finish("late", "unsent", "ci"))).toBe(0);
    expect(open().acquire(request("late")).kind).toBe("denied");
  });
});

describe("the gate's table", () => {
  it("is made once", () => {
    const { sql, open, written } = openGate();
    const schema = () => sql.all("SELECT name, sql FROM sqlite_master ORDER BY name");
    const made = schema();
    expect(written(() => open())).toBe(0);
    expect(schema()).toEqual(made);
  });

  it("is refused when a newer Sluice has written it", () => {
    const { sql, open } = openGate();
    writeMeta(sql, "schema", String(GATE_SCHEMA_VERSION + 1));
    expect(() => open()).toThrow(
      `the gate's table has version ${GATE_SCHEMA_VERSION + 1}, this Sluice knows up to ${GATE_SCHEMA_VERSION}`,
    );
  });
});
