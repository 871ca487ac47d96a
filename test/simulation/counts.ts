/** What happened in a simulated day, counted: a feature that never happens is not tested. */
export const NO_COUNTS = {
  events: 0,
  acknowledged: 0,
  /** Answers that called an event a duplicate. */
  duplicates: 0,
  /** Requests of senders with more than one event. */
  batches: 0,
  /** Requests of senders that were accepted in the call of another one. */
  grouped: 0,
  /** Settlements of dispatchers that left in the call of another one. */
  settledTogether: 0,
  /** That targets got. */
  requests: 0,
  /** Deaths of isolates. */
  crashes: 0,
  partitionDeaths: 0,
  gateDeaths: 0,
  /** Alarms that stayed on record and never rang. */
  lostAlarms: 0,
  /** Clocks of objects that went a second back. */
  clockJumps: 0,
  /** Deployments beyond the first of a day. */
  deployments: 0,
  /** Deliveries of ordered rules. */
  ordered: 0,
  /** Lanes that a delivery has stopped. */
  parked: 0,
  superseded: 0,
  skipped: 0,
  /** Deliveries that went on without a number before theirs. */
  gapsPassed: 0,
  lateNumbers: 0,
  expiredWhileHeld: 0,
  permits: 0,
  deniedPermits: 0,
  breakersOpened: 0,
  /** Pauses by a person. */
  pauses: 0,
  /** Pauses by a target that answered 410. */
  gone: 0,
  /** Answers that an event's bus has been spread anew. */
  moved: 0,
  /** Events that meet a lane which is still open in another layout. */
  lanesElsewhere: 0,
  /** Repeats that opened something again. */
  redelivered: 0,
  redriven: 0,
  replaysRefused: 0,
  replaysFlagged: 0,
  replies: 0,
  piped: 0,
  loopsEnded: 0,
  /** What shadow rules have recorded. */
  shadowed: 0,
  /** Deliveries that were open when their rule became a shadow rule. */
  overshadowed: 0,
  /** Engines opened beside one that runs, on the same tables. */
  rebuilds: 0,
};

export type Counts = Readonly<Record<keyof typeof NO_COUNTS, number>>;

export function addCounts(a: Counts, b: Counts): Counts {
  const names = Object.keys(NO_COUNTS) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as Counts;
}
