/** Gates that answer as a test says, and remember what they were asked. */
import type { GatePort, GateReply, PermitReply, TargetState, TargetStatus } from "../../src/bus/gate-ports.ts";

export interface GateCall {
  readonly target: string;
  readonly name: keyof GatePort;
  readonly args: readonly unknown[];
}

export const FREE: TargetState = { kind: "free" };
export const GATED: TargetState = { kind: "gated" };
export const PAUSED: TargetState = { kind: "held", reason: "paused", forMs: null };
export const GONE: TargetState = { kind: "held", reason: "target-gone", forMs: null };

export function statusOf(target: string, state: TargetState, version = 1): TargetStatus {
  return { target, version, state };
}

export function replyOf(target: string, state: TargetState, changed: boolean, version = 1): GateReply {
  return { status: statusOf(target, state, version), changed };
}

/** A permit for a target that is free, but for what the test says. */
export function granted(
  target: string,
  changes: Partial<Omit<Extract<PermitReply, { readonly kind: "granted" }>, "kind">> = {},
): PermitReply {
  return { kind: "granted", waitMs: 0, finish: false, ...replyOf(target, FREE, false), ...changes };
}

export function denied(target: string, retryAfterMs: number, reply = replyOf(target, FREE, false)): PermitReply {
  return { kind: "denied", retryAfterMs, ...reply };
}

export type GateScript = (target: string) => Partial<GatePort>;

/** Without a script for a call, a gate grants, and every target is free. */
export function scriptedGates(script: GateScript = () => ({})) {
  const calls: GateCall[] = [];
  const gate = (target: string): GatePort => {
    const reply = async (): Promise<GateReply> => replyOf(target, FREE, false);
    const all: GatePort = {
      acquire: async () => granted(target),
      finish: reply,
      report: reply,
      pause: reply,
      resume: reply,
      status: reply,
      ...script(target),
    };
    const record =
      <Args extends readonly unknown[], Value>(name: keyof GatePort, call: (...args: Args) => Promise<Value>) =>
      (...args: Args): Promise<Value> => {
        calls.push({ target, name, args });
        return call(...args);
      };
    return {
      acquire: record("acquire", all.acquire),
      finish: record("finish", all.finish),
      report: record("report", all.report),
      pause: record("pause", all.pause),
      resume: record("resume", all.resume),
      status: record("status", all.status),
    };
  };
  return {
    calls,
    gate,
    /** What was called, as `acquire ci`. */
    names: (): readonly string[] => calls.map(({ name, target }) => `${name} ${target}`),
  };
}
