/**
 * Order in lanes, judged from outside. Sluice orders by acceptance, which a sender only knows of events that it did not send
 * at the same time: one comes before another if its 202 had come before the other was sent.
 */
import type { Arrival, Evidence, SentEvent } from "./verdict.ts";

type Judged = Pick<Evidence, "sent" | "answers" | "arrivals" | "dead">;

/** One sentence for each request to the target that came before its turn or after it. */
export function outOfOrder(target: string, evidence: Judged): readonly string[] {
  const arrivals = evidence.arrivals.filter((arrival) => arrival.target === target);
  const endings = endingTimes(target, arrivals, evidence.dead);
  const acknowledgedAt = firstTimes(
    evidence.answers
      .filter(({ kind, httpStatus }) => kind === "event" && httpStatus === 202)
      .map(({ id, at }) => ({ event: id, at })),
  );
  const arrivedAt = firstTimes(arrivals);
  const wrong: string[] = [];
  for (const [lane, events] of byLane(target, evidence.sent)) {
    const before = createPrecursors(events, acknowledgedAt, endings);
    const after = createSuccessors(events, arrivedAt);
    const ids = new Set(events.map(({ id }) => id));
    for (const { event, at } of arrivals.filter((arrival) => ids.has(arrival.event))) {
      const earlier = before(evidence.sent.get(event)?.sentAt ?? 0);
      if (earlier !== undefined && earlier.at > at) {
        wrong.push(`${event} arrived at ${target} before ${earlier.event} of the same lane (${lane}) had ended`);
        continue;
      }
      // A first success that comes too late is the fault of what overtook it, which has been counted.
      if ((endings.get(event) ?? at) >= at) continue;
      const later = after(acknowledgedAt.get(event) ?? Number.POSITIVE_INFINITY);
      if (later !== undefined && later.at < at) {
        wrong.push(`${event} arrived at ${target} again after ${later.event}, which follows it in its lane (${lane})`);
      }
    }
  }
  return wrong;
}

interface Moment {
  readonly event: string;
  readonly at: number;
}

/** When each delivery ended, as far as it did: the target's first success, or what the dead list says. */
function endingTimes(
  target: string,
  arrivals: readonly Arrival[],
  dead: Evidence["dead"],
): ReadonlyMap<string, number> {
  return firstTimes([
    ...arrivals.flatMap(({ event, succeededAt }) => (succeededAt === undefined ? [] : [{ event, at: succeededAt }])),
    ...dead.filter((each) => each.target === target),
  ]);
}

function firstTimes(moments: readonly Moment[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { event, at } of moments) times.set(event, Math.min(at, times.get(event) ?? at));
  return times;
}

function byLane(target: string, sent: Evidence["sent"]): ReadonlyMap<string, readonly SentEvent[]> {
  const lanes = new Map<string, SentEvent[]>();
  for (const event of sent.values()) {
    if (event.lane === undefined || !event.targets.includes(target)) continue;
    const lane = lanes.get(event.lane) ?? [];
    lane.push(event);
    lanes.set(event.lane, lane);
  }
  return lanes;
}

/** Answers, for the time at which an event was sent, which of those before it ended last: one without an end never does. */
function createPrecursors(
  events: readonly SentEvent[],
  acknowledgedAt: ReadonlyMap<string, number>,
  endings: ReadonlyMap<string, number>,
): (sentAt: number) => Moment | undefined {
  const acknowledged = events
    .flatMap(({ id }) => {
      const time = acknowledgedAt.get(id);
      return time === undefined ? [] : [{ id, time }];
    })
    .toSorted((a, b) => a.time - b.time);
  let last: Moment | undefined;
  const lasts = acknowledged.map(({ id }) => {
    const at = endings.get(id) ?? Number.POSITIVE_INFINITY;
    if (last === undefined || at > last.at) last = { event: id, at };
    return last;
  });
  const times = acknowledged.map(({ time }) => time);
  return (sentAt) => lasts[countBelow(times, sentAt) - 1];
}

/** Answers, for the time at which an event was acknowledged, which of those after it arrived first. */
function createSuccessors(
  events: readonly SentEvent[],
  arrivedAt: ReadonlyMap<string, number>,
): (acknowledgedAt: number) => Moment | undefined {
  // From the last sent to the first, so that what was sent after a time is a beginning of the list.
  const backwards = events.toSorted((a, b) => b.sentAt - a.sentAt);
  let first: Moment | undefined;
  const firsts = backwards.map(({ id }) => {
    const at = arrivedAt.get(id);
    if (at !== undefined && (first === undefined || at < first.at)) first = { event: id, at };
    return first;
  });
  const times = backwards.map(({ sentAt }) => -sentAt);
  return (acknowledgedAt) => firsts[countBelow(times, -acknowledgedAt) - 1];
}

/** How many of the rising times are less than the limit. */
function countBelow(times: readonly number[], limit: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
