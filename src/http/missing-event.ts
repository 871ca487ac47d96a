/** Answers of admin routes that look for one event by its receipt. */
import { seqTimeMs } from "../core/receipt.ts";
import { LOG_WINDOW_MS } from "../core/windows.ts";
import { problemResponse } from "./problem.ts";

/** Whether an event with this number is older than the log is long. `now` is in milliseconds. */
export function isPastLog({ now }: { readonly now: () => number }, seq: number): boolean {
  return seqTimeMs(seq) + LOG_WINDOW_MS < now();
}

/** 410 for an event that has left the log by its age, else 404. */
export function gone(ports: { readonly now: () => number }, seq: number): Response {
  if (!isPastLog(ports, seq))
    return notFound("No event has this receipt; it may have been dropped to keep the log under its size.");
  return problemResponse("body-evicted", {
    status: 410,
    title: "Gone",
    detail: "The event is older than the log, which keeps 14 days.",
  });
}

export function noReceipt(): Response {
  return notFound("No receipt looks like this; receipts begin with evt_.");
}

export function notFound(detail: string): Response {
  return problemResponse("not-found", { status: 404, title: "Not found", detail });
}
