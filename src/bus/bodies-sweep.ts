/**
 * Removes large bodies that no event refers to: those of events that have left the log, and orphans, whose request ended between
 * the upload and the acceptance. The partitions are asked, so that nothing is removed that one of them knows.
 *
 * It needs no memory of the last sweep. Keys begin with the hour in which their body came (body-keys.ts): each sweep looks at the
 * last hours, where orphans are, and at some older ones in turn.
 */
import { hourPrefix, parseBodyKey } from "./body-keys.ts";
import type { BodyStore } from "./body-store.ts";
import type { Layouts } from "./layout.ts";
import { partitionNames } from "./layout.ts";
import { inPool } from "./pool.ts";
import type { AdminPartitionPort } from "./ports.ts";
import { SWEEP_CALLS_MAX, SWEEP_TIMEOUT_MS } from "./sweep.ts";

/** A body that no event refers to is left alone for so long: its request may still be under way. */
export const BODY_ORPHAN_MS = 3_600_000;
/** Hours that every sweep looks at: each of the four sweeps an hour sees an orphan, two hours after it came at the latest. */
export const BODY_RECENT_HOURS = 3;
/** Hours before those, of which each sweep takes the next ones. Longer than the log keeps events and deliveries may be open. */
export const BODY_OLD_HOURS = 24 * 45;
/** Old hours of one sweep: with 96 sweeps a day, each comes up once in nine hours. */
export const BODY_OLD_HOURS_PER_SWEEP = 30;
/** Keys of one page of the store: R2 lists and removes as many in one call, and a partition answers for as many. */
export const BODY_PAGE_KEYS = 1_000;
/** Pages of one hour: 20,000 bodies. */
export const BODY_PAGES_MAX = 20;
/** Questions to partitions of one sweep; what is left is looked at when its hour comes up again. */
export const BODY_CALLS_MAX = 2_000;

const HOUR_MS = 3_600_000;

export interface BodiesSweepPorts extends Layouts {
  readonly bodies: Pick<BodyStore, "list" | "remove"> | undefined;
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "keptBodies">;
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly now: () => number;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** `turn` counts up from sweep to sweep: it says which old hours are looked at. Never throws. */
export async function sweepBodies(turn: number, ports: BodiesSweepPorts): Promise<void> {
  const { bodies, log } = ports;
  if (bodies === undefined) return;
  let removed = 0;
  const callsLeft = { count: BODY_CALLS_MAX };
  for (const prefix of prefixesOf(turn, ports.now())) {
    try {
      let cursor: string | undefined;
      for (let page = 0; page < BODY_PAGES_MAX; page++) {
        const listed = await bodies.list(prefix, cursor, BODY_PAGE_KEYS);
        const old = listed.found.filter(({ uploadedAt }) => uploadedAt <= ports.now() - BODY_ORPHAN_MS);
        const unwanted = await findUnwanted(
          old.map(({ key }) => key),
          callsLeft,
          ports,
        );
        if (unwanted.length > 0) await bodies.remove(unwanted);
        removed += unwanted.length;
        cursor = listed.cursor;
        if (cursor === undefined) break;
      }
    } catch (error) {
      log("bodies.sweep-failed", { prefix, error: String(error) });
    }
  }
  if (removed > 0) log("bodies.swept", { removed });
}

/** What the keys begin with that this sweep looks at. */
function prefixesOf(turn: number, now: number): readonly string[] {
  const first = BODY_RECENT_HOURS + ((turn * BODY_OLD_HOURS_PER_SWEEP) % BODY_OLD_HOURS);
  const hours = [
    ...Array.from({ length: BODY_RECENT_HOURS }, (_, hour) => hour),
    ...Array.from({ length: BODY_OLD_HOURS_PER_SWEEP }, (_, hour) => first + hour),
  ];
  return hours.map((hour) => hourPrefix(now - hour * HOUR_MS));
}

/** Those that no partition knows which may. A partition that can't be asked keeps them all. */
async function findUnwanted(
  keys: readonly string[],
  callsLeft: { count: number },
  ports: BodiesSweepPorts,
): Promise<readonly string[]> {
  const unwanted: string[] = [];
  const groups = Map.groupBy(keys, (key) => partitionsOf(key, ports).join("\n"));
  for (const [names, group] of groups) {
    // A key of another form is none of ours.
    if (names === "") continue;
    const partitions = names.split("\n");
    callsLeft.count -= partitions.length;
    if (callsLeft.count < 0) return unwanted;
    const kept = new Set<string>();
    await inPool(partitions, SWEEP_CALLS_MAX, async (partition) => {
      const answer = await ask(partition, group, ports);
      for (const key of answer) kept.add(key);
    });
    unwanted.push(...group.filter((key) => !kept.has(key)));
  }
  return unwanted;
}

async function ask(
  partition: string,
  keys: readonly string[],
  { adminPartition, within, log }: BodiesSweepPorts,
): Promise<readonly string[]> {
  try {
    const kept = await within(adminPartition(partition).keptBodies(keys), SWEEP_TIMEOUT_MS);
    if (kept !== "timeout") return kept;
    log("bodies.unasked", { partition, error: "timeout" });
  } catch (error) {
    log("bodies.unasked", { partition, error: String(error) });
  }
  return keys;
}

/** All that the bus has had since the body came, as far as anybody knows. */
function partitionsOf(key: string, { partitions, partitionsBefore }: Layouts): readonly string[] {
  const parts = parseBodyKey(key);
  if (parts === null) return [];
  const counts = new Set([partitions, ...partitionsBefore, parts.partitions]);
  return partitionNames(parts.bus, { partitions, partitionsBefore: [...counts].slice(1) });
}
