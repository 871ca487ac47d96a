/** What goes wrong in a simulated world, each with its likelihood at every chance it has. */
export interface Faults {
  /** A call dies before its writes are on disk. */
  readonly crashBefore: number;
  /** A call's writes are on disk and its reply never leaves. */
  readonly crashAfter: number;
  readonly loseRequest: number;
  readonly loseReply: number;
  /** The network delivers a call twice; the second reply goes nowhere. */
  readonly repeatCall: number;
  /** A write of a call fails, as on a full disk. The process lives, and what was written before it outside a transaction stays. */
  readonly failWrite: number;
  /** An alarm stays on record and never rings. */
  readonly loseAlarm: number;
}

export const NO_FAULTS: Faults = {
  crashBefore: 0,
  crashAfter: 0,
  loseRequest: 0,
  loseReply: 0,
  repeatCall: 0,
  failWrite: 0,
  loseAlarm: 0,
};

/** `scale` 0: nothing but lost alarms goes wrong. */
export function stormyFaults(scale: number, loseAlarm: number): Faults {
  return {
    crashBefore: 0.02 * scale,
    crashAfter: 0.03 * scale,
    loseRequest: 0.03 * scale,
    loseReply: 0.05 * scale,
    repeatCall: 0.1 * scale,
    failWrite: 0.02 * scale,
    loseAlarm,
  };
}
