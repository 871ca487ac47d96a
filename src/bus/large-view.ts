/**
 * What a rule's transform sees of an event whose payload stands in the body store: the parts that it names, read from there as
 * they stream by.
 */
import type { EventAttributes } from "../core/event.ts";
import { eventView } from "../core/event.ts";
import { createPruner } from "../core/json-prune.ts";
import type { Outcome } from "../core/outcome.ts";
import type { JsonObject, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { LargeBody, TargetIo } from "../core/target.ts";
import type { Transform } from "../core/transform.ts";
import { wantedByTransform } from "../core/wanted-paths.ts";
import type { WantedPath } from "../core/wanted-tree.ts";
import { buildWantedTree } from "../core/wanted-tree.ts";

export interface LargeViewPorts {
  readonly io: Pick<TargetIo, "openBody">;
  readonly timeoutMs: number;
  /** The work's result, or "timeout" when it takes longer. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
}

export const LATE_VIEW: Outcome = {
  kind: "retryable",
  reason: "timeout",
  detail: "the stored payload could not be read in time",
};

/** Read anew for each attempt: the rule may have been mended since. */
export async function readLargeView(
  transform: Transform,
  attributes: EventAttributes,
  large: LargeBody,
  ports: LargeViewPorts,
): Promise<Result<() => JsonObject, Outcome>> {
  const late = new AbortController();
  const reading = readView(transform, attributes, large, ports.io.openBody, late.signal);
  const read = await ports.within(reading, ports.timeoutMs);
  if (read !== "timeout") return read.ok ? ok(() => read.value) : read;
  late.abort();
  return err(LATE_VIEW);
}

async function readView(
  transform: Transform,
  attributes: EventAttributes,
  { key, bytes }: LargeBody,
  openBody: TargetIo["openBody"],
  late: AbortSignal,
): Promise<Result<JsonObject, Outcome>> {
  const wanted = wantedByTransform(transform);
  if (!wanted.ok) {
    const detail = `the payload is too large (${bytes} bytes) for the rule's transform: ${wanted.error}, or leave the transform out`;
    return err({ kind: "permanent", reason: "too-large", detail });
  }
  if (wanted.value.length === 0) return ok(eventView({ attributes, body: null }));
  const read = await pruneStored(wanted.value, key, openBody, late);
  if (read.ok) return ok(eventView({ attributes, body: read.value }));
  const { reason, detail } = read.error;
  return err(
    reason === "network"
      ? { kind: "retryable", reason, detail }
      : { kind: "permanent", reason, detail: reason === "too-large" ? `the rule's transform: ${detail}` : detail },
  );
}

/** Why there is nothing to see of a stored payload. `network` may pass. */
export interface StoredProblem {
  readonly reason: "too-large" | "body-missing" | "network";
  readonly detail: string;
}

/** The parts that are wanted of a payload in the body store, as JSON. `late` lets go of the payload: it holds a connection. */
export async function pruneStored(
  wanted: readonly WantedPath[],
  key: string,
  openBody: TargetIo["openBody"],
  late?: AbortSignal,
): Promise<Result<Uint8Array, StoredProblem>> {
  const pruner = createPruner(buildWantedTree(wanted));
  try {
    const body = await openBody(key);
    if (body === null) {
      return err({ reason: "body-missing", detail: "the event's payload is not in the body store any more" });
    }
    const reader = body.getReader();
    const letGo = () => void reader.cancel().catch(() => undefined);
    if (late?.aborted === true) letGo();
    late?.addEventListener("abort", letGo, { once: true });
    for (let part = await reader.read(); !part.done; part = await reader.read()) pruner.update(part.value);
  } catch (error) {
    return err({ reason: "network", detail: `the stored payload could not be read: ${String(error)}` });
  }
  const pruned = pruner.finish();
  if (pruned.ok) return pruned;
  const { error } = pruned;
  const detail =
    error.reason === "rules-need-too-much"
      ? `what is named of the payload is over ${error.bytesMax} bytes: name smaller parts`
      : `the stored payload is not what was accepted (${error.reason})`;
  return err({ reason: "too-large", detail });
}
