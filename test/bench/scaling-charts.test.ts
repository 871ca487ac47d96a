import { expect, it } from "vitest";
import { scalingCharts, scalingTables } from "./scaling-charts.ts";

const SCALING = {
  machine: "2 cores",
  stored: [
    { storedEvents: 1_000, cpuUsPerEvent: 100, elapsedUsPerEvent: 120, databaseMb: 1 },
    { storedEvents: 1_000_000, cpuUsPerEvent: 110, elapsedUsPerEvent: 130, databaseMb: 500 },
  ],
  rules: [{ rules: 10, cpuUsPerEvent: 50, compileMs: 3 }],
  fanOut: [{ fanOut: 4, cpuUsPerEvent: 800, cpuUsPerDelivery: 200, deliveriesPerSecond: 900 }],
};

it("draws what was measured, each part by itself", () => {
  const charts = scalingCharts(SCALING);
  expect(Object.keys(charts)).toEqual(["scaling-stored", "scaling-rules", "scaling-fan-out"]);
  expect(charts["scaling-stored"]?.series[0]?.points).toEqual([
    { x: 1_000, y: 100 },
    { x: 1_000_000, y: 110 },
  ]);
  expect(charts["scaling-fan-out"]?.series.map(({ points }) => points[0]?.y)).toEqual([800, 200]);
  expect(Object.keys(scalingCharts({ ...SCALING, stored: [], fanOut: [] }))).toEqual(["scaling-rules"]);
});

it("shows it as tables too", () => {
  const text = scalingTables(SCALING, 120).join("\n");
  expect(text).toMatch(/1,000,000 +110 +130 +500\.0/);
  expect(text).toMatch(/4 +800 +200 +900/);
});
