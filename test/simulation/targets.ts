/** Targets that answer as real ones do, and remember what they saw of each delivery. */
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { Seen } from "./endings.ts";
import type { GateWatch } from "./gate-watch.ts";
import type { LaneWatch } from "./lane-watch.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";
import { UNHEARD } from "./shadow-watch.ts";

/** Who sends. */
export interface Requester {
  readonly ruleSet: RuleSet;
  /** A request's life ends with its sender's: gets what ends it. */
  readonly onDeath: (() => void)[];
}

export interface Targets {
  readonly request: (url: string, init: RequestInit, requester: Requester) => Promise<Response>;
}

export interface TargetPorts {
  readonly setting: Setting;
  readonly seen: Map<string, Seen>;
  readonly registry: Registry;
  readonly lanes: LaneWatch;
  readonly gates: GateWatch;
}

export function openTargets({ setting, seen, registry, lanes, gates }: TargetPorts): Targets {
  const { timeline, chance, chaos, features, violations, count } = setting;
  return {
    request(url, init, { ruleSet, onDeath }) {
      const name = new URL(url).hostname.split(".")[0] ?? "";
      const headers = new Headers(init.headers);
      const id = headers.get("webhook-id") ?? "";
      const type = headers.get("ce-type") ?? "";
      const record = seen.get(id) ?? { requests: 0, successes: 0, refusals: 0, inFlight: 0 };
      seen.set(id, record);
      count("requests");
      record.requests += 1;
      record.inFlight += 1;
      if (record.inFlight > 1) violations.push(`two requests at once for ${id}`);
      const known = registry.delivery(id);
      if (known !== undefined && known.event.attributes.id !== headers.get("ce-id")) {
        violations.push(`${id} is sent with the event ${headers.get("ce-id")}`);
      }
      const isPlain = known !== undefined && ruleSet.rule(known.rule)?.transform === undefined;
      if (isPlain && !sameBytes(init.body, known.event.body)) violations.push(`${id} is sent with another body`);
      if (name === UNHEARD) violations.push(`${id} was delivered, and its rule only records`);
      if (known !== undefined && ruleSet.rule(known.rule)?.definition.mode === "shadow") {
        violations.push(`${id} is sent by a dispatcher whose rules only record it`);
      }
      const ends = [lanes.requested(id), gates.requested(name, known, ruleSet.target(name)?.definition.limits)];
      let open = true;
      const end = () => {
        if (!open) return;
        open = false;
        record.inFlight -= 1;
        for (const each of ends) each();
      };
      onDeath.push(end);
      return new Promise((resolve, reject) => {
        const answer = (status: number, init: ResponseInit & { readonly body?: string } = {}) => {
          if (open && status < 300) record.successes += 1;
          if (open && status === 404) record.refusals += 1;
          end();
          resolve(new Response(status === 204 ? null : (init.body ?? "text"), { ...init, status }));
        };
        const fail = () => {
          end();
          reject(new Error("Network connection lost."));
        };
        init.signal?.addEventListener("abort", () => {
          end();
          reject(init.signal?.reason as Error);
        });
        const take = () => {
          if (name !== "echo") return answer(204);
          const reply = {
            specversion: "1.0",
            id: `re-${id}`,
            source: "echo:",
            type: type === "sim.r" ? "reply.r" : type,
          };
          return answer(200, {
            body: JSON.stringify(reply),
            headers: { "content-type": "application/cloudevents+json" },
          });
        };
        const dice = chance.next();
        const slowest = name === "slow" ? 20_000 : name === "flaky" ? 4_900 : 300;
        const wait = chance.between(5, chaos() ? slowest : 300);
        timeline.after(wait, () => {
          if (!open) return undefined;
          if (name === "broken" && chaos())
            return dice < 0.2 ? answer(404) : answer(503, { headers: { "retry-after": String(chance.below(60)) } });
          if ((name === "flaky" || (name === "echo" && dice < 0.4)) && chaos()) {
            if (dice < 0.2) return fail();
            if (dice < 0.3) return answer(500);
            if (dice < 0.4) {
              record.successes += 1; // took it, and the answer was lost
              return fail();
            }
            if (dice < 0.5) return answer(429, { headers: { "retry-after": "10" } });
            if (dice < 0.6) return undefined; // hangs until the deadline
            if (dice < 0.65 && features.gone) return answer(410);
            if (dice < 0.7) return answer(404);
          }
          return take();
        });
      });
    },
  };
}

function sameBytes(sent: RequestInit["body"], stored: Uint8Array | null): boolean {
  return Buffer.from((sent as Uint8Array | undefined) ?? []).equals(Buffer.from(stored ?? []));
}
