/** What an event costs a partition by how many it has stored: the real engine on a SQLite file, each event accepted and settled. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LeasedWork } from "../../src/bus/ports.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { median } from "./percentile.ts";

export interface StoredCost {
  readonly storedEvents: number;
  readonly cpuUsPerEvent: number;
  /** Of the median batch, by the clock: what the disk takes is in it. */
  readonly elapsedUsPerEvent: number;
  readonly databaseMb: number;
}

const START = Date.UTC(2026, 0, 1);
/** A million events are nine days of the log, which keeps fourteen. */
const BETWEEN_EVENTS_MS = 800;
/** The sweep comes by every 15 minutes, in the engine's time. */
const SWEEP_EVERY_EVENTS = 1_125;
const BATCHES = 7;
const BATCH_EVENTS = 300;
/** Events of one accept call and of one settle call while the partition is filled. */
const FILL_EVENTS = 20;
/** More than the log's own limit, which a million events come close to: none of them may be dropped. */
const LOG_BYTES_MAX = 4 * 1_073_741_824;
const MB = 1_000_000;

/** `sizes` ascending; the partition grows from one to the next. `tell` hears how far it is. */
export async function measureStored(
  sizes: readonly number[],
  tell: (storedEvents: number) => void,
): Promise<readonly StoredCost[]> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-scaling-"));
  const sql = openNodeSql(join(dir, "partition.sqlite"));
  // As in a Durable Object, but for the wait for the disk: that is the machine's, and the same at every size.
  sql.all("PRAGMA journal_mode = WAL");
  sql.all("PRAGMA synchronous = NORMAL");
  let stored = 0;
  let tokens = 0;
  let firstSeq: number | undefined;
  const engine = openEngine({
    sql,
    limits: { ...LEDGER_LIMITS, logBytesMax: LOG_BYTES_MAX },
    setAlarm: () => {},
    handOver: () => Promise.resolve(),
    askOpenLanes: () => Promise.resolve([]),
    now: () => START + stored * BETWEEN_EVENTS_MS,
    newToken: () => `lease-${++tokens}`,
    log: (message, fields) => {
      throw new Error(`${message} ${JSON.stringify(fields)}`);
    },
  });
  engine.start(null);

  /** Accepts so many new events in one call, and settles their deliveries in another. */
  function take(count: number): void {
    const items = Array.from({ length: count }, (_, index) => acceptItem(`event-${stored + index}`, ["ci"]));
    stored += count;
    const reply = engine.accept(acceptRequest(`accept-${stored}`, items, count));
    if (reply.kind !== "accepted") throw new Error(`not accepted: ${reply.kind}`);
    firstSeq ??= reply.items[0]?.seq;
    settle(reply.leases.map((lease) => ({ lease })));
    if (Math.floor(stored / SWEEP_EVERY_EVENTS) > Math.floor((stored - count) / SWEEP_EVERY_EVENTS)) {
      engine.wake(null, []);
    }
  }

  function settle(work: readonly Pick<LeasedWork, "lease">[]): void {
    const settlements = work.map(({ lease }) => settlementFor(lease, { kind: "delivered" }));
    engine.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS });
  }

  try {
    // Code is compiled and the caches are warm before the first size.
    for (let event = 0; event < (sizes[0] ?? 0) / 2; event += 1) take(1);
    const costs: StoredCost[] = [];
    for (const size of sizes) {
      while (stored < size) {
        take(Math.min(FILL_EVENTS, size - stored));
        if (stored % (FILL_EVENTS * 500) === 0) tell(stored);
      }
      const batches = Array.from({ length: BATCHES }, () => {
        const [cpu, clock] = [process.cpuUsage(), performance.now()];
        for (let event = 0; event < BATCH_EVENTS; event += 1) take(1);
        const { user, system } = process.cpuUsage(cpu);
        return {
          cpuUs: (user + system) / BATCH_EVENTS,
          elapsedUs: ((performance.now() - clock) * 1_000) / BATCH_EVENTS,
        };
      });
      costs.push({
        storedEvents: size,
        cpuUsPerEvent: median(batches.map(({ cpuUs }) => cpuUs)),
        elapsedUsPerEvent: median(batches.map(({ elapsedUs }) => elapsedUs)),
        databaseMb: sql.bytes() / MB,
      });
    }
    // What is counted as stored is there, to the first event.
    if (firstSeq === undefined || engine.get(firstSeq) === null) throw new Error("the log has lost its first event");
    return costs;
  } finally {
    sql.close();
    await rm(dir, { recursive: true, force: true });
  }
}
