/** A line chart as a PNG: one or more series over one x axis, each axis linear or logarithmic. */
import { encodePng } from "./png.ts";
import type { Colour, Point } from "./raster.ts";
import { createRaster, textWidth } from "./raster.ts";

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly label: string;
  /** Linear axes begin at 0. */
  readonly log?: boolean;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

const WIDTH = 960;
const HEIGHT = 540;
const PLOT = { left: 110, right: 880, top: 80, bottom: 450 };
const TEXT = 2;
const TICKS_WANTED = 6;
const WHITE: Colour = [255, 255, 255];
const INK: Colour = [51, 51, 51];
const GRID: Colour = [224, 224, 224];
/** Told apart by people who see colours differently, too (Okabe and Ito, 2008). */
const COLOURS: readonly Colour[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
];

export function drawChart({ title, x, y, series }: Chart): Buffer {
  const points = series.flatMap((each) => each.points);
  const toX = scaleOf(
    x,
    points.map((point) => point.x),
    PLOT.left,
    PLOT.right,
  );
  const toY = scaleOf(
    y,
    points.map((point) => point.y),
    PLOT.bottom,
    PLOT.top,
  );
  const raster = createRaster(WIDTH, HEIGHT, WHITE);
  const ink = { colour: INK, scale: TEXT };
  raster.text(title, { x: PLOT.left, y: 24 }, ink);
  for (const tick of toX.ticks) {
    const at = toX.place(tick);
    raster.line({ x: at, y: PLOT.top }, { x: at, y: PLOT.bottom }, 1, GRID);
    raster.text(tickText(tick), { x: at, y: PLOT.bottom + 20 }, { ...ink, align: "centre" });
  }
  for (const tick of toY.ticks) {
    const at = toY.place(tick);
    raster.line({ x: PLOT.left, y: at }, { x: PLOT.right, y: at }, 1, GRID);
    raster.text(tickText(tick), { x: PLOT.left - 12, y: at }, { ...ink, align: "right" });
  }
  raster.line({ x: PLOT.left, y: PLOT.top }, { x: PLOT.left, y: PLOT.bottom }, 1.5, INK);
  raster.line({ x: PLOT.left, y: PLOT.bottom }, { x: PLOT.right, y: PLOT.bottom }, 1.5, INK);
  raster.text(x.label, { x: (PLOT.left + PLOT.right) / 2, y: PLOT.bottom + 56 }, { ...ink, align: "centre" });
  raster.text(y.label, { x: 20, y: (PLOT.top + PLOT.bottom) / 2 }, { ...ink, align: "centre", vertical: true });
  let legendX = PLOT.left;
  for (const [index, { name, points: own }] of series.entries()) {
    const colour = COLOURS[index % COLOURS.length] ?? INK;
    const places = own.map((point) => ({ x: toX.place(point.x), y: toY.place(point.y) }));
    for (const [step, place] of places.entries()) {
      const next = places[step + 1];
      if (next !== undefined) raster.line(place, next, 3, colour);
      raster.disc(place, 5, colour);
    }
    raster.disc({ x: legendX + 5, y: 54 }, 5, colour);
    raster.text(name, { x: legendX + 18, y: 54 }, ink);
    legendX += textWidth(name, TEXT) + 50;
  }
  return encodePng(WIDTH, HEIGHT, raster.pixels);
}

interface Scale {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

function scaleOf({ log = false }: Axis, values: readonly number[], from: number, to: number): Scale {
  const ticks = log ? logTicks(values) : linearTicks(Math.max(...values, 0));
  const bend = log ? Math.log10 : (value: number) => value;
  const [low, high] = [bend(ticks[0] ?? 0), bend(ticks.at(-1) ?? 1)];
  return { ticks, place: (value) => from + ((bend(value) - low) / (high - low)) * (to - from) };
}

/** Powers of ten around all values, two of them at least. */
export function logTicks(values: readonly number[]): readonly number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}

/** Round numbers from 0 to the first that is not less than `max`. */
export function linearTicks(max: number): readonly number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / TICKS_WANTED;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** `10,000`, `0.5`. */
export function tickText(value: number): string {
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 6 });
}
