/** What an event costs by how many targets it goes to: the whole of Sluice on plain workerd, under load, all targets one server. */
import type { BenchTarget } from "./bench-process.ts";
import { sluiceSystem } from "./bench-systems.ts";
import { runRound } from "./e2e-round.ts";

export interface FanOutCost {
  readonly fanOut: number;
  readonly cpuUsPerEvent: number;
  readonly cpuUsPerDelivery: number;
  readonly deliveriesPerSecond: number;
}

const SENDERS = 16;
const WARM_UP_SECONDS = 2;

export async function measureFanOut(fanOut: number, seconds: number, target: BenchTarget): Promise<FanOutCost> {
  const round = await runRound(sluiceSystem(1, { runtime: "workerd", fanOut }), target, {
    senders: SENDERS,
    seconds,
    warmUpSeconds: WARM_UP_SECONDS,
    fanOut,
  });
  if (round.delivered < round.accepted * fanOut) {
    throw new Error(`${round.accepted * fanOut - round.delivered} deliveries of ${fanOut} an event did not arrive`);
  }
  if (round.cpuUsPerEvent === undefined) throw new Error("this system does not tell the CPU time of a process");
  return {
    fanOut,
    cpuUsPerEvent: round.cpuUsPerEvent,
    cpuUsPerDelivery: round.cpuUsPerEvent / fanOut,
    deliveriesPerSecond: round.eventsPerSecond,
  };
}
