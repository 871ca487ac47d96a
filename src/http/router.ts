/**
 * Hono with the least router that these routes need: paths of plain segments, `:name` for a segment that isn't empty, and `*` at the
 * end for all that follows, nothing included. A slash more at the end is another path. No route is turned into a regular
 * expression, which an isolate would have to compile before its first answer.
 */
import type { Env } from "hono";
import { HonoBase } from "hono/hono-base";
import type { Params, Router } from "hono/router";

/** An app without routes. */
export function createApp<AppEnv extends Env>(): HonoBase<AppEnv> {
  return new HonoBase<AppEnv>({ router: createRouter() });
}

/** Every route that matches, in the order in which they were added. */
export function createRouter<Handler>(): Router<Handler> {
  const routes: { readonly method: string; readonly parts: readonly string[]; readonly handler: Handler }[] = [];
  return {
    name: "segments",
    add(method, path, handler) {
      routes.push({ method, parts: path.split("/"), handler });
    },
    match(method, path) {
      const segments = path.split("/");
      const found: [Handler, Params][] = [];
      for (const route of routes) {
        if (route.method !== method && route.method !== "ALL") continue;
        const params = paramsOf(route.parts, segments);
        if (params !== undefined) found.push([route.handler, params]);
      }
      return [found];
    },
  };
}

/** The segments that the parts name; undefined where the path is another. */
function paramsOf(parts: readonly string[], segments: readonly string[]): Params | undefined {
  const params: Params = {};
  for (const [index, part] of parts.entries()) {
    if (part === "*" && index === parts.length - 1) return params;
    const segment = segments[index];
    if (part.startsWith(":") && segment !== undefined && segment !== "") params[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return parts.length === segments.length ? params : undefined;
}
