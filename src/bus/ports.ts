/** What publish and dispatch ask of the world. Everything that crosses a port is plain data that survives RPC. */
import type { Delivery, EventStatus, Lease, PlannedDelivery, RulesVersion, Settlement } from "../core/delivery.ts";
import type { EventAttributes, Fingerprint } from "../core/event.ts";
import type { RejectionReason } from "../core/rejection.ts";

/** An event as the partition keeps it, without its deliveries. */
export interface StoredEvent {
  readonly attributes: EventAttributes;
  readonly body: Uint8Array | null;
  /** The source's name in sources.yaml. */
  readonly source: string;
  readonly bus: string;
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** Paths of the rules that matched, and the version that they were matched under. */
  readonly rules: readonly string[];
  readonly rulesVersion: RulesVersion;
}

export interface AcceptItem {
  /** SHA-256 of the event's identity. */
  readonly identity: Uint8Array;
  readonly fingerprint: Fingerprint;
  readonly event: StoredEvent;
  readonly deliveries: readonly PlannedDelivery[];
}

export interface AcceptRequest {
  /** The partition's own name: an object can't be relied on to know it. */
  readonly partition: string;
  /** Chosen by the caller, new for every request: an accept tried again with it gets the same answer and the same leases. */
  readonly token: string;
  readonly items: readonly AcceptItem[];
  /** How many deliveries the caller will attempt itself. */
  readonly leasesMax: number;
}

export interface AcceptedItem {
  readonly status: "accepted" | "duplicate" | "conflict";
  readonly seq: number;
  readonly rules: readonly string[];
}

export type AcceptReply =
  | { readonly kind: "accepted"; readonly items: readonly AcceptedItem[]; readonly leases: readonly Lease[] }
  | { readonly kind: "backlog-full"; readonly retryAfterSeconds: number };

/** A lease on an event that the taker may not have. */
export interface LeasedWork {
  readonly lease: Lease;
  readonly event: StoredEvent;
}

export interface SettleRequest {
  readonly settlements: readonly Settlement[];
  /** How many more leases the caller wants. */
  readonly leasesMax: number;
  /** Only leases that end within this span. */
  readonly withinMs: number;
  /** Targets that the caller has requests to, and how many more leases of each it can use. */
  readonly targetRoom: Readonly<Record<string, number>>;
  readonly holder: LeaseHolder;
}

/** Who works on leases: the ingest Worker after its answer, or a dispatcher that an alarm has started. */
export type LeaseHolder = "ingest" | "alarm";

export interface SettleReply {
  readonly work: readonly LeasedWork[];
}

export interface PartitionPort {
  readonly accept: (request: AcceptRequest) => Promise<AcceptReply>;
  readonly settle: (request: SettleRequest) => Promise<SettleReply>;
}

export interface StoredEventWithDeliveries {
  readonly seq: number;
  readonly event: StoredEvent;
  readonly deliveries: readonly Delivery[];
}

/** What the admin API and the sweep ask of a partition. */
export interface AdminPartitionPort {
  readonly get: (seq: number) => Promise<ListedEvent | null>;
  readonly list: (request: ListRequest) => Promise<ListReply>;
  /** How many dead deliveries are open again, the named one or all; null when the event is not there any more. */
  readonly redrive: (seq: number, deliveryId: string | null) => Promise<number | null>;
  readonly recordRejections: (entries: readonly RejectionEntry[]) => Promise<void>;
  readonly listRejections: (limit: number) => Promise<readonly RejectionEntry[]>;
  readonly wake: () => Promise<Backlog>;
}

export interface EventFilter {
  /** Exact, or a prefix when it ends with `*`. */
  readonly type?: string;
  /** The event's `source` attribute or the source's name in sources.yaml. */
  readonly source?: string;
  /** The event's `id` attribute. */
  readonly id?: string;
  readonly status?: EventStatus;
  /** Accepted at or after this time, in milliseconds. */
  readonly sinceMs?: number;
}

export interface ListRequest {
  /** Only events with a lower sequence number. */
  readonly before: number;
  readonly limit: number;
  readonly which: "all" | "dead";
  readonly filter: EventFilter;
}

/** An event without its body. */
export interface ListedEvent extends StoredEventWithDeliveries {
  readonly status: EventStatus;
  readonly acceptedAt: number;
}

export interface ListReply {
  readonly events: readonly ListedEvent[];
  /** The lowest sequence number looked at; null when there is nothing below it. */
  readonly scannedTo: number | null;
}

export interface RejectionEntry {
  /** When the first of them was refused, in milliseconds. */
  readonly at: number;
  /** The source's name as asked for; it may not exist. */
  readonly source: string;
  readonly reason: RejectionReason;
  readonly count: number;
  /** What the first sender was told. */
  readonly detail: string;
}

export interface Backlog {
  readonly events: number;
  readonly deliveries: number;
  readonly bytes: number;
}

/** What a dispatcher is started with. */
export interface DispatchJob {
  readonly partition: string;
  readonly work: readonly LeasedWork[];
  readonly holder: LeaseHolder;
  /** When the leases were asked for, by the clock of who asked; absent when that was another machine's. */
  readonly askedAt?: number;
}
