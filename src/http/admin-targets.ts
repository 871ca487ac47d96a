/** Admin routes of targets: how they stand, and pausing and resuming them. */
import type { AnnouncePorts } from "../bus/announce.ts";
import { announce } from "../bus/announce.ts";
import type { GatePorts } from "../bus/gate-call.ts";
import { askStatuses, callGate } from "../bus/gate-call.ts";
import type { GatePort, GateReply, TargetStatus } from "../bus/gate-ports.ts";
import type { CompiledTarget, RuleSet } from "../core/rule-set.ts";
import { readQuery } from "./admin-query.ts";
import { problemResponse } from "./problem.ts";
import { createApp } from "./router.ts";

const RETRY_AFTER_SECONDS = 5;
/** Partitions named in an answer. */
export const UNTOLD_SHOWN_MAX = 10;

export interface AdminTargetPorts extends AnnouncePorts, GatePorts {
  readonly ruleSet: RuleSet;
  readonly now: () => number;
}

/** Routes under `/api/targets`; the ports of the request at hand are a variable of its context. */
export function targetRoutes() {
  const app = createApp<{ Variables: { ports: AdminTargetPorts } }>();

  app.get("/", async (c) => {
    const query = readQuery(c.req.url, []);
    if (!query.ok) return badQuery(query.error);
    const { ports } = c.var;
    const { targets } = ports.ruleSet;
    const names = targets.map(({ definition }) => definition.name);
    const statuses = new Map((await askStatuses(names, ports)).map((status) => [status.target, status]));
    return c.json({
      targets: targets.map((target) => showTarget(target, statuses.get(target.definition.name), ports.now())),
    });
  });

  app.post("/:name/pause", (c) =>
    change(c.req.url, c.req.param("name"), (gate, name) => gate.pause(name, "paused"), c.var.ports),
  );
  app.post("/:name/resume", (c) =>
    change(c.req.url, c.req.param("name"), (gate, name) => gate.resume(name), c.var.ports),
  );
  return app;
}

/** Changes the gate, then tells every partition, also when nothing has changed: what an earlier call did not reach. */
async function change(
  url: string,
  name: string,
  make: (gate: GatePort, name: string) => Promise<GateReply>,
  ports: AdminTargetPorts,
): Promise<Response> {
  const query = readQuery(url, []);
  if (!query.ok) return badQuery(query.error);
  const target = ports.ruleSet.target(name);
  if (target === undefined) {
    const detail = "No target has this name; GET /api/targets lists them.";
    return problemResponse("not-found", { status: 404, title: "Not found", detail });
  }
  const reply = await callGate(name, (gate) => make(gate, name), ports);
  if (reply === undefined) {
    return unavailable("The target's gate did not answer in time. Nothing is known to have changed; try again.");
  }
  const { status } = reply;
  const untold = await announce(ports.allPartitions(), [status], ports);
  if (untold.length > 0) {
    return unavailable(
      `The target is ${describeState(status)} now, but ${listed(untold)} could not be told. Try again; the sweep tells them within 15 minutes.`,
    );
  }
  return Response.json(showTarget(target, status, ports.now()));
}

function showTarget({ definition }: CompiledTarget, status: TargetStatus | undefined, now: number) {
  const { name, kind, limits } = definition;
  const base = { name, kind, ...(limits === undefined ? {} : { limits }) };
  // Its gate is out of reach.
  if (status === undefined) return { ...base, state: "unknown" };
  const { state, version } = status;
  if (state.kind !== "held") return { ...base, state: state.kind, version };
  const until = state.forMs === null ? {} : { until: new Date(now + state.forMs).toISOString() };
  return { ...base, state: state.kind, reason: state.reason, ...until, version };
}

function describeState({ state }: TargetStatus): string {
  return state.kind === "held" ? `held (${state.reason})` : state.kind;
}

function listed(partitions: readonly string[]): string {
  const shown = partitions.slice(0, UNTOLD_SHOWN_MAX).join(", ");
  const more = partitions.length - UNTOLD_SHOWN_MAX;
  return `${partitions.length} of its partitions (${shown}${more > 0 ? ` and ${more} more` : ""})`;
}

function badQuery(detail: string): Response {
  return problemResponse("invalid-query", { status: 400, title: "Invalid query", detail });
}

function unavailable(detail: string): Response {
  return problemResponse("try-again", {
    status: 503,
    title: "Try again",
    detail,
    headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
  });
}
