/** The routes of targets by themselves; test/workers has them behind the token, with real gates and partitions. */
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { partitionNames } from "../../src/bus/layout.ts";
import type { TargetStatus } from "../../src/bus/gate-ports.ts";
import type { AdminTargetPorts } from "../../src/http/admin-targets.ts";
import { targetRoutes, UNTOLD_SHOWN_MAX } from "../../src/http/admin-targets.ts";
import type { GateScript } from "../support/gates.ts";
import { FREE, GATED, PAUSED, replyOf, scriptedGates } from "../support/gates.ts";
import { ruleSetOf } from "../support/rule-sets.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const LIMITS = { rate: { limit: 50, periodMs: 1_000, burst: 10 }, concurrency: 4 };

interface BenchParts {
  readonly gates?: GateScript;
  readonly partitions?: number;
  /** Partitions that can't be told. */
  readonly deaf?: (name: string) => boolean;
}

function openBench({ gates, partitions = 2, deaf = () => false }: BenchParts = {}) {
  const scripted = scriptedGates(gates);
  const told = new Map<string, readonly TargetStatus[]>();
  const ruleSet = ruleSetOf({
    targets: { ci: { limits: LIMITS }, audit: {} },
    rules: { all: { targets: ["ci", "audit"] } },
  });
  const ports: AdminTargetPorts = {
    ruleSet,
    now: () => NOW,
    sleep: () => Promise.resolve(),
    random: () => 0.5,
    within: (work) => work,
    log: () => {},
    gate: scripted.gate,
    allPartitions: () => partitionNames("default", { partitions, partitionsBefore: [] }),
    adminPartition: (name) => ({
      setTargetStatuses: async (statuses) => {
        if (deaf(name)) throw new Error("down");
        told.set(name, statuses);
      },
    }),
  };
  const app = new Hono<{ Variables: { ports: AdminTargetPorts } }>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/targets", targetRoutes());
  return {
    gates: scripted,
    told,
    ask: async (method: string, path: string) => {
      const response = await app.request(path, { method });
      return { status: response.status, headers: response.headers, json: (await response.json()) as unknown };
    },
  };
}

describe("the list of targets", () => {
  it("has names, kinds, limits and states, and nothing of their entries", async () => {
    const { ask } = openBench();
    expect(await ask("GET", "/targets")).toMatchObject({ status: 200 });
    expect((await ask("GET", "/targets")).json).toEqual({
      targets: [
        { name: "ci", kind: "fake", limits: LIMITS, state: "free", version: 1 },
        { name: "audit", kind: "fake", state: "free", version: 1 },
      ],
    });
  });

  it.each([
    [GATED, { state: "gated", version: 1 }],
    [PAUSED, { state: "held", reason: "paused", version: 1 }],
    [
      { kind: "held", reason: "breaker", forMs: 30_000 } as const,
      { state: "held", reason: "breaker", until: "2026-01-31T12:00:30.000Z", version: 1 },
    ],
  ])("shows %o", async (state, shown) => {
    const { ask } = openBench({ gates: (target) => ({ status: async () => replyOf(target, state, false) }) });
    expect((await ask("GET", "/targets")).json).toMatchObject({ targets: [shown, shown] });
  });

  it("says of a target whose gate is out of reach that it does not know", async () => {
    const gates: GateScript = (target) => (target === "ci" ? { status: () => Promise.reject(new Error("no")) } : {});
    expect((await openBench({ gates }).ask("GET", "/targets")).json).toEqual({
      targets: [
        { name: "ci", kind: "fake", limits: LIMITS, state: "unknown" },
        { name: "audit", kind: "fake", state: "free", version: 1 },
      ],
    });
  });

  it("takes no parameters", async () => {
    expect(await openBench().ask("GET", "/targets?state=held")).toMatchObject({ status: 400 });
    expect(await openBench().ask("POST", "/targets/ci/pause?for=1h")).toMatchObject({ status: 400 });
  });
});

describe("pausing and resuming", () => {
  it.each([
    ["pause", ["ci", "paused"], PAUSED, { state: "held", reason: "paused" }],
    ["resume", ["ci"], FREE, { state: "free" }],
  ] as const)("by %s asks the gate, tells every partition and answers the state", async (name, args, state, shown) => {
    for (const changed of [true, false]) {
      const reply = replyOf("ci", state, changed, 7);
      const { ask, gates, told } = openBench({ gates: () => ({ [name]: async () => reply }) });
      const { status, json } = await ask("POST", `/targets/ci/${name}`);
      expect({ status, json }).toEqual({
        status: 200,
        json: { name: "ci", kind: "fake", limits: LIMITS, ...shown, version: 7 },
      });
      expect(gates.calls).toEqual([{ target: "ci", name, args }]);
      // Also when nothing has changed: an earlier call may have reached only some.
      expect([...told]).toEqual([
        ["v1/default/2/0", [reply.status]],
        ["v1/default/2/1", [reply.status]],
      ]);
    }
  });

  it("names the partitions that could not be told, with a 503", async () => {
    const { ask, told } = openBench({
      gates: () => ({ pause: async () => replyOf("ci", PAUSED, true) }),
      deaf: (name) => name.endsWith("/1"),
    });
    const { status, headers, json } = await ask("POST", "/targets/ci/pause");
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("5");
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(json).toEqual({
      type: "urn:sluice:problem:try-again",
      title: "Try again",
      status: 503,
      detail:
        "The target is held (paused) now, but 1 of its partitions (v1/default/2/1) could not be told. Try again; the sweep tells them within 15 minutes.",
    });
    expect([...told.keys()]).toEqual(["v1/default/2/0"]);
  });

  it("names no more than a few of them", async () => {
    for (const [partitions, more] of [
      [UNTOLD_SHOWN_MAX, ""],
      [UNTOLD_SHOWN_MAX + 1, " and 1 more"],
    ] as const) {
      const { ask } = openBench({ partitions, deaf: () => true });
      const { json } = await ask("POST", "/targets/ci/resume");
      const { detail } = json as { readonly detail: string };
      expect(detail).toContain(`${partitions} of its partitions (`);
      expect(detail.match(/v1\/default/g)).toHaveLength(UNTOLD_SHOWN_MAX);
      expect(detail).toContain(`/${UNTOLD_SHOWN_MAX - 1}${more})`);
    }
  });

  it("says that nothing is known to have changed when the gate is out of reach, and tells nobody", async () => {
    const { ask, told } = openBench({ gates: () => ({ pause: () => Promise.reject(new Error("no gate")) }) });
    expect(await ask("POST", "/targets/ci/pause")).toMatchObject({
      status: 503,
      json: { type: "urn:sluice:problem:try-again", detail: expect.stringContaining("did not answer") },
    });
    expect(told.size).toBe(0);
  });

  it.each(["nobody", "__proto__", "constructor", "ci%2Faudit", "CI"])(
    "knows no target %s, and asks no gate",
    async (name) => {
      const { ask, gates } = openBench();
      for (const action of ["pause", "resume"]) {
        expect(await ask("POST", `/targets/${name}/${action}`)).toMatchObject({
          status: 404,
          json: { type: "urn:sluice:problem:not-found" },
        });
      }
      expect(gates.calls).toEqual([]);
    },
  );
});
