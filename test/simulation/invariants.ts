/** What the README promises, as checks on a simulated world. Each answers what is broken, or nothing. */
import type { ListedEvent } from "../../src/bus/ports.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { isOpen } from "../../src/core/delivery.ts";
import { HOPS_MAX, hopsOf } from "../../src/core/hops.ts";
import { parseReceipt } from "../../src/core/receipt.ts";
import { endingProblem } from "./endings.ts";
import type { PartitionHost } from "./partition-host.ts";
import { rebuildProblems } from "./rebuild.ts";
import type { World } from "./world.ts";

/** An alarm that could not write looks again after five seconds, and a clock goes a second back. */
const ALARM_SLACK_MS = 6_000;
/** What is due may wait for its target's share of requests, but not for ever: the worst runs here need a few minutes. */
const OVERDUE_MS_MAX = 600_000;
/** With alarms that never ring, what is due may wait for the sweep. */
const UNRUNG_MS_MAX = 1_000_000;
/** How long after its maximum age a delivery ends at the latest: a lease may be out, and an alarm lost. */
const END_SLACK_MS = 60_000;

/** After every step: cheap. */
export function checkStep(world: World): readonly string[] {
  const { violations, hosts, timeline, features } = world;
  if (violations.length > 0) return violations;
  const broken: string[] = [];
  const now = timeline.now();
  const isTouched = world.isTouched();
  const overdueMsMax = features.lostAlarms ? UNRUNG_MS_MAX : OVERDUE_MS_MAX;
  for (const host of hosts.values()) {
    const due = host.minDue();
    if (due === null) continue;
    const alarmAt = host.alarmAt();
    if (alarmAt === null) broken.push(`${host.name} has open work and no alarm`);
    // Where targets are held, what is due may wait.
    if (isTouched) continue;
    if (now - due > overdueMsMax) broken.push(`${host.name} has left due work alone for ${now - due} ms`);
    if (alarmAt !== null && alarmAt > Math.max(now, due) + ALARM_SLACK_MS)
      broken.push(`${host.name} wakes ${alarmAt - due} ms too late`);
  }
  return broken;
}

/** Now and then, between two steps. */
export function checkMoment(world: World): readonly string[] {
  const { registry, hosts } = world;
  const laneIds = registry.laneIds();
  const broken: string[] = [];
  for (const host of hosts.values()) {
    if (host.writes() === 0) continue;
    world.count("rebuilds");
    broken.push(...rebuildProblems(host, laneIds, world.isTouched()));
    let bound = Number.POSITIVE_INFINITY;
    for (const event of listAll(host)) {
      registry.observe(event);
      for (const { state, expiresAt } of event.deliveries.filter(isOpen)) {
        bound = Math.min(bound, state.kind === "leased" ? state.deadlineAt : expiresAt);
      }
    }
    const alarmAt = host.alarmAt() ?? Number.POSITIVE_INFINITY;
    if (alarmAt > Math.max(bound, host.now()) + ALARM_SLACK_MS)
      broken.push(`${host.name} sleeps through the end of a lease or an age`);
  }
  return [...world.violations, ...broken];
}

/** After everything has had its time. */
export function checkEnd(world: World): readonly string[] {
  const { hosts, registry, acknowledged, lanes, gates } = world;
  const broken = [...checkStep(world), ...checkMoment(world), ...gates.problems()];
  const stored = new Set<string>();
  for (const host of hosts.values()) {
    const backlog = host.engine().backlog();
    if (backlog.deliveries !== 0 || backlog.events !== 0 || backlog.bytes !== 0) {
      broken.push(`${host.name} still counts ${JSON.stringify(backlog)}`);
    }
    for (const event of listAll(host)) {
      const { source, attributes, rules, rulesVersion } = event.event;
      const name = source === "sim" ? attributes.id : `${host.name} ${event.seq}`;
      if (stored.has(name)) broken.push(`${name} is stored twice`);
      stored.add(name);
      if (event.status === "pending") broken.push(`${name} never ended`);
      broken.push(...world.shadows.problems(host, event));
      const pairs = new Set(event.deliveries.map(({ rule, target }) => `${rule} ${target}`));
      if (pairs.size !== event.deliveries.length) broken.push(`${name} has two deliveries of one rule to one target`);
      const matched = new Set(event.deliveries.map(({ rule }) => rule));
      if (matched.size !== rules.length) broken.push(`${name} lacks deliveries of a rule that matched`);
      for (const delivery of event.deliveries) {
        const { id, rule, target, state, attemptCount, attempts } = delivery;
        const seen = world.seen.get(id);
        const problem = endingProblem(delivery, seen, world.policiesOf(rule)) ?? lanes.noteProblem(delivery);
        if (problem !== undefined) broken.push(problem);
        broken.push(...deathProblems(delivery, event, world));
        if (
          state.kind === "cancelled" &&
          state.reason !== "superseded" &&
          !world.isUnwanted(rulesVersion, rule, target)
        )
          broken.push(`${id} was cancelled and its rule still wants it`);
        if (attemptCount > 0 && attempts.length === 0) broken.push(`${id} forgot its attempts`);
        countNote(delivery, world);
      }
    }
  }
  for (const id of world.seen.keys()) {
    if (registry.delivery(id) === undefined) broken.push(`${id} was sent and belongs to nothing that was accepted`);
  }
  for (const [id, receipt] of acknowledged) {
    const parts = parseReceipt(receipt);
    if (parts === null || hosts.get(parts.partition)?.engine().get(parts.seq) == null) {
      broken.push(`${id} was acknowledged and is gone`);
    }
  }
  return broken;
}

/** What a death may not be, when all is over. */
function deathProblems({ id, state, target, lane, expiresAt }: Delivery, { event }: ListedEvent, world: World) {
  if (state.kind === "cancelled" && state.reason === "superseded") {
    const isReplaced = world.registry.mayBeReplaced(lane?.id ?? "", id);
    return isReplaced ? [] : [`${id} gave way to nothing`];
  }
  if (state.kind !== "dead") return [];
  const broken: string[] = [];
  if (state.reason === "hop-limit" && hopsOf(event.attributes) !== HOPS_MAX) {
    broken.push(`${id} is a loop after ${hopsOf(event.attributes)} hops`);
  }
  // The schedules are over long before the maximum age, and the last fifty minutes of it are calm.
  if (state.reason === "expired") broken.push(`${id} was left alone until it was too old (${state.detail})`);
  if (state.reason !== "expired-while-held") return broken;
  // Where somebody opens parked lanes again, all of them are calm by then.
  const isParked = world.features.parkedForGood && lane !== undefined && world.registry.hasParked(lane.id);
  if (target !== world.pausedForGood && !isParked) broken.push(`${id} was held until it was too old (${state.detail})`);
  if (state.at > expiresAt + END_SLACK_MS + (world.features.lostAlarms ? UNRUNG_MS_MAX : 0)) {
    broken.push(`${id} ended ${state.at - expiresAt} ms after its time`);
  }
  return broken;
}

function countNote({ note }: Delivery, { count }: World): void {
  if (note?.startsWith("went on") === true) count("gapsPassed");
  if (note?.startsWith("late") === true) count("lateNumbers");
}

function listAll(host: PartitionHost): readonly ListedEvent[] {
  return host.engine().list({ before: Number.MAX_SAFE_INTEGER, limit: 1_000, which: "all", filter: {} }).events;
}
