/**
 * The way in: one request, from bytes to receipt. A ladder of guards; whatever fails is one Rejection, recorded and answered.
 */
import type { PublishPorts } from "../bus/publish.ts";
import type { Origin } from "../bus/plan-event.ts";
import { originOf } from "../bus/plan-event.ts";
import { publish } from "../bus/publish.ts";
import type { DispatchJob } from "../bus/ports.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { CompiledSource } from "../core/rule-set.ts";
import type { Received, ReceivedEvent, SourceAnswer, SourceContext, SourceRequest } from "../core/source.ts";
import { BODY_BYTES_MAX, BODY_TIMEOUT_MS, declaredBytes, openBody, readStart } from "./body.ts";
import { contentEncodingOf, gunzip } from "./gzip.ts";
import type { LargePorts } from "./large-body.ts";
import { receiveLarge } from "./large-body.ts";
import { onlyPost, rejectionResponse } from "./problem.ts";

const SOURCE_CHARS_SHOWN = 64;

/** The source that `POST /events` belongs to. */
export const EVENTS_SOURCE = "events";

export interface IngestPorts extends PublishPorts, LargePorts {
  readonly secret: SourceContext["secret"];
  /** Goes on after the answer. */
  readonly later: (work: Promise<unknown>) => void;
  readonly dispatch: (jobs: readonly DispatchJob[]) => Promise<void>;
  /** Lets the deliveries that are under way in this isolate end, where they are many: a short wait at most. */
  readonly admit: () => Promise<void>;
  readonly recordRejection: (source: string, rejection: Rejection) => Promise<void>;
  /** Notes which secrets a request of the source was right by. */
  readonly recordVerification: (source: string, secrets: readonly string[]) => Promise<void>;
}

export async function ingest(request: Request, sourceName: string, ports: IngestPorts): Promise<Response> {
  await ports.admit();
  const source = ports.ruleSet.source(sourceName);
  const received = await receive(request, source, sourceName, ports);
  if (!received.ok) return refuse(received.error);
  const { events, origin, batch, answer, verifiedBy = [] } = received.value;
  const published = await publish(events, origin, ports);
  discardBodies(events, published, ports);
  // Whatever became of its events: that these secrets are in use is known now.
  if (verifiedBy.length > 0) ports.later(ports.recordVerification(sourceName, verifiedBy));
  if (!published.ok) return refuse(published.error);
  const { receipts, jobs } = published.value;
  if (jobs.length > 0) ports.later(ports.dispatch(jobs));
  const conflicts = receipts.flatMap(({ id, status }): readonly Rejection[] =>
    status === "conflict" || status === "replayed" ? [{ reason: status, receipt: id }] : [],
  );
  for (const conflict of conflicts) ports.later(ports.recordRejection(sourceName, conflict));
  if (answer !== undefined && conflicts.length === 0) return answerResponse(answer);
  if (batch) return Response.json(receipts, { status: 202 });
  const [conflict] = conflicts;
  return conflict === undefined ? Response.json(receipts[0], { status: 202 }) : rejectionResponse(conflict);

  function refuse(rejection: Rejection): Response {
    ports.later(ports.recordRejection(sourceName, rejection));
    return rejectionResponse(rejection, source?.source.unauthenticatedStatus);
  }
}

/** GET and HEAD: the vendor's question whether the address is ours. */
export async function answerHandshake(request: Request, sourceName: string, ports: IngestPorts): Promise<Response> {
  const source = ports.ruleSet.source(sourceName);
  const { method, url, headers } = request;
  const answered = source?.source.handshake?.({ method, url, headers }, source.config, contextOf(ports));
  // Of an address that nobody sends to, too: whoever looks around with GET is not worth a record.
  if (answered === undefined) return onlyPost();
  if (answered.ok) {
    const { verifiedBy = [] } = answered.value;
    if (verifiedBy.length > 0) ports.later(ports.recordVerification(sourceName, verifiedBy));
    return answerResponse(answered.value);
  }
  ports.later(ports.recordRejection(sourceName, answered.error));
  return rejectionResponse(answered.error);
}

function answerResponse({ status, headers = {}, body }: SourceAnswer): Response {
  return new Response(body ?? null, { status, headers });
}

function contextOf(ports: IngestPorts): SourceContext {
  return { now: ports.now(), hashing: ports.hashing, secret: ports.secret };
}

async function receive(
  request: Request,
  source: CompiledSource | undefined,
  sourceName: string,
  ports: IngestPorts,
): Promise<Result<Received & { readonly origin: Origin }, Rejection>> {
  if (source === undefined) return err({ reason: "unknown-source", source: sourceName.slice(0, SOURCE_CHARS_SHOWN) });
  const { method, url, headers } = request;
  const takesGzip = source.definition.gzip === true;
  const body = openBody(request, BODY_TIMEOUT_MS, takesGzip);
  if (!body.ok) return body;
  const isGzip = takesGzip && contentEncodingOf(headers) === "gzip";
  const head = { method, url, headers };
  try {
    const declared = declaredBytes(request);
    const read = declared > BODY_BYTES_MAX ? ok(NOTHING_READ) : await readStart(body.value, BODY_BYTES_MAX);
    if (!read.ok) return read;
    const { bytes, isWhole } = read.value;
    if (!isWhole && isGzip) {
      return err({ reason: "body-too-large", bytesMax: BODY_BYTES_MAX, hint: "A larger one must come uncompressed" });
    }
    const received = isWhole
      ? await receiveWhole({ ...head, body: bytes }, isGzip, source, ports)
      : await receiveLarge({ head, start: bytes, declaredBytes: declared, body: body.value }, source, ports);
    return received.ok ? ok({ ...received.value, origin: originOf(source) }) : received;
  } finally {
    body.value.close();
  }
}

const NOTHING_READ = { bytes: new Uint8Array(), isWhole: false };

async function receiveWhole(
  request: SourceRequest,
  isGzip: boolean,
  { source, config, definition }: CompiledSource,
  ports: IngestPorts,
): Promise<Result<Received, Rejection>> {
  const plain = isGzip ? await gunzip(request.body, BODY_BYTES_MAX) : ok(request.body);
  if (!plain.ok) return plain;
  const whole = { ...request, body: plain.value, ...(isGzip ? { wireBody: request.body } : {}) };
  return source.receive(whole, config, definition.name, contextOf(ports));
}

/**
 * Removes the stored body of an event that was not accepted. Where nobody knows whether it was, it stays: the sweep asks the
 * partitions.
 */
function discardBodies(
  events: readonly ReceivedEvent[],
  published: Awaited<ReturnType<typeof publish>>,
  { bodies, later, log }: IngestPorts,
): void {
  const keys = events.flatMap(({ large }, index) => {
    if (large === undefined) return [];
    const isRefused = published.ok
      ? published.value.receipts[index]?.status !== "accepted"
      : published.error.reason !== "storage-unavailable";
    return isRefused ? [large.key] : [];
  });
  if (bodies === undefined || keys.length === 0) return;
  later(bodies.remove(keys).catch((error: unknown) => log("large.remove-failed", { error: String(error) })));
}
