/** Admin route of sources: who may send, and when each secret was last of use, so that an old one can be removed knowingly. */
import { inPool } from "../bus/pool.ts";
import type { AdminPartitionPort } from "../bus/ports.ts";
import type { CompiledSource, RuleSet } from "../core/rule-set.ts";
import type { SourceContext } from "../core/source.ts";
import { readQuery } from "./admin-query.ts";
import { SEARCH_CALLS_MAX } from "./event-search.ts";
import { EVENTS_SOURCE } from "./ingest.ts";
import { problemResponse } from "./problem.ts";
import { createApp } from "./router.ts";

export interface AdminSourcePorts {
  readonly ruleSet: RuleSet;
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "listVerifications">;
  readonly allPartitions: () => readonly string[];
  readonly secret: SourceContext["secret"];
}

/** Routes under `/api/sources`; the ports of the request at hand are a variable of its context. */
export function sourceRoutes() {
  const app = createApp<{ Variables: { ports: AdminSourcePorts } }>();

  app.get("/", async (c) => {
    const query = readQuery(c.req.url, []);
    if (!query.ok) {
      return problemResponse("invalid-query", { status: 400, title: "Invalid query", detail: query.error });
    }
    const { ports } = c.var;
    const newest = await newestVerifications(ports);
    return c.json({ sources: ports.ruleSet.sources.map((source) => showSource(source, newest, ports.secret)) });
  });
  return app;
}

/** By source and secret. The partition of a source's name changes with `PARTITIONS`, so all are asked. */
async function newestVerifications(ports: AdminSourcePorts): Promise<ReadonlyMap<string, number>> {
  const newest = new Map<string, number>();
  await inPool(ports.allPartitions(), SEARCH_CALLS_MAX, async (name) => {
    for (const { source, secret, at } of await ports.adminPartition(name).listVerifications()) {
      const key = `${source} ${secret}`;
      newest.set(key, Math.max(at, newest.get(key) ?? 0));
    }
  });
  return newest;
}

/** Secrets by name only. */
function showSource(
  { definition: { name, kind, bus }, source, config }: CompiledSource,
  newest: ReadonlyMap<string, number>,
  secret: SourceContext["secret"],
) {
  return {
    name,
    kind,
    bus,
    paths: [`/webhooks/${name}`, ...(name === EVENTS_SOURCE ? ["/events"] : [])],
    open: source.isOpen(config),
    secrets: source.secretNames(config).map((each) => {
      const at = newest.get(`${name} ${each}`);
      return {
        name: each,
        set: secret(each) !== undefined,
        lastVerifiedAt: at === undefined ? null : new Date(at).toISOString(),
      };
    }),
  };
}
