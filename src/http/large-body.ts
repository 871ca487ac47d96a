/**
 * The way in for a body that is too large to be read into memory: while it streams by, the source computes its signature, the
 * pruner keeps what rules name of it, and its bytes go to the body store. It is visible there only once it is known to be
 * genuine, and acknowledged only after that (docs/decisions/0010).
 */
import type { BodyStore } from "../bus/body-store.ts";
import { newBodyKey } from "../bus/body-keys.ts";
import type { PublishPorts } from "../bus/publish.ts";
import { createPruner } from "../core/json-prune.ts";
import type { Rejection } from "../core/rejection.ts";
import { isUnauthenticated } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { CompiledSource } from "../core/rule-set.ts";
import type { LargeReading, Received, SourceContext, SourceRequestHead } from "../core/source.ts";
import { wantedByPatterns, wantedMembers } from "../core/wanted-paths.ts";
import { buildWantedTree } from "../core/wanted-tree.ts";
import type { BodyReader } from "./body.ts";
import { BODY_BYTES_MAX } from "./body.ts";
import type { LargeUpload } from "./large-upload.ts";
import { startUpload } from "./large-upload.ts";

/** GitHub's payloads have 25 MB at most (Webhook events and payloads, "Payload cap"). */
export const LARGE_BODY_BYTES_MAX = 26_214_400;
/**
 * From here until the body is complete in the store. Together with the acceptance after it (ACCEPT_TIMEOUT_MS) it ends within
 * the 10 s that GitHub waits.
 */
export const LARGE_BODY_TIMEOUT_MS = 6_000;
/** Bodies of one isolate at a time: each takes two parts and what is kept of it, of the 128 MB that an isolate has. */
export const LARGE_BODIES_MAX = 4;
const BUSY_RETRY_AFTER_SECONDS = 5;
const STORAGE_RETRY_AFTER_SECONDS = 5;

/** Counts the large bodies of an isolate. */
export interface LargeBudget {
  /** A function that gives the place back; undefined when all are taken. */
  readonly take: () => (() => void) | undefined;
}

export function createLargeBudget(max: number = LARGE_BODIES_MAX): LargeBudget {
  let taken = 0;
  return {
    take() {
      if (taken === max) return undefined;
      taken += 1;
      let isBack = false;
      return () => {
        taken -= isBack ? 0 : 1;
        isBack = true;
      };
    },
  };
}

export interface LargePorts extends Pick<
  PublishPorts,
  "ruleSet" | "newToken" | "now" | "within" | "log" | "partitions" | "hashing"
> {
  /** Undefined where the binding BODIES is missing. */
  readonly bodies: BodyStore | undefined;
  readonly largeBudget: LargeBudget;
  readonly secret: SourceContext["secret"];
  readonly later: (work: Promise<unknown>) => void;
}

/** What is known of the request before its body, and as much of that as was read. */
export interface LargeRequest {
  readonly head: SourceRequestHead;
  readonly start: Uint8Array;
  /** As the sender says; 0 when it does not. */
  readonly declaredBytes: number;
  readonly body: BodyReader;
}

/** Authenticated, and its body stands in the store. */
export async function receiveLarge(
  request: LargeRequest,
  source: CompiledSource,
  ports: LargePorts,
): Promise<Result<Received, Rejection>> {
  const { head, declaredBytes } = request;
  const { kind, receiveLarge: begin } = source.source;
  if (begin === undefined) {
    const hint = `Sources of kind ${kind} take no larger ones`;
    return err({ reason: "body-too-large", bytesMax: BODY_BYTES_MAX, hint });
  }
  if (ports.bodies === undefined) {
    const hint = `With an R2 bucket under the binding BODIES in wrangler.toml it is ${LARGE_BODY_BYTES_MAX}`;
    return err({ reason: "body-too-large", bytesMax: BODY_BYTES_MAX, hint });
  }
  if (declaredBytes > LARGE_BODY_BYTES_MAX) return err({ reason: "body-too-large", bytesMax: LARGE_BODY_BYTES_MAX });
  const giveBack = ports.largeBudget.take();
  if (giveBack === undefined) {
    return err({ reason: "too-many-large-bodies", retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS });
  }
  try {
    const { name } = source.definition;
    const context = { now: ports.now(), hashing: ports.hashing, secret: ports.secret };
    const reading = begin(head, source.config, name, context);
    return reading.ok ? await readAndStore(request, reading.value, source, ports.bodies, ports) : reading;
  } finally {
    giveBack();
  }
}

