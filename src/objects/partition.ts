/**
 * The partition: a Durable Object that owns every event whose key hashes to it. It is the only state in Sluice. This file
 * binds `engine.ts` to the platform: SQLite, alarm, clock, RPC.
 */
import { DurableObject } from "cloudflare:workers";
import type { TargetStatus } from "../bus/gate-ports.ts";
import type {
  AcceptReply,
  AcceptRequest,
  AdminPartitionPort,
  Backlog,
  DispatchJob,
  KnownReply,
  ListedEvent,
  ListReply,
  ListRequest,
  OpenLane,
  PartitionPort,
  RejectionEntry,
  SettleReply,
  VerificationEntry,
  WantedPairs,
} from "../bus/ports.ts";
import { logLine } from "../bus/log-line.ts";
import { deflating } from "./deflating.ts";
import { openSql } from "./durable-sql.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./engine.ts";
import { LEDGER_LIMITS } from "./ledger-limits.ts";
import type { OlderAcceptRequest, OlderSettleRequest } from "./older-callers.ts";
import { fillAccept, fillSettle, replyTo } from "./older-callers.ts";

/** What another partition is given to answer a question; it is asked again later. */
const ASK_TIMEOUT_MS = 2_000;

/** What the partition needs of the Worker's own exports; `src/index.ts` exports it. */
interface Exports {
  readonly Dispatch: { readonly run: (job: DispatchJob) => Promise<void> };
}

export interface PartitionEnv {
  /** Other partitions, for lanes that have moved to a new layout. */
  readonly PARTITION: DurableObjectNamespace<Partition>;
  /** A number that tests turn down; unset in production. */
  readonly BACKLOG_DELIVERIES_MAX?: string | undefined;
}

export class Partition extends DurableObject<PartitionEnv> implements PartitionPort, AdminPartitionPort {
  readonly #engine: Engine;

  constructor(ctx: DurableObjectState, env: PartitionEnv) {
    super(ctx, env);
    const exports = ctx.exports as unknown as Exports;
    this.#engine = openEngine({
      sql: openSql(ctx.storage),
      deflating,
      limits: {
        ...LEDGER_LIMITS,
        backlogDeliveriesMax: Number(env.BACKLOG_DELIVERIES_MAX ?? LEDGER_LIMITS.backlogDeliveriesMax),
      },
      // Not awaited: the output gate holds every reply until the alarm is on disk with the rows.
      setAlarm: (at) => void ctx.storage.setAlarm(at),
      handOver: (job) => exports.Dispatch.run(job),
      askOpenLanes: (partition, ids) =>
        inTime(env.PARTITION.get(env.PARTITION.idFromName(partition)).openLanes(ids), ASK_TIMEOUT_MS),
      now: Date.now,
      newToken: () => crypto.randomUUID(),
      log: (message, fields) => console.error(logLine(message, fields)),
    });
    void ctx.blockConcurrencyWhile(async () => this.#engine.start(await ctx.storage.getAlarm()));
  }

  async accept(request: OlderAcceptRequest, others: readonly OlderAcceptRequest[] = []): Promise<AcceptReply> {
    return replyTo(request, this.#engine.accept(fillAccept(request), others.map(fillAccept)));
  }

  async known(request: AcceptRequest): Promise<KnownReply> {
    return this.#engine.known(request);
  }

  async settle(request: OlderSettleRequest): Promise<SettleReply> {
    return this.#engine.settle(fillSettle(request));
  }

  async openLanes(ids: readonly string[]): Promise<readonly OpenLane[]> {
    return this.#engine.openLanes(ids);
  }

  override async alarm(): Promise<void> {
    await this.#engine.alarm();
  }

  /** A caller from before 0.2.0 says nothing of targets. */
  async wake(
    statuses: readonly TargetStatus[] = [],
    targets?: readonly string[],
    wanted?: WantedPairs,
  ): Promise<Backlog> {
    return this.#engine.wake(await this.ctx.storage.getAlarm(), statuses, targets, wanted);
  }

  async setTargetStatuses(statuses: readonly TargetStatus[]): Promise<void> {
    this.#engine.setTargetStatuses(statuses);
  }

  async get(seq: number): Promise<ListedEvent | null> {
    return this.#engine.get(seq);
  }

  async list(request: ListRequest): Promise<ListReply> {
    return this.#engine.list(request);
  }

  async redrive(seq: number, deliveryId: string | null): Promise<number | "full" | null> {
    return this.#engine.redrive(seq, deliveryId);
  }

  async keptBodies(keys: readonly string[]): Promise<readonly string[]> {
    return this.#engine.keptBodies(keys);
  }

  async recordRejections(entries: readonly RejectionEntry[]): Promise<void> {
    this.#engine.recordRejections(entries);
  }

  async listRejections(limit: number): Promise<readonly RejectionEntry[]> {
    return this.#engine.listRejections(limit);
  }

  async recordVerifications(entries: readonly VerificationEntry[]): Promise<void> {
    this.#engine.recordVerifications(entries);
  }

  async listVerifications(): Promise<readonly VerificationEntry[]> {
    return this.#engine.listVerifications();
  }
}

async function inTime<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
