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
import type { Received, SourceAnswer, SourceContext } from "../core/source.ts";
import { readBody } from "./body.ts";
import { onlyPost, rejectionResponse } from "./problem.ts";

const SOURCE_CHARS_SHOWN = 64;

/** The source that `POST /events` belongs to. */
export const EVENTS_SOURCE = "events";

export interface IngestPorts extends PublishPorts {
  readonly secret: SourceContext["secret"];
  /** Goes on after the answer. */
  readonly later: (work: Promise<unknown>) => void;
  readonly dispatch: (jobs: readonly DispatchJob[]) => Promise<void>;
  readonly recordRejection: (source: string, rejection: Rejection) => Promise<void>;
  /** Notes which secrets a request of the source was right by. */
  readonly recordVerification: (source: string, secrets: readonly string[]) => Promise<void>;
}

export async function ingest(request: Request, sourceName: string, ports: IngestPorts): Promise<Response> {
  const source = ports.ruleSet.source(sourceName);
  const received = await receive(request, source, sourceName, ports);
  if (!received.ok) return refuse(received.error);
  const { events, origin, batch, answer, verifiedBy = [] } = received.value;
  const published = await publish(events, origin, ports);
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
  const answered =
    source === undefined
      ? err<Rejection>({ reason: "unknown-source", source: sourceName.slice(0, SOURCE_CHARS_SHOWN) })
      : source.source.handshake?.({ method, url, headers }, source.config, contextOf(ports));
  if (answered === undefined) return onlyPost();
  if (answered.ok) return answerResponse(answered.value);
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
  const body = await readBody(request);
  if (!body.ok) return body;
  const { method, url, headers } = request;
  const whole = { method, url, headers, body: body.value };
  const received = source.source.receive(whole, source.config, sourceName, contextOf(ports));
  return received.ok ? ok({ ...received.value, origin: originOf(source) }) : received;
}
