/** Every route of the router (docs/operations.md lists them). What a route does stands in a file of its own. */
import type { Context } from "hono";
import { once } from "../core/once.ts";
import { grantHeaders } from "../core/webhook-permission.ts";
import type { AdminPorts } from "./admin.ts";
import { adminRoutes } from "./admin.ts";
import type { DataPorts } from "./data.ts";
import { serveData } from "./data.ts";
import type { IngestPorts } from "./ingest.ts";
import { EVENTS_SOURCE, answerHandshake, ingest } from "./ingest.ts";
import { onlyPost, problemResponse } from "./problem.ts";
import { createApp } from "./router.ts";

export interface HttpPorts extends IngestPorts, AdminPorts, DataPorts {}

export interface AppBindings {
  readonly ports: HttpPorts;
}

export const app = createApp<{ Bindings: AppBindings }>();

app.post("/webhooks/:source", (c) => ingest(c.req.raw, c.req.param("source"), c.env.ports));
app.post("/events", (c) => ingest(c.req.raw, EVENTS_SOURCE, c.env.ports));
app.get("/webhooks/:source", (c) => answerHandshake(c.req.raw, c.req.param("source"), c.env.ports));
app.options("/webhooks/:source", (c) =>
  handshake(c.req.raw, c.env.ports.ruleSet.source(c.req.param("source")) !== undefined),
);
app.options("/events", (c) => handshake(c.req.raw, c.env.ports.ruleSet.source(EVENTS_SOURCE) !== undefined));

// HEAD comes here too.
app.get("/data/:token", (c) => serveData(c.req.raw, c.req.param("token"), c.env.ports));

app.get("/healthz", (c) => c.json({ status: "ok", rules: c.env.ports.rulesVersion.hash }));

/** A router of its own, as most isolates never need it. */
const admin = once(() => {
  const routes = createApp<{ Bindings: AppBindings }>();
  routes.route(
    "/api",
    adminRoutes<AppBindings>((bindings) => bindings.ports),
  );
  return routes.notFound(notFound).onError(failed);
});
app.all("/api/*", (c) => admin().fetch(c.req.raw, c.env));

app.all("/webhooks/:source", () => onlyPost());
app.all("/events", () => onlyPost());

app.notFound(notFound).onError(failed);

function notFound(): Response {
  return problemResponse("not-found", {
    status: 404,
    title: "Not found",
    detail: "Send webhooks to POST /webhooks/<source>, CloudEvents to POST /events.",
  });
}

function failed(error: Error, c: Context<{ Bindings: AppBindings }>): Response {
  c.env.ports.log("request.bug", { path: new URL(c.req.url).pathname.slice(0, 100), error: String(error) });
  return problemResponse("internal-error", {
    status: 500,
    title: "Internal error",
    detail: "Sluice failed on this request; nothing of it was acknowledged.",
  });
}

/**
 * CloudEvents HTTP webhook specification, section 4: a sender asks for permission and gets it. Every request is authenticated
 * all the same, so the permission says nothing about who may send.
 */
function handshake(request: Request, exists: boolean): Response {
  if (!exists)
    return problemResponse("unknown-source", {
      status: 404,
      title: "Unknown source",
      detail: "No source is set up at this address.",
    });
  return new Response(null, { status: 204, headers: { allow: "POST, OPTIONS", ...grantHeaders(request.headers) } });
}
