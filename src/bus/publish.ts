/**
 * Publish: events of one request, authenticated and parsed, become durable. Read top to bottom: match and plan each event, ask
 * the layouts before this one what they know already, one accept per partition for the rest, then one answer for the whole
 * request.
 */
import { formatReceipt, partitionOf } from "../core/receipt.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { ReceivedEvent } from "../core/source.ts";
import type { Layouts } from "./layout.ts";
import type { CallPorts } from "./partition-call.ts";
import { callPartition } from "./partition-call.ts";
import type { Origin, PlanPorts } from "./plan-event.ts";
import { planEvent } from "./plan-event.ts";
import type { TargetStatus } from "./gate-ports.ts";
import type {
  AcceptedItem,
  AcceptItem,
  AcceptReply,
  AcceptRequest,
  DispatchJob,
  Layout,
  PartitionPort,
  StoredEvent,
} from "./ports.ts";
import { SLOTS_MAX } from "./slots.ts";

/** Acceptance gives up after this and answers 503: far under GitHub's 10 s, which is a failed delivery that it does not retry. */
export const ACCEPT_TIMEOUT_MS = 4_000;
/** How often a request follows a bus that has been spread anew, while deployments change over. */
export const MOVES_MAX = 3;
const STORAGE_RETRY_AFTER_SECONDS = 5;

export interface PublishPorts extends CallPorts, PlanPorts, Layouts {
  readonly newToken: () => string;
  readonly now: () => number;
  /** The work's result, or "timeout" when it takes longer; the work itself goes on. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface Receipt {
  readonly id: string;
  readonly status: AcceptedItem["status"];
  readonly rules: readonly string[];
  /** How many deliveries a redelivery opened again or added. */
  readonly redriven?: number;
}

export interface Published {
  /** One per event, in the order of the request. */
  readonly receipts: readonly Receipt[];
  /** Leases that came with the acceptance, to be worked on after the answer. */
  readonly jobs: readonly DispatchJob[];
}

/** `leasesMax`: how many deliveries of these events the caller attempts itself; the partitions' alarms see to the others. */
export async function publish(
  events: readonly ReceivedEvent[],
  origin: Origin,
  ports: PublishPorts,
  leasesMax: number = SLOTS_MAX,
): Promise<Result<Published, Rejection>> {
  const planned: AcceptItem[] = [];
  const arrivedAt = ports.now();
  for (const received of events) {
    const plan = await planEvent(received, origin, ports, arrivedAt);
    if (!plan.ok) return plan;
    planned.push(plan.value);
  }
  const answers = new Map<AcceptItem, Receipt>();
  const jobs: DispatchJob[] = [];
  const { partitions, partitionsBefore, rulesVersion } = ports;
  const layout = { partitions, deployedAt: rulesVersion.deployedAt, before: partitionsBefore };
  const request: Request = { ports, answers, jobs, leasesMax, deadlineAt: ports.now() + ACCEPT_TIMEOUT_MS };
  const refusal = await acceptIn(layout, partitionsBefore, planned, request, MOVES_MAX);
  // All or nothing to the sender. What other partitions have accepted is delivered, and answers "duplicate" next time; its
  // leases are not worked on here but run out, which costs a delay and nothing else.
  if (refusal !== undefined) return err(refusal);
  const receipts = planned.map((item) => {
    const receipt = answers.get(item);
    if (receipt === undefined) throw new Error("a partition left an item unanswered");
    return receipt;
  });
  return ok({ receipts, jobs });
}

/** What one request gathers on its way. */
interface Request {
  readonly ports: PublishPorts;
  readonly answers: Map<AcceptItem, Receipt>;
  readonly jobs: DispatchJob[];
  readonly leasesMax: number;
  readonly deadlineAt: number;
}

const UNAVAILABLE: Rejection = { reason: "storage-unavailable", retryAfterSeconds: STORAGE_RETRY_AFTER_SECONDS };

/** Accepts items in a layout, after those before it; answers why that failed, if it did. */
async function acceptIn(
  layout: Layout,
  before: readonly number[],
  items: readonly AcceptItem[],
  request: Request,
  movesLeft: number,
): Promise<Rejection | undefined> {
  const heard: Heard = { elsewhere: new Map(), statuses: new Map() };
  for (const partitions of before) {
    const refusal = await askKnown(partitions, layout, items, heard, request);
    if (refusal !== undefined) return refusal;
  }
  const unknown = items.filter((item) => !request.answers.has(item));
  const groups = groupByPartition(unknown, layout.partitions, request.ports);
  const leasesMax = Math.floor(request.leasesMax / Math.max(1, groups.size));
  const refusals = await Promise.all(
    [...groups].map(async ([partition, group]): Promise<Rejection | undefined> => {
      const askedAt = request.ports.now();
      const openElsewhere = group.flatMap((item) => heard.elsewhere.get(item) ?? []);
      const more = before.length === 0 ? {} : { openElsewhere, statuses: [...heard.statuses.values()] };
      const accept: AcceptRequest = { ...newRequest(partition, group, layout, request), leasesMax, ...more };
      const reply = await call("accept", accept, request, (port) => port.accept(accept));
      if (reply === undefined) return UNAVAILABLE;
      switch (reply.kind) {
        case "backlog-full":
          return { reason: "backlog-full", retryAfterSeconds: reply.retryAfterSeconds };
        case "moved":
          if (movesLeft === 0) return UNAVAILABLE;
          return acceptIn(reply.layout, layoutsBefore(reply.layout, layout, before), group, request, movesLeft - 1);
        case "accepted":
          take(partition, group, reply, askedAt, request);
          return undefined;
      }
    }),
  );
  return refusals.find((refusal) => refusal !== undefined);
}

