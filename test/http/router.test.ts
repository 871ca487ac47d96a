import { describe, expect, it } from "vitest";
import { createApp, createRouter } from "../../src/http/router.ts";

function matches(method: string, path: string, ...routes: readonly (readonly [method: string, path: string])[]) {
  const router = createRouter<string>();
  for (const [name, route] of routes) router.add(name, route, `${name} ${route}`);
  return router.match(method, path)[0];
}

describe("the router", () => {
  it.each([
    ["/events", "/events", {}],
    ["/events/:id", "/events/7", { id: "7" }],
    ["/targets/:name/pause", "/targets/ci/pause", { name: "ci" }],
    ["/api/*", "/api/events/7", {}],
    ["/api/*", "/api/", {}],
    ["/api/*", "/api", {}],
    ["/*", "/", {}],
    ["/:__proto__x", "/a", { __proto__x: "a" }],
  ])("finds %s at %s", (route, path, params) => {
    expect(matches("GET", path, ["GET", route])).toEqual([[`GET ${route}`, params]]);
  });

  it.each([
    ["/events", "/events/"],
    ["/events", "/EVENTS"],
    ["/events", "/event"],
    ["/events", "/"],
    ["/events/:id", "/events"],
    ["/events/:id", "/events/"],
    ["/events/:id", "/events/7/more"],
    ["/targets/:name/pause", "/targets//pause"],
    ["/api/*", "/apis"],
    ["/a.b", "/aXb"],
  ])("does not find %s at %s", (route, path) => {
    expect(matches("GET", path, ["GET", route])).toEqual([]);
  });

  it("goes by the method, and tells all that match in their order", () => {
    const routes = [
      ["ALL", "/*"],
      ["POST", "/events"],
      ["GET", "/events"],
      ["ALL", "/events"],
    ] as const;
    const found = (method: string) => matches(method, "/events", ...routes).map(([handler]) => handler);
    expect(found("GET")).toEqual(["ALL /*", "GET /events", "ALL /events"]);
    expect(found("PUT")).toEqual(["ALL /*", "ALL /events"]);
  });
});

describe("an app", () => {
  it("has parameters decoded, middleware, and routes of another app under a path", async () => {
    const inner = createApp<{ Variables: { from: string } }>();
    inner.use(async (c, next) => {
      c.set("from", "middleware");
      await next();
    });
    inner.get("/", (c) => c.text(`list ${c.var.from}`));
    inner.get("/:id", (c) => c.text(`${c.req.param("id")} ${c.var.from}`));
    const app = createApp<object>();
    app.route("/api/things", inner);
    const text = async (path: string) => (await app.request(path)).text();
    expect(await text("/api/things")).toBe("list middleware");
    expect(await text("/api/things/a%20b")).toBe("a b middleware");
    expect((await app.request("/api/things/")).status).toBe(404);
    expect((await app.request("/api/things", { method: "HEAD" })).status).toBe(200);
  });
});
