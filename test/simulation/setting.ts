/** What all parts of a simulated world share. */
import type { Chance } from "./chance.ts";
import type { Counts } from "./counts.ts";
import type { Faults } from "./faults.ts";
import type { Features } from "./features.ts";
import type { Timeline } from "./timeline.ts";

/** When a simulated day begins. */
export const START = Date.UTC(2026, 0, 1);
/** How long things go wrong. */
export const CHAOS_MS = 600_000;
/** When all must have ended. */
export const DAY_MS = 4 * 3_600_000;

export interface Setting {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly features: Features;
  /** Whether things still go wrong. */
  readonly chaos: () => boolean;
  /** Nothing is lost on the network and no object dies of itself: all day. Senders may still hang up. */
  readonly isQuiet: boolean;
  /** How likely each fault is now. */
  readonly faults: () => Faults;
  /** Tells the story of the day, if anybody listens. */
  readonly say: (text: () => string) => void;
  /** What arrives of something that is sent: a copy, on some days; that nobody changes what was sent is cheaper to find. */
  readonly copy: <Value>(value: Value) => Value;
  /** One sentence for each promise that was seen broken. */
  readonly violations: string[];
  readonly count: (name: keyof Counts, by?: number) => void;
}
