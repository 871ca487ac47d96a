/**
 * Notices that files of a folder have changed, by looking again and again: that works on every file system, through git's
 * checkouts and editors that replace files. A change counts once two looks in a row see the same.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const LOOK_EVERY_MS = 300;
/** Looking takes at most this part of the time, however large the folder is. */
const DUTY_MAX = 0.05;
const FILES_AT_ONCE = 64;

export interface Watch {
  readonly stop: () => void;
}

/** Calls back after each change, never while an earlier call is still going on. */
export function watchFolder(dir: string, onChange: () => Promise<void>): Watch {
  let stopped = false;
  let handled: string | undefined;
  let previous: string | undefined;

  async function keepLooking(): Promise<void> {
    while (!stopped) {
      const startedAt = performance.now();
      const seen = await fingerprint(dir);
      const tookMs = performance.now() - startedAt;
      handled ??= seen;
      const isSettled = seen === previous;
      previous = seen;
      if (isSettled && seen !== handled && !stopped) {
        handled = seen;
        await onChange();
      }
      await pause(Math.max(LOOK_EVERY_MS, tookMs / DUTY_MAX));
    }
  }

  void keepLooking();
  return { stop: () => void (stopped = true) };
}

/** Names, sizes and times of all files; equal when nothing was written. A folder that can't be read has a fingerprint too. */
async function fingerprint(dir: string): Promise<string> {
  try {
    const entries = await readdir(dir, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    const lines: string[] = [];
    for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
      lines.push(...(await Promise.all(files.slice(at, at + FILES_AT_ONCE).map(describeFile))));
    }
    return lines.toSorted().join("\n");
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
}

async function describeFile(file: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(file);
    return `${file}\0${size}\0${mtimeMs}\0${ino}`;
  } catch (error) {
    return `${file}\0${(error as NodeJS.ErrnoException).code}`;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
