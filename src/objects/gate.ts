/**
 * The gate: a Durable Object per target that has limits, a pause or a bad record. All partitions ask this one object, so its
 * limits are exact. This file binds `gate-engine.ts` to the platform: SQLite, clock, randomness, RPC.
 */
import { DurableObject } from "cloudflare:workers";
import type { GatePort, GateReply, PermitReply, PermitRequest, TargetRecord } from "../bus/gate-ports.ts";
import { openSql } from "./durable-sql.ts";
import type { GateEngine } from "./gate-engine.ts";
import { openGateEngine } from "./gate-engine.ts";

/** The platform holds every reply until the writes before it are on disk. */
export class Gate extends DurableObject implements GatePort {
  readonly #engine: GateEngine;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#engine = openGateEngine({ sql: openSql(ctx.storage), now: Date.now, random: Math.random });
  }

  async acquire(request: PermitRequest): Promise<PermitReply> {
    return this.#engine.acquire(request);
  }

  async finish(token: string, result: "succeeded" | "failed" | "unsent", target: string): Promise<GateReply> {
    return this.#engine.finish(token, result, target);
  }

  async report(record: TargetRecord): Promise<GateReply> {
    return this.#engine.report(record);
  }

  async pause(target: string, reason: "paused" | "target-gone"): Promise<GateReply> {
    return this.#engine.pause(target, reason);
  }

  async resume(target: string): Promise<GateReply> {
    return this.#engine.resume(target);
  }

  async status(target: string): Promise<GateReply> {
    return this.#engine.status(target);
  }
}
