/**
 * The way in: one request, from bytes to receipt. A ladder of guards; whatever fails is one Rejection, recorded and answered.
 */
import type { Published, PublishPorts } from "../bus/publish.ts";
import { originOf } from "../bus/plan-event.ts";
import { publish } from "../bus/publish.ts";
import type { DispatchJob } from "../bus/ports.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err } from "../core/result.ts";
import type { SourceContext } from "../core/source.ts";
import { readBody } from "./body.ts";
import { rejectionResponse } from "./problem.ts";

export interface IngestPorts extends PublishPorts {
  readonly secret: SourceContext["secret"];
  /** Goes on after the answer. */
  readonly later: (work: Promise<unknown>) => void;
  readonly dispatch: (jobs: readonly DispatchJob[]) => Promise<void>;
  readonly recordRejection: (source: string, rejection: Rejection) => Promise<void>;
}

export async function ingest(request: Request, sourceName: string, ports: IngestPorts): Promise<Response> {
  const result = await receive(request, sourceName, ports);
  if (!result.ok) {
    ports.later(ports.recordRejection(sourceName, result.error));
    return rejectionResponse(result.error);
  }
  const { published, batch } = result.value;
  if (published.jobs.length > 0) ports.later(ports.dispatch(published.jobs));
  const conflicts = published.receipts.flatMap(({ id, status }): readonly Rejection[] =>
    status === "conflict" || status === "replayed" ? [{ reason: status, receipt: id }] : [],
  );
  for (const conflict of conflicts) ports.later(ports.recordRejection(sourceName, conflict));
  if (batch) return Response.json(published.receipts, { status: 202 });
  const [conflict] = conflicts;
  return conflict === undefined ? Response.json(published.receipts[0], { status: 202 }) : rejectionResponse(conflict);
}

async function receive(
  request: Request,
  sourceName: string,
  ports: IngestPorts,
): Promise<Result<{ published: Published; batch: boolean }, Rejection>> {
  const source = ports.ruleSet.source(sourceName);
  if (source === undefined) return err({ reason: "unknown-source", source: sourceName.slice(0, 64) });
  const body = await readBody(request);
  if (!body.ok) return body;
  const context = { now: ports.now(), hashing: ports.hashing, secret: ports.secret };
  const received = source.source.receive(
    { headers: request.headers, body: body.value },
    source.config,
    sourceName,
    context,
  );
  if (!received.ok) return received;
  const published = await publish(received.value.events, originOf(source), ports);
  if (!published.ok) return published;
  return { ok: true, value: { published: published.value, batch: received.value.batch } };
}
