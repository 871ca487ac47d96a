/** The admin API: what was accepted, what became of it, what was refused, opening dead deliveries again, sources and targets. */
import type { Layouts } from "../bus/layout.ts";
import { partitionNames } from "../bus/layout.ts";
import { inPool } from "../bus/pool.ts";
import type { AdminPartitionPort, RejectionEntry } from "../bus/ports.ts";
import type { Attempt, Delivery, RulesVersion } from "../core/delivery.ts";
import { isOpen } from "../core/delivery.ts";
import { eventView } from "../core/event.ts";
import { formatReceipt, parseReceipt } from "../core/receipt.ts";
import type { Hashing } from "../core/source.ts";
import { targetMark } from "../core/target-mark.ts";
import type { AdminExplainPorts } from "./admin-explain.ts";
import { explainRoutes } from "./admin-explain.ts";
import { logRoutes } from "./admin-log.ts";
import { readLimit, readQuery, readSearch, SEARCH_PARAMETERS } from "./admin-query.ts";
import type { AdminSourcePorts } from "./admin-sources.ts";
import { sourceRoutes } from "./admin-sources.ts";
import type { AdminTargetPorts } from "./admin-targets.ts";
import { targetRoutes } from "./admin-targets.ts";
import { readBody } from "./body.ts";
import type { FoundEvent, SearchRequest } from "./event-search.ts";
import { formatCursor, SEARCH_CALLS_MAX, searchEvents } from "./event-search.ts";
import { gone, isPastLog, noReceipt, notFound } from "./missing-event.ts";
import { problemResponse, rejectionResponse } from "./problem.ts";
import { parseRedrive, REDRIVE_BODY_BYTES_MAX } from "./redrive-request.ts";
import { createApp } from "./router.ts";

export interface AdminPorts extends Layouts, AdminTargetPorts, AdminSourcePorts, AdminExplainPorts {
  readonly rulesVersion: RulesVersion;
  readonly adminToken: string | undefined;
  readonly hashing: Hashing;
  readonly adminPartition: (name: string) => AdminPartitionPort;
}

/** Routes under `/api`. `portsOf` gives the ports of the request at hand. */
export function adminRoutes<Bindings extends object>(portsOf: (bindings: Bindings) => AdminPorts) {
  const app = createApp<{ Bindings: Bindings; Variables: { ports: AdminPorts } }>();

  app.use(async (c, next) => {
    const ports = portsOf(c.env);
    c.set("ports", ports);
    if (ports.adminToken === undefined) {
      return problemResponse("admin-closed", {
        status: 403,
        title: "Admin API closed",
        detail:
          "No ADMIN_TOKEN is set. Set one with `wrangler secret put ADMIN_TOKEN`, or in .dev.vars for a local run.",
      });
    }
    const sent = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
    const { sha256, equalBytes } = ports.hashing;
    // Hashed first, so that the comparison takes the same time whatever the lengths.
    if (!equalBytes(sha256(sent), sha256(ports.adminToken))) {
      return problemResponse("wrong-admin-token", {
        status: 401,
        title: "Wrong admin token",
        detail: "Send the header Authorization: Bearer <ADMIN_TOKEN>.",
        headers: { "www-authenticate": "Bearer" },
      });
    }
    await next();
    c.header("cache-control", "no-store");
    return undefined;
  });

  app.get("/events", async (c) => {
    const query = readQuery(c.req.url, [...SEARCH_PARAMETERS, "shadow"]);
    const request = query.ok ? readSearch(query.value, "all") : query;
    if (!request.ok) return badQuery(request.error);
    const { found, next } = await search(c.var.ports, request.value);
    return c.json({ events: found.map(showFound), next: next === null ? null : formatCursor(next) });
  });

  app.get("/events/:id", async (c) => {
    const query = readQuery(c.req.url, []);
    if (!query.ok) return badQuery(query.error);
    const parts = parseReceipt(c.req.param("id"));
    if (parts === null) return noReceipt();
    const event = await c.var.ports.adminPartition(parts.partition).get(parts.seq);
    if (event === null) return gone(c.var.ports, parts.seq);
    const { data, data_base64 } = eventView({ attributes: event.event.attributes, body: event.event.body });
    const payload = { ...(data === undefined ? {} : { data }), ...(data_base64 === undefined ? {} : { data_base64 }) };
    return c.json({
      ...showEvent({ partition: parts.partition, event }),
      event: { ...event.event.attributes, ...payload },
      deliveries: event.deliveries.map(showDelivery),
    });
  });

  app.get("/deliveries", async (c) => {
    const query = readQuery(c.req.url, ["state", "rule", "target", ...SEARCH_PARAMETERS]);
    if (!query.ok) return badQuery(query.error);
    const state = query.value.get("state");
    if (state !== "dead" && state !== "parked") return badQuery("state: expected dead or parked");
    const request = readSearch(query.value, state);
    if (!request.ok) return badQuery(request.error);
    const [rule, target] = [query.value.get("rule"), query.value.get("target")];
    const { found, next } = await search(c.var.ports, request.value);
    const deliveries = found.flatMap(({ partition, event }) =>
      event.deliveries
        .filter((delivery) => delivery.state.kind === state)
        .filter(
          (delivery) =>
            (rule === undefined || delivery.rule === rule) && (target === undefined || delivery.target === target),
        )
        .map((delivery) => ({ event: showEvent({ partition, event }), ...showDelivery(delivery) })),
    );
    return c.json({ deliveries, next: next === null ? null : formatCursor(next) });
  });

  app.post("/redrive", async (c) => {
    const query = readQuery(c.req.url, []);
    if (!query.ok) return badQuery(query.error);
    const body = await readBody(c.req.raw, REDRIVE_BODY_BYTES_MAX);
    if (!body.ok) return rejectionResponse(body.error);
    const wanted = parseRedrive(body.value);
    if (!wanted.ok) return badRequest(wanted.error);
    const { ports } = c.var;
    const results = await Promise.all(
      wanted.value.map(async ({ event, delivery }) => {
        const parts = parseReceipt(event);
        if (parts === null) return { event, redriven: 0, problem: "unknown-event" };
        const redriven = await ports.adminPartition(parts.partition).redrive(parts.seq, delivery ?? null);
        if (redriven === "full") return { event, redriven: 0, problem: "backlog-full" };
        if (redriven !== null) return { event, redriven, ...(redriven === 0 ? { problem: "nothing-dead" } : {}) };
        return { event, redriven: 0, problem: isPastLog(ports, parts.seq) ? "body-evicted" : "unknown-event" };
      }),
    );
    const status = results.every((result) => result.redriven === 0) ? 404 : 202;
    return c.json({ redriven: results.reduce((sum, result) => sum + result.redriven, 0), results }, status);
  });

  app.get("/rules", (c) => {
    const query = readQuery(c.req.url, []);
    if (!query.ok) return badQuery(query.error);
    const { ruleSet, rulesVersion, hashing } = c.var.ports;
    return c.json({
      version: rulesVersion.hash,
      deployedAt: new Date(rulesVersion.deployedAt).toISOString(),
      rules: ruleSet.rules.map((rule) => rule.definition),
      sources: ruleSet.sources.map(({ definition }) => ({
        name: definition.name,
        kind: definition.kind,
        bus: definition.bus,
      })),
      targets: ruleSet.targets.map(({ definition }) => ({
        ...targetMark(definition, hashing.sha256),
        ...(definition.limits === undefined ? {} : { limits: definition.limits }),
      })),
    });
  });

  app.get("/rejections", async (c) => {
    const query = readQuery(c.req.url, ["limit"]);
    const limit = query.ok ? readLimit(query.value) : query;
    if (!limit.ok) return badQuery(limit.error);
    const names = allPartitions(c.var.ports);
    let rejections: readonly RejectionEntry[] = [];
    await inPool(names, SEARCH_CALLS_MAX, async (name) => {
      const found = await c.var.ports.adminPartition(name).listRejections(limit.value);
      rejections = [...rejections, ...found].toSorted((a, b) => b.at - a.at).slice(0, limit.value);
    });
    return c.json({ rejections: rejections.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })) });
  });

  app.route("/explain", explainRoutes());
  app.route("/log", logRoutes());
  app.route("/sources", sourceRoutes());
  app.route("/targets", targetRoutes());

  // A handler, not app.notFound: the app that these routes are mounted in has its own.
  app.all("*", () => notFound("No such admin route; see docs/operations.md for the list."));
  return app;
}

