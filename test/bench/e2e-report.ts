/** What rounds of the end-to-end bench add up to: medians, ratios against the yardsticks, and a table. */
import { tableLines } from "../../bin/table.ts";
import type { Round } from "./e2e-round.ts";
import { median } from "./percentile.ts";

export interface SystemRounds {
  readonly name: string;
  readonly rounds: readonly Round[];
}

export interface SystemSummary {
  readonly name: string;
  readonly acceptedPerSecond: number;
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Null where the operating system does not tell. */
  readonly cpuUsPerEvent: number | null;
  /** Share of the accepted events that had arrived when the load ended. */
  readonly deliveredAtEnd: number;
  readonly serverCpu: number | null;
  readonly generatorCpu: number;
  readonly targetCpu: number;
  /** Over all rounds. */
  readonly accepted: number;
  readonly missing: number;
  readonly repeated: number;
  readonly refused: number;
}

export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly wanted: string;
  readonly isReached: boolean;
}

/** Of Sluice against a yardstick. */
const EVENTS_RATIO_MIN = { plain: 1.2, grouping: 0.9 };
const P99_RATIO_MAX = 1.5;

export function summarise({ name, rounds }: SystemRounds): SystemSummary {
  const of = (value: (round: Round) => number) => median(rounds.map(value));
  const sum = (value: (round: Round) => number) => rounds.reduce((total, round) => total + value(round), 0);
  const known = (value: (round: Round) => number | undefined) => {
    const values = rounds.flatMap((round) => value(round) ?? []);
    return values.length === 0 ? null : median(values);
  };
  return {
    name,
    acceptedPerSecond: of((round) => round.acceptedPerSecond),
    eventsPerSecond: of((round) => round.eventsPerSecond),
    p50Ms: of((round) => round.p50Ms),
    p99Ms: of((round) => round.p99Ms),
    cpuUsPerEvent: known((round) => round.cpuUsPerEvent),
    deliveredAtEnd: of((round) => (round.accepted === 0 ? Number.NaN : 1 - round.backlog / round.accepted)),
    serverCpu: known((round) => round.serverCpu),
    generatorCpu: of((round) => round.generatorCpu),
    targetCpu: of((round) => round.targetCpu),
    accepted: sum((round) => round.accepted),
    missing: sum((round) => Math.max(0, round.accepted - round.delivered)),
    repeated: sum((round) => round.repeated),
    refused: sum((round) => round.refused),
  };
}

/** The goals of the project, for Sluice beside both yardsticks of the same run. */
export function goalsOf(sluice: SystemSummary, plain: SystemSummary, grouping: SystemSummary): readonly Goal[] {
  const least = (what: string, value: number, min: number): Goal => ({
    what,
    value,
    wanted: `at least ${min}`,
    isReached: value >= min,
  });
  const p99 = (what: string, value: number): Goal => ({
    what,
    value,
    wanted: `at most ${P99_RATIO_MAX}`,
    isReached: value <= P99_RATIO_MAX,
  });
  return [
    least("events/s, of the yardstick's", sluice.eventsPerSecond / plain.eventsPerSecond, EVENTS_RATIO_MIN.plain),
    least(
      "events/s, of the grouping one's",
      sluice.eventsPerSecond / grouping.eventsPerSecond,
      EVENTS_RATIO_MIN.grouping,
    ),
    p99("p99 of acceptance, of the yardstick's", sluice.p99Ms / plain.p99Ms),
    p99("p99 of acceptance, of the grouping one's", sluice.p99Ms / grouping.p99Ms),
  ];
}

const percent = (share: number | null) => (share === null ? "-" : `${Math.round(share * 100)} %`);

export function summaryTable(summaries: readonly SystemSummary[], width: number): readonly string[] {
  const columns = [
    { title: "", value: ({ name }: SystemSummary) => name },
    { title: "accepted/s", value: (row: SystemSummary) => row.acceptedPerSecond.toFixed(0) },
    { title: "events/s", value: (row: SystemSummary) => row.eventsPerSecond.toFixed(0) },
    { title: "p50 ms", value: (row: SystemSummary) => row.p50Ms.toFixed(1) },
    { title: "p99 ms", value: (row: SystemSummary) => row.p99Ms.toFixed(1) },
    { title: "CPU us/event", value: (row: SystemSummary) => row.cpuUsPerEvent?.toFixed(0) ?? "-" },
    { title: "arrived at the end", value: (row: SystemSummary) => percent(row.deliveredAtEnd) },
    { title: "missing", value: (row: SystemSummary) => String(row.missing) },
    { title: "repeated", value: (row: SystemSummary) => String(row.repeated) },
    {
      title: "core used by server, load, target",
      value: (row: SystemSummary) => [row.serverCpu, row.generatorCpu, row.targetCpu].map(percent).join(", "),
    },
  ];
  return tableLines(summaries, columns, { width, paint: (_, text) => text });
}

export function goalLines(goals: readonly Goal[]): readonly string[] {
  return goals.map(
    ({ what, value, wanted, isReached }) =>
      `${isReached ? "reached" : "missed "}  ${value.toFixed(2)} x ${what} (${wanted})`,
  );
}
