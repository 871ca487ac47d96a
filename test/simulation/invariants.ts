/** What the README promises, as checks on a simulated world. Each answers what is broken, or nothing. */
import { parseReceipt } from "../../src/core/receipt.ts";
import { endingProblem } from "./endings.ts";
import type { World } from "./world.ts";

/** An object whose due work waits for another's settle looks again after a second; the rest is a lease or the sweep. */
const ALARM_SLACK_MS = 2_000;

/** What is due may wait for its target's share of requests, but not for ever: the worst runs here need a few minutes. */
const OVERDUE_MS_MAX = 600_000;

/** After every step. */
export function checkStep(world: World): readonly string[] {
  const broken = [...world.violations];
  const now = world.timeline.now();
  for (const host of world.hosts.values()) {
    const due = host.minDue();
    if (due === null) continue;
    if (now - due > OVERDUE_MS_MAX) broken.push(`${host.name} has left due work alone for ${now - due} ms`);
    const alarmAt = host.alarmAt();
    if (alarmAt === null) broken.push(`${host.name} has open work and no alarm`);
    else if (alarmAt > Math.max(now, due) + ALARM_SLACK_MS)
      broken.push(`${host.name} wakes ${alarmAt - due} ms too late`);
  }
  return broken;
}

/** After everything has had its time. */
export function checkEnd(world: World): readonly string[] {
  const broken = [...checkStep(world)];
  const stored = new Set<string>();
  const deliveryIds = new Set<string>();
  for (const host of world.hosts.values()) {
    const backlog = host.engine().backlog();
    if (backlog.deliveries !== 0 || backlog.events !== 0 || backlog.bytes !== 0) {
      broken.push(`${host.name} still counts ${JSON.stringify(backlog)}`);
    }
    const { events } = host.engine().list({ before: Number.MAX_SAFE_INTEGER, limit: 1_000, which: "all", filter: {} });
    for (const event of events) {
      const { id } = event.event.attributes;
      if (stored.has(id)) broken.push(`${id} is stored twice`);
      stored.add(id);
      if (event.status === "pending") broken.push(`${id} never ended`);
      const pairs = new Set(event.deliveries.map((delivery) => `${delivery.rule} ${delivery.target}`));
      if (pairs.size !== event.deliveries.length) broken.push(`${id} has two deliveries of one rule to one target`);
      const rules = new Set(event.deliveries.map((delivery) => delivery.rule));
      if (rules.size !== event.event.rules.length) broken.push(`${id} lacks deliveries of a rule that matched`);
      for (const delivery of event.deliveries) {
        deliveryIds.add(delivery.id);
        const problem = endingProblem(delivery, world.seen.get(delivery.id));
        if (problem !== undefined) broken.push(problem);
        const { rule, target } = delivery;
        if (delivery.state.kind === "cancelled" && !world.isUnwanted(event.event.rulesVersion, rule, target))
          broken.push(`${delivery.id} was cancelled and its rule still wants it`);
        // The schedule is over long before the maximum age, and the last fifty minutes of it are calm.
        if (delivery.state.kind === "dead" && delivery.state.reason === "expired") {
          broken.push(`${delivery.id} was left alone until it was too old`);
        }
        if (delivery.attemptCount > 0 && delivery.attempts.length === 0)
          broken.push(`${delivery.id} forgot its attempts`);
      }
    }
  }
  for (const id of world.seen.keys()) {
    if (!deliveryIds.has(id)) broken.push(`${id} was sent and belongs to nothing that was accepted`);
  }
  for (const { id, receipt } of world.acknowledged.values()) {
    const parts = parseReceipt(receipt);
    if (parts === null || world.hosts.get(parts.partition)?.engine().get(parts.seq) == null) {
      broken.push(`${id} was acknowledged and is gone`);
    }
  }
  return broken;
}