/** All that may know something of what a newer layout is to accept: what it names, and what its older caller knows. */
function layoutsBefore(newer: Layout, caller: Layout, before: readonly number[]): readonly number[] {
  const all = new Set([caller.partitions, ...(newer.before ?? []), ...before]);
  all.delete(newer.partitions);
  return [...all];
}

type OpenElsewhere = NonNullable<AcceptRequest["openElsewhere"]>[number];

/** What partitions of earlier layouts have said that the new ones must know. */
interface Heard {
  readonly elsewhere: Map<AcceptItem, OpenElsewhere[]>;
  /** By target, the newest that any of them has. */
  readonly statuses: Map<string, TargetStatus>;
}

/** Asks the partitions of an earlier layout, which from then on take nothing new from those who still use it. */
async function askKnown(
  partitions: number,
  layout: Layout,
  items: readonly AcceptItem[],
  { elsewhere, statuses }: Heard,
  request: Request,
): Promise<Rejection | undefined> {
  const unknown = items.filter((item) => !request.answers.has(item));
  const refusals = await Promise.all(
    [...groupByPartition(unknown, partitions, request.ports)].map(async ([partition, group]) => {
      // Only hashes and plans are compared there.
      const bare = group.map((item) => ({ ...item, event: bareEvent(item.event) }));
      const ask = newRequest(partition, bare, layout, request);
      const reply = await call("known", ask, request, (port) => port.known(ask));
      if (reply === undefined) return UNAVAILABLE;
      if (reply.retryAfterSeconds !== undefined) {
        return { reason: "backlog-full", retryAfterSeconds: reply.retryAfterSeconds } as const;
      }
      for (const status of reply.statuses) {
        if (status.version > (statuses.get(status.target)?.version ?? -1)) statuses.set(status.target, status);
      }
      for (const [index, answer] of reply.items.entries()) {
        const item = group[index];
        if (item === undefined) throw new Error("a partition answered more items than it was sent");
        if (answer !== null) request.answers.set(item, toReceipt(partition, answer));
        const ids = item.deliveries.flatMap(({ lane }) => lane?.id ?? []);
        const lanes = ids.filter((id) => reply.openLanes.includes(id));
        if (lanes.length === 0) continue;
        elsewhere.set(item, [...(elsewhere.get(item) ?? []), { partition, lanes, lastSeq: reply.lastSeq }]);
      }
      return undefined;
    }),
  );
  return refusals.find((refusal) => refusal !== undefined);
}

function bareEvent({ shadow: _shadow, ...event }: StoredEvent): StoredEvent {
  return { ...event, body: null };
}

function take(
  partition: string,
  group: readonly AcceptItem[],
  reply: Extract<AcceptReply, { kind: "accepted" }>,
  askedAt: number,
  { answers, jobs }: Request,
): void {
  // A lease is for what was accepted: a repeat in the same request has the same number, and may have other content.
  const eventOf = new Map<number, StoredEvent>();
  for (const [index, answer] of reply.items.entries()) {
    const item = group[index];
    if (item === undefined) throw new Error("a partition answered more items than it was sent");
    answers.set(item, toReceipt(partition, answer));
    if (answer.status === "accepted") eventOf.set(answer.seq, item.event);
  }
  const work = reply.leases.flatMap((lease) => {
    const event = eventOf.get(lease.seq);
    return event === undefined ? [] : [{ lease, event }];
  });
  if (work.length > 0) jobs.push({ partition, work, holder: "ingest", askedAt });
}

function toReceipt(partition: string, { seq, status, rules, redriven }: AcceptedItem): Receipt {
  const receipt = { id: formatReceipt({ partition, seq }), status, rules };
  return redriven === undefined ? receipt : { ...receipt, redriven };
}

function groupByPartition(items: readonly AcceptItem[], partitions: number, { hashing }: PublishPorts) {
  return Map.groupBy(items, ({ event }) => partitionOf(event.bus, event.key, partitions, hashing.sha256));
}

function newRequest(
  partition: string,
  items: readonly AcceptItem[],
  layout: Layout,
  { ports }: Request,
): AcceptRequest {
  return { partition, token: ports.newToken(), items, leasesMax: 0, layout };
}

/** One call, tried again with the same token where that helps, until the request's time is over. Undefined when it failed. */
async function call<Reply>(
  name: string,
  { partition }: AcceptRequest,
  { ports, deadlineAt }: Request,
  ask: (port: PartitionPort) => Promise<Reply>,
): Promise<Reply | undefined> {
  const asked = callPartition(partition, ask, ports).catch((error: unknown) => {
    ports.log(`${name}.failed`, { partition, error: String(error) });
    return undefined;
  });
  const reply = await ports.within(asked, Math.max(0, deadlineAt - ports.now()));
  if (reply !== "timeout") return reply;
  ports.log(`${name}.timeout`, { partition });
  return undefined;
}
