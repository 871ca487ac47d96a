/** Calls to a target's gate, which may be out of reach: the caller goes on without it, within a second or two. */
import type { CallPorts } from "./partition-call.ts";
import { callAgain } from "./partition-call.ts";
import { inPool } from "./pool.ts";
import type { GatePort, TargetStatus } from "./gate-ports.ts";

/** A gate that takes longer to answer counts as out of reach. */
export const GATE_TIMEOUT_MS = 1_500;
/** Gates asked at a time. */
export const GATE_CALLS_MAX = 6;
/** Asking how all targets stand ends after this: with every gate out of reach, a thousand of them would take minutes. */
export const STATUSES_TIME_MS = 15_000;

export interface GatePorts extends Pick<CallPorts, "sleep" | "random"> {
  /** A new stub at every call, as for partitions. */
  readonly gate: (target: string) => GatePort;
  /** The work's result, or "timeout" when it takes longer; the work itself goes on. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** A call that may safely be made twice; undefined, with a line in the log, when the gate does not answer in time. */
export async function callGate<Reply>(
  target: string,
  call: (gate: GatePort) => Promise<Reply>,
  ports: GatePorts,
): Promise<Reply | undefined> {
  return inTime(target, () => callAgain(() => call(ports.gate(target)), ports), ports);
}

/** A call that would count twice: it is made once. */
export async function callGateOnce<Reply>(
  target: string,
  call: (gate: GatePort) => Promise<Reply>,
  ports: GatePorts,
): Promise<Reply | undefined> {
  return inTime(target, async () => call(ports.gate(target)), ports);
}

/** How targets stand; those whose gate is out of reach, or was not asked in time, are left out. */
export async function askStatuses(targets: readonly string[], ports: GatePorts): Promise<readonly TargetStatus[]> {
  const replies = new Map<string, TargetStatus>();
  let isOver = false;
  const asking = inPool(targets, GATE_CALLS_MAX, async (target) => {
    if (isOver) return;
    const reply = await callGate(target, (gate) => gate.status(target), ports);
    if (reply !== undefined) replies.set(target, reply.status);
  });
  if ((await ports.within(asking, STATUSES_TIME_MS)) === "timeout") {
    ports.log("gates.unasked", { targets: targets.length, known: replies.size });
  }
  isOver = true;
  return targets.flatMap((target) => replies.get(target) ?? []);
}

async function inTime<Reply>(target: string, call: () => Promise<Reply>, ports: GatePorts): Promise<Reply | undefined> {
  try {
    const reply = await ports.within(call(), GATE_TIMEOUT_MS);
    if (reply !== "timeout") return reply;
    ports.log("gate.timeout", { target });
  } catch (error) {
    ports.log("gate.failed", { target, error: String(error) });
  }
  return undefined;
}
