/** The figures of the scaling bench as charts and as tables. */
import { tableLines } from "../../bin/table.ts";
import type { Chart } from "./chart.ts";
import type { FanOutCost } from "./scaling-fan-out.ts";
import type { RulesCost } from "./scaling-rules.ts";
import type { StoredCost } from "./scaling-stored.ts";

export interface Scaling {
  readonly machine: string;
  readonly stored: readonly StoredCost[];
  readonly rules: readonly RulesCost[];
  readonly fanOut: readonly FanOutCost[];
}

const COST = { label: "CPU us per event" };

/** By file name; a part that was not measured has none. */
export function scalingCharts({ stored, rules, fanOut }: Scaling): Readonly<Record<string, Chart>> {
  return {
    ...(stored.length > 0 && {
      "scaling-stored": {
        title: "Accepting and settling an event, by events stored",
        x: { label: "events stored in the partition", log: true },
        y: COST,
        series: [
          {
            name: "CPU",
            points: stored.map(({ storedEvents, cpuUsPerEvent }) => ({ x: storedEvents, y: cpuUsPerEvent })),
          },
        ],
      },
    }),
    ...(rules.length > 0 && {
      "scaling-rules": {
        title: "Verifying, parsing, matching and planning an event, by rules",
        x: { label: "rules", log: true },
        y: COST,
        series: [{ name: "CPU", points: rules.map((cost) => ({ x: cost.rules, y: cost.cpuUsPerEvent })) }],
      },
    }),
    ...(fanOut.length > 0 && {
      "scaling-fan-out": {
        title: "An event from the webhook to all its targets, by targets",
        x: { label: "targets of each event" },
        y: { label: "CPU us" },
        series: [
          { name: "per event", points: fanOut.map((cost) => ({ x: cost.fanOut, y: cost.cpuUsPerEvent })) },
          { name: "per delivery", points: fanOut.map((cost) => ({ x: cost.fanOut, y: cost.cpuUsPerDelivery })) },
        ],
      },
    }),
  };
}

export function scalingTables({ machine, stored, rules, fanOut }: Scaling, width: number): readonly string[] {
  const shown = { width, paint: (_: unknown, text: string) => text };
  const whole = (value: number) => Math.round(value).toLocaleString("en-GB");
  return [
    machine,
    "",
    ...tableLines(
      stored,
      [
        { title: "stored events", value: ({ storedEvents }) => whole(storedEvents) },
        { title: "CPU us/event", value: ({ cpuUsPerEvent }) => whole(cpuUsPerEvent) },
        { title: "elapsed us/event", value: ({ elapsedUsPerEvent }) => whole(elapsedUsPerEvent) },
        { title: "database MB", value: ({ databaseMb }) => databaseMb.toFixed(1) },
      ],
      shown,
    ),
    "",
    ...tableLines(
      rules,
      [
        { title: "rules", value: (row) => whole(row.rules) },
        { title: "CPU us/event", value: ({ cpuUsPerEvent }) => cpuUsPerEvent.toFixed(1) },
        { title: "compiling ms", value: ({ compileMs }) => compileMs.toFixed(1) },
      ],
      shown,
    ),
    "",
    ...tableLines(
      fanOut,
      [
        { title: "targets", value: (row) => String(row.fanOut) },
        { title: "CPU us/event", value: ({ cpuUsPerEvent }) => whole(cpuUsPerEvent) },
        { title: "CPU us/delivery", value: ({ cpuUsPerDelivery }) => whole(cpuUsPerDelivery) },
        { title: "deliveries/s", value: ({ deliveriesPerSecond }) => whole(deliveriesPerSecond) },
      ],
      shown,
    ),
  ];
}
