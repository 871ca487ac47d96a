/** The crash test's result in words: the table, its legend, and what was broken. */
import { tableLines } from "../../bin/table.ts";
import type { TargetCounts, Verdict } from "./verdict.ts";

const WIDTH = 120;
const BROKEN_SHOWN_MAX = 20;
const LEGEND = [
  "Deliveries per target: acknowledged = delivered (a whole 2xx answer) + dead (in the dead list instead) + lost.",
  "repeats: requests after a delivery's first, each under the same webhook-id.",
  "out of order: requests of an event before one that comes before it in its lane had ended, or again after one that follows.",
  "Not in this run: queue targets, whose local broker is in memory only.",
  "A killed process leaves the machine's file cache alone: this says nothing about a power cut.",
];

export interface RunFacts {
  readonly kills: number;
  readonly seed: number;
  readonly seconds: number;
}

export function reportLines(verdict: Verdict, { kills, seed, seconds }: RunFacts): readonly string[] {
  const { counts, broken, acknowledged } = verdict;
  const total = counts.reduce(
    (sum, each): TargetCounts => ({
      target: "all",
      acknowledged: sum.acknowledged + each.acknowledged,
      delivered: sum.delivered + each.delivered,
      repeats: sum.repeats + each.repeats,
      dead: sum.dead + each.dead,
      lost: sum.lost + each.lost,
      outOfOrder: (sum.outOfOrder ?? 0) + (each.outOfOrder ?? 0),
    }),
    { target: "all", acknowledged: 0, delivered: 0, repeats: 0, dead: 0, lost: 0, outOfOrder: 0 },
  );
  const numbers = ["acknowledged", "delivered", "repeats", "dead", "lost"] as const;
  const columns = [
    { title: "target", value: (row: TargetCounts) => row.target },
    { title: "kills", value: () => String(kills) },
    ...numbers.map((title) => ({ title, value: (row: TargetCounts) => String(row[title]) })),
    { title: "out of order", value: (row: TargetCounts) => String(row.outOfOrder ?? "-") },
  ];
  const hidden = broken.length - BROKEN_SHOWN_MAX;
  return [
    `${kills} kills, seed ${seed}, ${seconds.toFixed(0)} s: ${acknowledged} events acknowledged`,
    `answers: ${Object.entries(verdict.answers)
      .map(([answer, count]) => `${count} ${answer}`)
      .join(", ")}`,
    "",
    ...tableLines([...counts, total], columns, { width: WIDTH, paint: (_, text) => text }),
    "",
    ...LEGEND,
    "",
    broken.length === 0 ? "Nothing lost, nothing broken." : `${broken.length} broken:`,
    ...broken.slice(0, BROKEN_SHOWN_MAX).map((line) => `  ${line}`),
    ...(hidden > 0 ? [`  … and ${hidden} more`] : []),
  ];
}
