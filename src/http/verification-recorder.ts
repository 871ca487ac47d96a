/**
 * Notes which secrets verify requests in this isolate, and writes each to its source's partition at once when it is seen for the
 * first time and then at most once a minute: evidence for whoever wants to remove a secret, at the cost of one row a minute.
 */
import type { VerificationEntry } from "../bus/ports.ts";

/** What is written of a secret is older than its last request by so much at most. */
export const WRITE_EVERY_MS = 60_000;
/** A write that failed, or that died with its request, is tried again by a request after so long. */
export const WRITE_AGAIN_MS = 10_000;

export interface VerificationRecorder {
  /** Notes that a request of the source was right by these secrets. The promise ends when it is written; hand it to `waitUntil`. */
  readonly record: (source: string, secrets: readonly string[]) => Promise<void>;
}

export interface VerificationPorts {
  readonly now: () => number;
  readonly write: (source: string, entries: readonly VerificationEntry[]) => Promise<void>;
}

interface Written {
  readonly at: number;
  readonly isDone: boolean;
}

/** The isolate's memory: as many entries as the rule files name secrets of sources. */
export function createVerificationRecorder(): (ports: VerificationPorts) => VerificationRecorder {
  const last = new Map<string, Written>();

  function isDue(key: string, now: number): boolean {
    const written = last.get(key);
    return written === undefined || now - written.at >= (written.isDone ? WRITE_EVERY_MS : WRITE_AGAIN_MS);
  }

  return (ports) => ({
    async record(source, secrets) {
      const now = ports.now();
      const due = secrets.filter((secret) => isDue(`${source} ${secret}`, now));
      if (due.length === 0) return;
      // Marked before it is written: the requests of the meantime have nothing to do.
      for (const secret of due) last.set(`${source} ${secret}`, { at: now, isDone: false });
      await ports.write(
        source,
        due.map((secret) => ({ source, secret, at: now })),
      );
      for (const secret of due) last.set(`${source} ${secret}`, { at: now, isDone: true });
    },
  });
}
