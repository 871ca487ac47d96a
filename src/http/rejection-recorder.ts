/**
 * Counts rejections in this isolate and writes them to a partition at most once a second, so that a flood of bad requests costs
 * a few rows a second and no more. What an isolate has counted and not yet written is lost with it.
 */
import type { RejectionEntry } from "../bus/ports.ts";
import type { Rejection } from "../core/rejection.ts";
import { describeRejection } from "./problem.ts";

const FLUSH_EVERY_MS = 1_000;
/** A write that has not ended by then died with its request; the next rejection starts another. */
const FLUSH_LOST_AFTER_MS = 10_000;
/** Different (source, reason) pairs held at a time; beyond it further ones are only counted, under the source "(others)". */
export const PENDING_MAX = 50;
const SOURCE_LENGTH_MAX = 64;
const UNKNOWN_SOURCE = "(unknown)";
const DETAIL_LENGTH_MAX = 300;

export interface RejectionRecorder {
  /** Notes a rejection. The promise ends when it is written; hand it to `waitUntil`. */
  readonly record: (source: string, rejection: Rejection) => Promise<void>;
}

export interface RecorderPorts {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly write: (source: string, entries: readonly RejectionEntry[]) => Promise<void>;
}

export function createRejectionRecorder(): (ports: RecorderPorts) => RejectionRecorder {
  let pending = new Map<string, RejectionEntry>();
  let flushingSince: number | undefined;
  let flushedAt = Number.NEGATIVE_INFINITY;

  async function flush(ports: RecorderPorts): Promise<void> {
    // The first one after a quiet second is written at once, so that whoever looks sees it.
    const waitMs = flushedAt + FLUSH_EVERY_MS - ports.now();
    if (waitMs > 0) await ports.sleep(waitMs);
    flushedAt = ports.now();
    const entries = [...pending.values()];
    pending = new Map();
    flushingSince = undefined;
    const bySource = Map.groupBy(entries, (entry) => entry.source);
    await Promise.all([...bySource].map(([source, group]) => ports.write(source, group)));
  }

  return (ports) => ({
    record(source, rejection) {
      // Names that senders make up share one record: a flood of them must not push out what is known of real sources.
      const name = rejection.reason === "unknown-source" ? UNKNOWN_SOURCE : source.slice(0, SOURCE_LENGTH_MAX);
      const crowded = pending.size >= PENDING_MAX && !pending.has(`${name} ${rejection.reason}`);
      const shown = crowded ? "(others)" : name;
      const key = `${shown} ${rejection.reason}`;
      const known = pending.get(key);
      const detail = describeRejection(rejection).detail.slice(0, DETAIL_LENGTH_MAX);
      const entry = known ?? { at: ports.now(), source: shown, reason: rejection.reason, count: 0, detail };
      pending.set(key, { ...entry, count: entry.count + 1 });
      // Each request writes through its own context: a promise made in another request's context can't be awaited in
      // workerd, so the first one of each second carries the write and the others have nothing to wait for.
      const now = ports.now();
      if (flushingSince !== undefined && now - flushingSince < FLUSH_LOST_AFTER_MS) return Promise.resolve();
      flushingSince = now;
      return flush(ports);
    },
  });
}