/** Every partition of every bus. */
export function allPartitions(ports: Pick<AdminPorts, "ruleSet" | keyof Layouts>): readonly string[] {
  return ports.ruleSet.buses.flatMap((bus) => partitionNames(bus, ports));
}

function search(ports: AdminPorts, request: SearchRequest) {
  return searchEvents(allPartitions(ports), ports.adminPartition, request);
}

function showFound(found: FoundEvent) {
  const deliveries = found.event.deliveries.map(({ id, rule, target, state, attemptCount }) => ({
    id,
    rule,
    target,
    state: state.kind,
    attempts: attemptCount,
  }));
  return { ...showEvent(found), deliveries };
}

function showEvent({ partition, event }: FoundEvent) {
  const { id, source, type, subject, time } = event.event.attributes;
  return {
    id: formatReceipt({ partition, seq: event.seq }),
    acceptedAt: new Date(event.acceptedAt).toISOString(),
    status: event.status,
    from: event.event.source,
    bus: event.event.bus,
    rules: event.event.rules,
    ...(event.event.replayOf === undefined ? {} : { replayOf: event.event.replayOf }),
    ...(event.event.large === undefined ? {} : { large: { bytes: event.event.large.bytes } }),
    ...(event.event.shadow === undefined ? {} : { shadow: event.event.shadow }),
    event: { id, source, type, ...(subject === undefined ? {} : { subject }), ...(time === undefined ? {} : { time }) },
  };
}

function showDelivery(delivery: Delivery) {
  const { id, rule, target, state, note, attemptCount, expiresAt, attempts } = delivery;
  return {
    delivery: id,
    rule,
    target,
    state: state.kind,
    ...("reason" in state ? { reason: state.reason } : {}),
    ...("detail" in state ? { detail: state.detail } : {}),
    ...(note === undefined ? {} : { note }),
    ...("at" in state ? { [state.kind === "parked" ? "parkedAt" : "endedAt"]: new Date(state.at).toISOString() } : {}),
    ...(isOpen(delivery) ? { expiresAt: new Date(expiresAt).toISOString() } : {}),
    ...("dueAt" in state ? { dueAt: new Date(state.dueAt).toISOString() } : {}),
    attemptCount,
    attempts: attempts.map(showAttempt),
  };
}

/** An attempt without its lease's token, which is nobody's business but the partition's. */
function showAttempt({ token: _token, startedAt, ...attempt }: Attempt) {
  return { startedAt: new Date(startedAt).toISOString(), ...attempt };
}

function badQuery(detail: string): Response {
  return problemResponse("invalid-query", { status: 400, title: "Invalid query", detail });
}

function badRequest(detail: string): Response {
  return problemResponse("invalid-request", { status: 400, title: "Invalid request", detail });
}
