/**
 * Delivers to another bus of this router: `audit: { bus: audit }`. The event, as the rule's transform made it, is published
 * there with one hop more (core/hops.ts), and the rules of that bus see it under the attributes that it had.
 */
import entry from "#entry/targets/_bus-entry.ts";
import { structuredJson } from "../core/event.ts";
import { withHop } from "../core/hops.ts";
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import type { PipeProblem, Preview, Shipment, Target, TargetIo } from "../core/target.ts";
import type { BusConfig } from "./_bus-entry.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure } from "./_failure-text.ts";

async function send(shipment: Shipment, config: BusConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const signal = io.timeoutSignal(timeoutMs);
  const { deliveryId, event, large } = shipment;
  if (large !== undefined) return { kind: "permanent", reason: "too-large", detail: tooLarge(large.bytes) };
  try {
    // What is published after the deadline is a duplicate when it is tried again, so the other bus has it once.
    const timed = await beforeDeadline(io.publish({ bus: config.bus, deliveryId, event }), signal);
    if (timed.late) {
      const detail = `the bus ${config.bus} did not store the event within ${formatDuration(timeoutMs)}`;
      return { kind: "retryable", reason: "timeout", detail };
    }
    return timed.value.ok ? { kind: "delivered" } : outcomeOfProblem(timed.value.error);
  } catch (error) {
    const detail = `publishing on the bus ${config.bus} failed: ${describeFailure(error)}`;
    return { kind: "retryable", reason: "bus", detail };
  }
}

function tooLarge(bytes: number): string {
  return `the payload has ${bytes} bytes, and stays on its bus: deliver it from here, or give this rule a transform that names what the other bus needs`;
}

/** The event as the other bus gets it, in the JSON format. */
function preview({ event }: Shipment, config: BusConfig): Preview {
  const action = `publish on bus ${config.bus}`;
  const hopped = withHop(event, event.attributes, action);
  const body = new TextEncoder().encode(structuredJson(hopped.ok ? hopped.value : event));
  return { action, headers: {}, body, ...(hopped.ok ? {} : { problem: hopped.error }) };
}

function outcomeOfProblem(problem: PipeProblem): Outcome {
  const { detail } = problem;
  switch (problem.reason) {
    case "hop-limit":
      return { kind: "permanent", reason: "hop-limit", detail };
    case "not-stored": {
      const { retryAfterMs } = problem;
      return { kind: "retryable", reason: "bus", detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
  }
}

const bus: Target<BusConfig> = {
  kind: "bus",
  ...entry(),
  secretNames: () => [],
  queueBindings: () => [],
  serviceBindings: () => [],
  urls: () => [],
  localOnly: () => [],
  preview,
  send,
};

export default bus;
