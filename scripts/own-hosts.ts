/**
 * Where this router itself is reached, by wrangler.toml: its routes and custom domains, `PUBLIC_URL`, and its addresses on
 * workers.dev. A target there would send events round in a circle.
 * References: https://developers.cloudflare.com/workers/configuration/routing/routes/ (patterns),
 * https://developers.cloudflare.com/workers/configuration/previews/ (`<version or alias>-<name>.<account>.workers.dev`)
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TomlError, parse } from "smol-toml";
import type { AnyTarget } from "../src/core/rule-set.ts";
import type { TargetDefinition } from "../src/core/rule.ts";
import type { Target } from "../src/core/target.ts";
import type { Problem } from "./problem.ts";

const WRANGLER_TOML = join(import.meta.dirname, "../wrangler.toml");

const WORKERS_DEV = ".workers.dev";

export interface OwnHosts {
  /** How the router is reached at a URL's place, in words; undefined when the URL leads elsewhere. */
  readonly wayTo: (url: string) => string | undefined;
}

interface OwnHostsRead {
  readonly hosts: OwnHosts;
  readonly problems: readonly Problem[];
}

/** A place as the checks compare it: normalised, so that two spellings of one host are equal. */
interface Place {
  readonly host: string;
  readonly path: string;
}

interface Way {
  readonly leadsTo: (place: Place) => boolean;
  readonly name: string;
}

/** Without the file, or with one that is no TOML, nothing is known to be the router's; the latter is a problem. */
export async function readOwnHosts(file = WRANGLER_TOML): Promise<OwnHostsRead> {
  const nowhere: OwnHosts = { wayTo: () => undefined };
  try {
    return { hosts: ownHostsOf(parse(await readFile(file, "utf8"))), problems: [] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { hosts: nowhere, problems: [] };
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    const message = `expected TOML: ${error.message.split("\n", 1)[0]}`;
    return { hosts: nowhere, problems: [{ file, line, column, message, severity: "error" }] };
  }
}

/** `config` is wrangler's; what of it is not as wrangler wants it names no host, and wrangler says so itself. */
export function ownHostsOf(config: unknown): OwnHosts {
  const ways = waysIn(config, textAt(config, "name"));
  const environments = memberOf(config, "env");
  if (isObject(environments)) {
    for (const [environment, settings] of Object.entries(environments)) {
      const name = textAt(settings, "name") ?? `${textAt(config, "name") ?? ""}-${environment}`;
      ways.push(...waysIn(settings, name));
    }
  }
  return {
    wayTo: (url) => {
      const place = placeOf(url);
      return place === undefined ? undefined : ways.find(({ leadsTo }) => leadsTo(place))?.name;
    },
  };
}

/** The problem of each target that sends to this router. `locate` finds a target's own key in targets.yaml. */
export function ownHostProblems(
  targets: readonly TargetDefinition[],
  kinds: Readonly<Record<string, AnyTarget>>,
  hosts: OwnHosts,
  locate: (target: TargetDefinition) => Pick<Problem, "file" | "line" | "column">,
): readonly Problem[] {
  return targets.flatMap((target): readonly Problem[] => {
    const kind = kinds[target.kind] as Target<unknown> | undefined;
    const parsed = kind?.parse(target.entry);
    const urls = kind === undefined || parsed?.ok !== true ? [] : kind.urls(parsed.value);
    const way = urls.map((url) => hosts.wayTo(url)).find((found) => found !== undefined);
    if (way === undefined) return [];
    const message =
      `the target ${target.name} sends to this router itself (${way} in wrangler.toml), which would be a loop; ` +
      "for another bus of it, use a target such as { bus: audit }";
    return [{ ...locate(target), message, severity: "error" }];
  });
}

function waysIn(settings: unknown, name: string | undefined): Way[] {
  const ways: Way[] = [];
  const routes = memberOf(settings, "routes");
  const route = memberOf(settings, "route");
  for (const each of [...(Array.isArray(routes) ? (routes as readonly unknown[]) : []), route]) {
    const pattern = typeof each === "string" ? each : textAt(each, "pattern");
    const leadsTo = pattern === undefined ? undefined : routeTest(pattern, textAt(each, "zone_name"));
    if (pattern !== undefined && leadsTo !== undefined) ways.push({ leadsTo, name: `the route ${pattern}` });
  }
  const publicUrl = textAt(memberOf(settings, "vars"), "PUBLIC_URL");
  const publicHost = publicUrl === undefined ? undefined : hostOf(publicUrl.replace(/^[a-z][a-z0-9+.-]*:\/\//i, ""));
  if (publicHost !== undefined) ways.push({ leadsTo: ({ host }) => host === publicHost, name: "PUBLIC_URL" });
  if (name !== undefined && name !== "") {
    const own = name.toLowerCase();
    ways.push({
      leadsTo: ({ host }) => isOnWorkersDev(host, own),
      name: `the name ${name}, which is its workers.dev address`,
    });
  }
  return ways;
}

/** `<name>.<account>.workers.dev`, and a version's or an alias's `<prefix>-<name>.<account>.workers.dev`. */
function isOnWorkersDev(host: string, name: string): boolean {
  if (!host.endsWith(WORKERS_DEV)) return false;
  const [worker = "", account, ...others] = host.slice(0, -WORKERS_DEV.length).split(".");
  return account !== undefined && others.length === 0 && (worker === name || worker.endsWith(`-${name}`));
}

/** A route's pattern as a test. A `*` may stand at the host's beginning and at the path's end; without a path it's a domain. */
function routeTest(pattern: string, zone: string | undefined): ((place: Place) => boolean) | undefined {
  const text = pattern.replace(/^[a-z*]+:\/\//i, "");
  const slash = text.indexOf("/");
  const writtenHost = slash === -1 ? text : text.slice(0, slash);
  const isOpen = writtenHost.startsWith("*");
  const rest = isOpen ? writtenHost.slice(1) : writtenHost;
  // `*/*` is every host of the zone, whose name does not stand in the pattern.
  const host = hostOf((rest === "" ? zone : rest.replace(/^\./, "")) ?? "");
  if (host === undefined) return undefined;
  const suffix = rest === "" || rest.startsWith(".") ? `.${host}` : host;
  const isSingle = !isOpen || rest === "";
  const path = slash === -1 ? "/*" : text.slice(slash);
  const isPrefix = path.endsWith("*");
  const wanted = decoded(isPrefix ? path.slice(0, -1) : path);
  return (place) =>
    ((isOpen && place.host.endsWith(suffix)) || (isSingle && place.host === host)) &&
    (isPrefix ? place.path.startsWith(wanted) : place.path === wanted);
}

/** The host as the URL parser understands it: lower case, in its ASCII form, without port and last dot. */
function hostOf(authority: string): string | undefined {
  const url = `https://${authority}`;
  return URL.canParse(url) ? placeOf(url)?.host : undefined;
}

function placeOf(url: string): Place | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, pathname } = new URL(url);
  return { host: hostname.replace(/\.$/, ""), path: decoded(pathname) };
}

/** Percent-encoding hides nothing: the edge and the router read `/%77ebhooks` as `/webhooks`. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function textAt(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : undefined;
}
