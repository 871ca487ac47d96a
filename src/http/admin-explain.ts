/**
 * `GET /api/explain/:id?rule=`: what the deployed rules do with an accepted event. For each rule of the event's bus, or for
 * the one named, why it matches or not, and each delivery as it would be sent now; secrets stand in it by name only.
 *
 * It answers `{version, …}` and the members of `Explanation` in src/core/explain.ts.
 */
import type { StoredProblem } from "../bus/large-view.ts";
import { pruneStored } from "../bus/large-view.ts";
import type { AdminPartitionPort, StoredEvent } from "../bus/ports.ts";
import type { RulesVersion } from "../core/delivery.ts";
import { eventView } from "../core/event.ts";
import { explainEvent } from "../core/explain.ts";
import { unknownName } from "../core/read-object.ts";
import { parseReceipt } from "../core/receipt.ts";
import type { JsonObject, Result } from "../core/result.ts";
import { ok } from "../core/result.ts";
import type { RuleSet } from "../core/rule-set.ts";
import type { LargeBody, TargetIo } from "../core/target.ts";
import { wantedByPatterns, wantedByTransform } from "../core/wanted-paths.ts";
import { readQuery } from "./admin-query.ts";
import { gone, noReceipt } from "./missing-event.ts";
import { problemResponse } from "./problem.ts";
import { createApp } from "./router.ts";

export interface AdminExplainPorts {
  readonly ruleSet: RuleSet;
  readonly rulesVersion: RulesVersion;
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "get">;
  readonly io: Pick<TargetIo, "local" | "openBody">;
  readonly now: () => number;
}

/** Routes under `/api/explain`; the ports of the request at hand are a variable of its context. */
export function explainRoutes() {
  const app = createApp<{ Variables: { ports: AdminExplainPorts } }>();

  app.get("/:id", async (c) => {
    const { ruleSet, rulesVersion, adminPartition, io, now } = c.var.ports;
    const query = readQuery(c.req.url, ["rule"]);
    if (!query.ok) return badQuery(query.error);
    const receipt = c.req.param("id");
    const parts = parseReceipt(receipt);
    if (parts === null) return noReceipt();
    const stored = await adminPartition(parts.partition).get(parts.seq);
    if (stored === null) return gone({ now }, parts.seq);
    const { attributes, body, bus, rawHeaders, large } = stored.event;
    const rule = query.value.get("rule");
    if (rule !== undefined && ruleSet.rule(rule)?.definition.bus !== bus) {
      const known = ruleSet.rules.map(({ definition }) => definition).filter((definition) => definition.bus === bus);
      return badQuery(
        `rule: ${unknownName(
          `rule of the event's bus ${bus}`,
          rule,
          known.map(({ path }) => path),
        )}`,
      );
    }
    const ids = new Map(stored.deliveries.map(({ rule, target, id }) => [`${rule} ${target}`, id]));
    const view = large === undefined ? undefined : await viewOfLarge(ruleSet, bus, stored.event, large, io);
    if (view?.ok === false) {
      const { reason, detail } = view.error;
      return problemResponse(`explain-${reason}`, {
        status: 409,
        title: "Not explained",
        detail: `Not explained: ${detail}.`,
      });
    }
    const explained = {
      ...(large === undefined || view === undefined ? {} : { large: { body: large, view: view.value } }),
      event: { attributes, body },
      bus,
      rawHeaders,
      acceptedAt: stored.acceptedAt,
      receipt,
      deliveryId: (of: string, target: string) => ids.get(`${of} ${target}`),
    };
    const explanation = await explainEvent(ruleSet, explained, {
      local: io.local,
      ...(rule === undefined ? {} : { rule }),
    });
    return c.json({ version: rulesVersion.hash, ...explanation });
  });

  return app;
}

function badQuery(detail: string): Response {
  return problemResponse("invalid-query", { status: 400, title: "Invalid query", detail });
}

/** What the rules of the bus name of a payload in the body store. */
async function viewOfLarge(
  ruleSet: RuleSet,
  bus: string,
  { attributes }: StoredEvent,
  { key }: LargeBody,
  { openBody }: Pick<TargetIo, "openBody">,
): Promise<Result<JsonObject, StoredProblem>> {
  const byTransforms = ruleSet.rules.flatMap(({ definition, transform }) => {
    const wanted = definition.bus === bus && transform !== undefined ? wantedByTransform(transform) : ok([]);
    // Of one that can't be told, the explanation says so.
    return wanted.ok ? wanted.value : [];
  });
  const body = await pruneStored([...wantedByPatterns(ruleSet, bus), ...byTransforms], key, openBody);
  return body.ok ? ok(eventView({ attributes, body: body.value })) : body;
}
