/** What publish and dispatch ask of the world. Everything that crosses a port is plain data that survives RPC. */
import type { Delivery, EventStatus, Lease, PlannedDelivery, RulesVersion, Settlement } from "../core/delivery.ts";
import type { EventAttributes, Fingerprint } from "../core/event.ts";
import type { RejectionReason } from "../core/rejection.ts";
import type { LargeBody } from "../core/target.ts";
import type { TargetRecord, TargetStatus } from "./gate-ports.ts";

/** An event as the partition keeps it, without its deliveries. */
export interface StoredEvent {
  readonly attributes: EventAttributes;
  readonly body: Uint8Array | null;
  /** The payload stands in the body store, and `body` is null. */
  readonly large?: LargeBody;
  /** The source's name in sources.yaml. */
  readonly source: string;
  readonly bus: string;
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** Paths of the rules that matched, and the version that they were matched under. */
  readonly rules: readonly string[];
  readonly rulesVersion: RulesVersion;
  /** What the event's partition was chosen by, and what ordered rules order it by where that is another. */
  readonly key: string;
  readonly orderKey?: string;
  /** The receipt of an earlier event with the same signed content under another id. */
  readonly replayOf?: string;
  /** What shadow rules would have sent; absent when none matched. */
  readonly shadow?: readonly ShadowMatch[];
  /** Names its signed content among the partition's; absent where only its id counts. */
  readonly contentKey?: number;
}

/** What a shadow rule would have sent, worked out at acceptance. */
export interface ShadowMatch {
  /** The rule's path. */
  readonly rule: string;
  readonly targets: readonly string[];
  /** What the transform made, as text: the body, or a whole event in the JSON format. Absent without a transform: the payload as received. */
  readonly output?: string;
  /** The output is longer than is kept; this many bytes in all. */
  readonly outputBytes?: number;
  /** Why the transform failed. */
  readonly problem?: string;
}

export interface AcceptItem {
  /** SHA-256 of the event's identity. */
  readonly identity: Uint8Array;
  readonly fingerprint: Fingerprint;
  readonly event: StoredEvent;
  readonly deliveries: readonly PlannedDelivery[];
  /** A repeat opens again what did not succeed, and adds what rules have come to want since. */
  readonly redeliver: boolean;
  /** SHA-256 of the signed content, where it says more than the id. */
  readonly replay?: { readonly content: Uint8Array; readonly refuse: boolean };
}

export interface AcceptRequest {
  /** The partition's own name: an object can't be relied on to know it. */
  readonly partition: string;
  /** Chosen by the caller, new for every request: an accept tried again with it gets the same answer and the same leases. */
  readonly token: string;
  readonly items: readonly AcceptItem[];
  /** How many deliveries the caller will attempt itself. */
  readonly leasesMax: number;
  /** How many partitions the caller's layout has, and when it was deployed: a partition that was told of a newer one says so. */
  readonly layout: Layout;
  /**
   * Lanes of these deliveries that still have some open in a partition of the layout before, and the highest number that it
   * has given: what is accepted now is numbered past it, whatever the two clocks say.
   */
  readonly openElsewhere?: readonly {
    readonly partition: string;
    readonly lanes: readonly string[];
    readonly lastSeq: number;
  }[];
  /** What partitions of the layout before know of the targets of these deliveries. */
  readonly statuses?: readonly TargetStatus[];
}

/** What a partition of the layout before knows of the items of a request. */
export interface KnownReply {
  /** Null where it does not know the identity, and from now on does not take it. */
  readonly items: readonly (AcceptedItem | null)[];
  /** Of the lanes that the items' deliveries would join, those with open deliveries here. */
  readonly openLanes: readonly string[];
  /** The highest number that the partition has given. */
  readonly lastSeq: number;
  /** How the targets of these deliveries stand, as far as the partition has heard of trouble. */
  readonly statuses: readonly TargetStatus[];
  /** A redelivery would open more than there is room for; nothing was opened. */
  readonly retryAfterSeconds?: number;
}

/** A lane with open deliveries, and the lowest number of their events. */
export interface OpenLane {
  readonly id: string;
  readonly firstSeq: number;
}

/** How a bus is spread over objects. Of two layouts the one that was deployed later is in force. */
export interface Layout {
  readonly partitions: number;
  readonly deployedAt: number;
  /** How many partitions there were before, newest first: who is sent on to this layout asks those too. */
  readonly before?: readonly number[];
}

export interface AcceptedItem {
  /** `replayed`: refused, because the content was accepted before as `seq`. */
  readonly status: "accepted" | "duplicate" | "conflict" | "replayed";
  readonly seq: number;
  readonly rules: readonly string[];
  /** How many deliveries a redelivery opened again or added. */
  readonly redriven?: number;
}

