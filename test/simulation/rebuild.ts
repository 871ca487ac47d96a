/** A partition opened anew on the tables of one that runs must say what that one says: memory is a cache of the tables. */
import { openEngine } from "../../src/objects/engine.ts";
import type { PartitionHost } from "./partition-host.ts";

/** What only memory knows may have it look again so much sooner. */
const ALARM_SLACK_MS = 6_000;

/** `isTouched`: some target was short of room, which is kept in memory only. */
export function rebuildProblems(
  host: PartitionHost,
  laneIds: readonly string[],
  isTouched: boolean,
): readonly string[] {
  let wakeAt: number | null = null;
  const fresh = openEngine({
    sql: {
      ...host.sql,
      run(query) {
        if (!query.startsWith("CREATE TABLE IF NOT EXISTS meta")) throw new Error(`a start writes: ${query}`);
      },
    },
    limits: host.limits,
    setAlarm(at) {
      wakeAt = at;
    },
    handOver: () => Promise.reject(new Error("it only looks")),
    askOpenLanes: () => Promise.reject(new Error("it only looks")),
    now: host.now,
    newToken: () => "",
    log: () => {},
  });
  fresh.start(null);
  const own = host.engine();
  const problems: string[] = [];
  const differs = (what: string, mine: unknown, other: unknown) => {
    const [a, b] = [JSON.stringify(mine), JSON.stringify(other)];
    if (a !== b) problems.push(`${host.name} says of its ${what} ${a}, and opened anew ${b}`);
  };
  differs("backlog", own.backlog(), fresh.backlog());
  differs("open lanes", own.openLanes(laneIds), fresh.openLanes(laneIds));
  const [alarmAt, freshAt] = [host.alarmAt(), wakeAt as number | null];
  const latest = freshAt === null ? null : Math.max(freshAt, host.now()) + ALARM_SLACK_MS;
  if (!isTouched && latest !== null && (alarmAt === null || alarmAt > latest)) {
    problems.push(`${host.name} wakes at ${alarmAt}, and opened anew at ${freshAt}`);
  }
  return problems;
}
