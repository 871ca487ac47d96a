/** Settles under watch: what ends has a cause, what it was to lead to is stored, and retries stop with their schedule. */
import type { SettleReply, SettleRequest } from "../../src/bus/ports.ts";
import type { Settlement } from "../../src/core/delivery.ts";
import { identityOf } from "../../src/core/event.ts";
import { hashing } from "../../src/hashing.ts";
import type { Policies, Seen } from "./endings.ts";
import { endingProblem, mayRepeat, RETRY_DELAYS_MS } from "./endings.ts";
import type { LaneWatch } from "./lane-watch.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";

export interface SettleWatch {
  readonly settle: (host: PartitionHost, request: SettleRequest) => Promise<SettleReply>;
  /** A dispatcher takes these settlements for settled. */
  readonly answered: (host: PartitionHost, request: SettleRequest) => void;
  /** The schedule of this delivery starts again. */
  readonly forget: (deliveryId: string) => void;
}

export interface SettleWatchPorts {
  readonly setting: Setting;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly registry: Registry;
  readonly lanes: LaneWatch;
  readonly policiesOf: (rule: string) => Policies;
  /** The bus that a target publishes on. */
  readonly busOf: (target: string) => string | undefined;
}

export function openSettleWatch({ setting, seen, registry, lanes, policiesOf, busOf }: SettleWatchPorts): SettleWatch {
  const { violations, copy } = setting;
  // The leases after which a delivery was put off by its schedule, since its last re-drive.
  const retried = new Map<string, Set<string>>();

  function countRetry({ deliveryId, token }: Settlement): void {
    const tokens = (retried.get(deliveryId) ?? new Set()).add(token);
    retried.set(deliveryId, tokens);
    const known = registry.delivery(deliveryId);
    if (tokens.size > RETRY_DELAYS_MS.length && !mayRepeat(policiesOf(known?.rule ?? ""))) {
      violations.push(`${deliveryId} is retried beyond its schedule`);
    }
  }

  /** What a delivered delivery was to lead to must be stored by then. */
  function publishedProblem(id: string): string | undefined {
    const known = registry.delivery(id);
    if (known === undefined) return undefined;
    if (known.target === "echo") {
      const identity = identityOf("target:echo", { ...known.event.attributes, source: "echo:", id: `re-${id}` });
      return registry.isAccepted(hashing.sha256(identity)) ? undefined : `${id} is delivered and its reply is nowhere`;
    }
    if (busOf(known.target) === undefined) return undefined;
    const identity = identityOf(`delivery:${id}`, known.event.attributes);
    return registry.isAccepted(hashing.sha256(identity)) ? undefined : `${id} is delivered and on no other bus`;
  }

  function checkAfter(host: PartitionHost, seq: number): void {
    const event = host.engine().get(seq);
    if (event === null) return;
    registry.observe(event);
    for (const delivery of event.deliveries) {
      const { id, rule, target, state } = delivery;
      const isSent = state.kind !== "delivered" || busOf(target) !== undefined || (seen.get(id)?.successes ?? 0) > 0;
      if (!isSent) violations.push(`${id} counts as delivered and its target never took it`);
      const problem =
        state.kind === "delivered" ? publishedProblem(id) : endingProblem(delivery, seen.get(id), policiesOf(rule));
      if (problem !== undefined) violations.push(problem);
      lanes.changed(host, id);
    }
  }

  return {
    settle(host, request) {
      const seqs = new Set(request.settlements.map(({ seq }) => seq));
      let noted: readonly Settlement[] = [];
      return host.call(
        "settle",
        (engine) => {
          noted = request.settlements.filter(({ seq, deliveryId, token, step }) => {
            if (step.kind !== "retry") return false;
            const state = engine.get(seq)?.deliveries.find(({ id }) => id === deliveryId)?.state;
            return state?.kind === "leased" && state.token === token;
          });
          return engine.settle(copy(request));
        },
        {
          committed(reply) {
            for (const settlement of noted) countRetry(settlement);
            for (const seq of seqs) checkAfter(host, seq);
            lanes.leased(
              host,
              reply.work.map(({ lease }) => lease),
            );
          },
        },
      );
    },

    answered(host, { settlements }) {
      for (const { seq, deliveryId, token } of settlements) {
        const state = host
          .engine()
          .get(seq)
          ?.deliveries.find(({ id }) => id === deliveryId)?.state;
        if (state?.kind === "leased" && state.token === token) violations.push(`${deliveryId} was not settled`);
      }
    },

    forget: (deliveryId) => void retried.delete(deliveryId),
  };
}
