/** What the admin API answers about events and deliveries, as far as it is shown (src/http/admin.ts writes it). */
import type { EventStatus } from "../src/core/delivery.ts";
import type { Json, JsonObject } from "../src/core/result.ts";
import type { ShownShadow } from "./shown-shadow.ts";
import type { Style } from "./terminal.ts";

export interface ShownEvent {
  /** The receipt. */
  readonly id: string;
  readonly acceptedAt: string;
  readonly status: EventStatus;
  /** The source's name in sources.yaml. */
  readonly from: string;
  readonly bus: string;
  readonly rules: readonly string[];
  /** The receipt of an earlier event with the same signed content. */
  readonly replayOf?: string;
  /** Its payload stands in the body store. */
  readonly large?: { readonly bytes: number };
  /** Of shadow rules that matched. In lists without what they would have sent, unless one is searched for. */
  readonly shadow?: readonly ShownShadow[];
  readonly event: { readonly id: string; readonly source: string; readonly type: string; readonly subject?: string };
}

export interface ListedEvent extends ShownEvent {
  readonly deliveries: readonly { readonly state: string }[];
}

export interface ShownDelivery {
  readonly delivery: string;
  readonly rule: string;
  readonly target: string;
  readonly state: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly note?: string;
  readonly endedAt?: string;
  readonly parkedAt?: string;
  readonly dueAt?: string;
  readonly attemptCount: number;
  readonly attempts: readonly ShownAttempt[];
}

export interface ShownAttempt {
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly answer?: { readonly status: number; readonly body?: string; readonly location?: string };
}

export interface DeadDelivery extends ShownDelivery {
  readonly event: ShownEvent;
}

export interface EventDetails extends Omit<ShownEvent, "event"> {
  readonly event: JsonObject;
  readonly deliveries: readonly ShownDelivery[];
}

/** The answer's own type is its reader's claim: both sides are built from one tree. */
export function answerAs<Shape>(body: Json): Shape {
  return body as unknown as Shape;
}

/** `2026-01-31 12:00:00`: UTC, to the second. */
export function shortTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

const STYLES: Readonly<Record<string, Style>> = {
  delivered: "green",
  dead: "red",
  pending: "yellow",
  waiting: "yellow",
  leased: "yellow",
  queued: "yellow",
  parked: "red",
};

export function statusStyle(status: string): Style {
  return STYLES[status] ?? "dim";
}
