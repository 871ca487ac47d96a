/** How buses are spread over objects: the layout in force, and those before it whose objects may still know something. */
import { PARTITIONS_MAX, partitionName } from "../core/receipt.ts";

/** Earlier layouts that may be named: each costs a call per request while it is. */
export const LAYOUTS_BEFORE_MAX = 3;

export interface Layouts {
  /** How many partitions each bus has. */
  readonly partitions: number;
  /** How many it had before, newest first; none once the dedup window and the longest maximum age are over. */
  readonly partitionsBefore: readonly number[];
}

/** The partitions of a bus, those of the layout in force first. */
export function partitionNames(bus: string, { partitions, partitionsBefore }: Layouts): readonly string[] {
  return [partitions, ...partitionsBefore].flatMap((count) =>
    Array.from({ length: count }, (_, index) => partitionName(bus, count, index)),
  );
}

/** Reads the variables of wrangler.toml: `"8"`, and of before `"4"` or `"4, 2"`. Throws with what is wrong. */
export function readLayouts(partitions: unknown, before: unknown): Layouts {
  const current = readCount("PARTITIONS", partitions);
  const texts = before === undefined || before === "" ? [] : String(before).split(",");
  const counts = texts.map((text) => readCount("PARTITIONS_BEFORE", text.trim()));
  if (counts.length > LAYOUTS_BEFORE_MAX) {
    throw new Error(`PARTITIONS_BEFORE in wrangler.toml names ${counts.length} layouts, at most ${LAYOUTS_BEFORE_MAX}`);
  }
  if (new Set([current, ...counts]).size !== counts.length + 1) {
    throw new Error("PARTITIONS_BEFORE in wrangler.toml names a number twice, or the one in force");
  }
  return { partitions: current, partitionsBefore: counts };
}

function readCount(name: string, value: unknown): number {
  const count = value === "" ? Number.NaN : Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= PARTITIONS_MAX) return count;
  throw new Error(`${name} in wrangler.toml must be a whole number from 1 to ${PARTITIONS_MAX}`);
}
