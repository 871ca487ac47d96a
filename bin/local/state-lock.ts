/**
 * One router at a time on one folder of state: two workerd processes on the same SQLite files would damage them. The lock is
 * one of SQLite's own, which the operating system gives back when its process ends in whatever way, SIGKILL included; so a lock
 * is never stale, and two starts at the same instant can't both get it.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { Failure } from "../failure.ts";

const LOCK_FILE = "router.lock";
/** Only for people: who holds the lock. */
const PID_FILE = "router.pid";
const SQLITE_BUSY = 5;

export interface StateLock {
  readonly release: () => Promise<void>;
}

/** Takes the folder, which is made when it isn't there. */
export async function lockState(stateDir: string): Promise<Result<StateLock, Failure>> {
  const dir = resolve(stateDir);
  const pidFile = join(dir, PID_FILE);
  let database: DatabaseSync | undefined;
  try {
    await mkdir(dir, { recursive: true });
    database = new DatabaseSync(join(dir, LOCK_FILE));
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    await writeFile(pidFile, `${process.pid}\n`);
  } catch (error) {
    database?.close();
    const { errcode, message } = error as Error & { readonly errcode?: number };
    if (errcode !== SQLITE_BUSY) {
      return err({
        message: `the state folder ${stateDir} can't be used: ${message}`,
        hint: "Name another with --state.",
      });
    }
    const pid = (await readFile(pidFile, "utf8").catch(() => "")).trim();
    return err({
      message: `another router${/^\d+$/.test(pid) ? ` (process ${pid})` : ""} is running on ${stateDir}`,
      hint: "Stop it first, or give this one a folder of its own with --state.",
    });
  }
  const held = database;
  return ok({
    release: async () => {
      await rm(pidFile, { force: true });
      held.close();
    },
  });
}
