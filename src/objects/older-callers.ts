/**
 * Requests of Workers from before this version: while a deployment spreads, and after a rollback, they call objects that run
 * the newer code already. What they don't say is filled in here.
 */
import type { AcceptReply, AcceptRequest, SettleRequest } from "../bus/ports.ts";

type Filled<Request, Keys extends keyof Request> = Omit<Request, Keys> & Partial<Pick<Request, Keys>>;

/** 0.1.0 knew no layouts, statuses or throttles. */
export type OlderAcceptRequest = Filled<AcceptRequest, "layout">;
export type OlderSettleRequest = Filled<SettleRequest, "statuses" | "throttles">;

/** For a caller that can't follow a move: its sender comes again, and meets a newer Worker. */
const MOVED_RETRY_AFTER_SECONDS = 5;

/** Of all layouts that a caller may have, the oldest. */
const BEFORE_ALL = -1;

export function fillAccept(request: OlderAcceptRequest): AcceptRequest {
  if (request.layout !== undefined) return { ...request, layout: request.layout };
  const partitions = Number(request.partition.split("/")[2]);
  const items = request.items.map((item) => ({
    ...item,
    event: { ...item.event, key: item.event.key ?? item.event.attributes.source },
  }));
  return { ...request, items, layout: { partitions, deployedAt: BEFORE_ALL } };
}

/** What such a caller understands of a reply. */
export function replyTo(request: OlderAcceptRequest, reply: AcceptReply): AcceptReply {
  if (request.layout !== undefined || reply.kind !== "moved") return reply;
  return { kind: "backlog-full", retryAfterSeconds: MOVED_RETRY_AFTER_SECONDS };
}

export function fillSettle(request: OlderSettleRequest): SettleRequest {
  const { statuses = [], throttles = [] } = request;
  return { ...request, statuses, throttles };
}
