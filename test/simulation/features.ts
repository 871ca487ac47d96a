/** What a simulated day has beside plain rules. Each is in a good share of the days, and some days have none. */
import type { Chance } from "./chance.ts";

const PLAIN_DAYS = 0.15;
const FEATURE_DAYS = 0.35;

export interface Features {
  /** Rules with an order by key. */
  readonly ordered: boolean;
  /** A rule with an order by number, and events with numbers. */
  readonly numbered: boolean;
  /** Targets with a rate or a concurrency. */
  readonly limits: boolean;
  /** A person pauses targets and resumes them. */
  readonly pauses: boolean;
  /** One target is paused and nobody resumes it. */
  readonly pausedForGood: boolean;
  /** A target answers 410 now and then. */
  readonly gone: boolean;
  readonly replies: boolean;
  readonly pipes: boolean;
  /** How often the buses are spread anew. */
  readonly moves: number;
  readonly redeploys: boolean;
  /** Repeats that ask for delivery. */
  readonly redeliveries: boolean;
  /** What the same content under a new id means. */
  readonly replays: "ignore" | "flag" | "refuse";
  readonly batches: boolean;
  /** Events come at the same time, and senders hang up. */
  readonly bursts: boolean;
  /** Hundreds of events that no rule matches, and replays of older ones. */
  readonly noise: boolean;
  /** Alarms that stay on record and never ring. */
  readonly lostAlarms: boolean;
  /** Objects whose clock goes a second back. */
  readonly clockJumps: boolean;
  /** Nobody opens parked lanes again. */
  readonly parkedForGood: boolean;
  /** Rules that only record, and one that changes between that and delivering. */
  readonly shadows: boolean;
}

export function chooseFeatures(chance: Chance): Features {
  const plain = chance.happens(PLAIN_DAYS);
  const has = (share = FEATURE_DAYS) => chance.happens(share) && !plain;
  const noise = has(0.04);
  const replays = chance.pick(["flag", "refuse"] as const);
  return {
    ordered: has(0.6),
    numbered: has(),
    limits: has(),
    pauses: has(),
    pausedForGood: has(0.15),
    gone: has(0.2),
    replies: has(0.3),
    pipes: has(0.3),
    moves: has(0.4) ? chance.pick([1, 2, 2]) : 0,
    redeploys: chance.happens(0.4),
    redeliveries: has(),
    replays: noise || has() ? replays : "ignore",
    batches: has(),
    bursts: has(),
    noise,
    lostAlarms: has(0.2),
    clockJumps: has(0.2),
    parkedForGood: has(0.3),
    shadows: has(),
  };
}