export type AcceptAnswer =
  | { readonly kind: "accepted"; readonly items: readonly AcceptedItem[]; readonly leases: readonly Lease[] }
  | { readonly kind: "backlog-full"; readonly retryAfterSeconds: number }
  /** The bus has been spread anew since the caller was deployed: ask the partition of that layout. Nothing was written. */
  | { readonly kind: "moved"; readonly layout: Layout };

/** `others`: the answers to the other requests of the call, in their order; absent from a partition that took no notice of them. */
export type AcceptReply = AcceptAnswer & { readonly others?: readonly AcceptAnswer[] };

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
  /**
   * Targets whose requests leave in one call: their leases don't count towards `leasesMax`, only towards their room. A
   * partition from before this version counts them all the same.
   */
  readonly uncounted?: readonly string[];
  readonly holder: LeaseHolder;
  /** What gates have told the caller. */
  readonly statuses: readonly TargetStatus[];
  /** Targets that have no room before so many milliseconds; 0: a permit was had. */
  readonly throttles: readonly Throttle[];
}

export interface Throttle {
  readonly target: string;
  readonly forMs: number;
  /** A request has ended, and where room is short no other one follows for so long, so that others find some. */
  readonly yieldMs?: number;
}

/** Who works on leases: the ingest Worker after its answer, or a dispatcher that an alarm has started. */
export type LeaseHolder = "ingest" | "alarm";

export interface SettleReply {
  readonly work: readonly LeasedWork[];
  /** Targets that failed in this settle, with what the partition has counted since it last said so: for their gates. */
  readonly records: readonly TargetRecord[];
}

export interface PartitionPort {
  /**
   * One call is one commit: of this request and of the others, each with its own token and its own answer. A partition from
   * before groups of requests answers the first one only.
   */
  readonly accept: (request: AcceptRequest, others?: readonly AcceptRequest[]) => Promise<AcceptReply>;
  /** `mayWaitMs`: how long it may be kept back for settles of other dispatchers of the isolate; the partition itself waits for none. */
  readonly settle: (request: SettleRequest, mayWaitMs?: number) => Promise<SettleReply>;
  /** Asked by a newer layout, before it accepts. */
  readonly known: (request: AcceptRequest) => Promise<KnownReply>;
  /** Of these lanes, those with open deliveries: asked by the partition of another layout. */
  readonly openLanes: (ids: readonly string[]) => Promise<readonly OpenLane[]>;
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
  /**
   * How many dead and parked deliveries are open again, the named one or all; `full` when the backlog has no room for them,
   * null when the event is not there any more.
   */
  readonly redrive: (seq: number, deliveryId: string | null) => Promise<number | "full" | null>;
  /** Of these keys of the body store, BODY_KEYS_MAX at most, those that events here refer to; it forgets the others. */
  readonly keptBodies: (keys: readonly string[]) => Promise<readonly string[]>;
  readonly recordRejections: (entries: readonly RejectionEntry[]) => Promise<void>;
  readonly listRejections: (limit: number) => Promise<readonly RejectionEntry[]>;
  /** Keeps the newest time of each secret. */
  readonly recordVerifications: (entries: readonly VerificationEntry[]) => Promise<void>;
  readonly listVerifications: () => Promise<readonly VerificationEntry[]>;
  /**
   * The sweep. `statuses`: how every target stands, so that what was missed is made good. `targets`: all that the rules name,
   * whether their gates could be asked or not; absent from a caller that can't tell.
   */
  readonly wake: (
    statuses: readonly TargetStatus[],
    targets?: readonly string[],
    wanted?: WantedPairs,
  ) => Promise<Backlog>;
  /** A target has changed its state. */
  readonly setTargetStatuses: (statuses: readonly TargetStatus[]) => Promise<void>;
}

/** Which rule has which target, as `<rule> <target>`, for live rules; and when those rules were deployed. */
export interface WantedPairs {
  readonly pairs: readonly string[];
  readonly deployedAt: number;
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
  /** Matched by this shadow rule: its path. */
  readonly shadow?: string;
}

export interface ListRequest {
  /** Only events with a lower sequence number. */
  readonly before: number;
  readonly limit: number;
  readonly which: "all" | "dead" | "parked";
  readonly filter: EventFilter;
  /** With the events' bodies, and then without their deliveries' attempts. */
  readonly withBodies?: boolean;
}

/** An event, without its body where bodies were not asked for. */
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

/** That a secret has verified a request. */
export interface VerificationEntry {
  /** The source's name in sources.yaml. */
  readonly source: string;
  /** The secret's name. */
  readonly secret: string;
  /** When, in milliseconds: of the last time by a minute at most. */
  readonly at: number;
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