async function readAndStore(
  request: LargeRequest,
  reading: LargeReading,
  { definition }: CompiledSource,
  store: BodyStore,
  ports: LargePorts,
): Promise<Result<Received, Rejection>> {
  const deadlineAt = ports.now() + LARGE_BODY_TIMEOUT_MS;
  request.body.limitTime(LARGE_BODY_TIMEOUT_MS);
  const { bus } = definition;
  const wanted = [...wantedMembers(reading.paths), ...wantedByPatterns(ports.ruleSet, bus)];
  const pruner = createPruner(buildWantedTree(wanted));
  const key = newBodyKey({ bus, partitions: ports.partitions, at: ports.now(), token: ports.newToken() });
  const upload = startUpload(store, key, request.head.headers.get("content-type") ?? undefined);

  /** What the store does with it, unless it fails or takes too long. */
  async function inTime(work: Promise<void>): Promise<Rejection | undefined> {
    const stored = work.then(
      () => undefined,
      (error: unknown) => ports.log("large.failed", { key, error: String(error) }) ?? "failed",
    );
    const done = await ports.within(stored, Math.max(0, deadlineAt - ports.now()));
    if (done === undefined) return undefined;
    if (done === "timeout") ports.log("large.timeout", { key });
    return { reason: "storage-unavailable", retryAfterSeconds: STORAGE_RETRY_AFTER_SECONDS };
  }

  const read = await readAll(request, (chunk) => {
    reading.update(chunk);
    pruner.update(chunk);
    return inTime(upload.write(chunk));
  });
  if (!read.ok) return giveUp(upload, read, ports);
  const pruned = pruner.finish();
  const received = reading.finish(pruned.ok ? pruned.value : new Uint8Array());
  if (!pruned.ok) {
    // Whoever can't prove who they are learns nothing of their text.
    return giveUp(upload, !received.ok && isUnauthenticated(received.error) ? received : pruned, ports);
  }
  if (!received.ok || received.value.events.length === 0) return giveUp(upload, received, ports);
  const [event, ...others] = received.value.events;
  if (event === undefined || others.length > 0) throw new Error("a large body is one event at most");
  const failed = await inTime(upload.complete());
  // What is complete all the same, but too late, is an orphan: the sweep removes it.
  if (failed !== undefined) return giveUp(upload, err(failed), ports);
  const large = { key, bytes: read.value, pruned: pruned.value };
  return ok({ ...received.value, events: [{ ...event, event: { ...event.event, body: null }, large }] });
}

/** Hands the body on chunk by chunk; answers how many bytes it has. */
async function readAll(
  { start, body }: LargeRequest,
  handOn: (chunk: Uint8Array) => Promise<Rejection | undefined>,
): Promise<Result<number, Rejection>> {
  let bytes = 0;
  for (let chunk: Uint8Array = start; ;) {
    bytes += chunk.length;
    if (bytes > LARGE_BODY_BYTES_MAX) return err({ reason: "body-too-large", bytesMax: LARGE_BODY_BYTES_MAX });
    const failed = await handOn(chunk);
    if (failed !== undefined) return err(failed);
    const next = await body.next();
    if (next === null) return ok(bytes);
    if (!next.ok) return next;
    chunk = next.value;
  }
}

function giveUp<Answer>(upload: LargeUpload, answer: Answer, { later, log }: LargePorts): Answer {
  later(upload.abort().catch((error: unknown) => log("large.abort-failed", { error: String(error) })));
  return answer;
}
