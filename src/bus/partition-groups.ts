/**
 * What the invocations of one isolate ask of a partition at the same time is one call and one commit: accepts, and settles of
 * the same kind of holder. Accepts and settles don't wait for each other.
 */
import type { Lease } from "../core/delivery.ts";
import type { CallGroup, GroupLimits, Invocation } from "./call-groups.ts";
import { createCallGroup } from "./call-groups.ts";
import type {
  AcceptAnswer,
  AcceptRequest,
  DispatchJob,
  LeaseHolder,
  PartitionPort,
  SettleReply,
  SettleRequest,
} from "./ports.ts";

/** Requests that are accepted in one call: one commit must stay short. */
export const GROUP_REQUESTS_MAX = 64;
/** Their bodies; a call takes 32 MiB (Workers limits, RPC). */
export const GROUP_BYTES_MAX = 4_194_304;
/** Settlements of different dispatchers in one call. */
export const SETTLE_GROUP_MAX = 256;

export interface PartitionGroups {
  /** A port to the partition for one invocation. `partition` makes a stub of its own for each call. */
  readonly port: (name: string, partition: (name: string) => PartitionPort, invocation: Invocation) => PartitionPort;
  /** A dispatcher has leases that no port of this isolate has brought: settles may wait for theirs. */
  readonly lent: (job: DispatchJob, now: number) => void;
}

/** What of a partition is worked on in this isolate. */
interface Settles {
  readonly group: CallGroup<SettleRequest, SettleReply>;
  /** Tokens of leases that are out, and when they end. */
  readonly out: Map<string, number>;
  /** The last reply brought work: more may be due, and who has nothing to do must not wait. */
  isMoreDue: boolean;
}

interface Shared {
  readonly accepts: CallGroup<AcceptRequest, AcceptAnswer>;
  readonly settles: Readonly<Record<LeaseHolder, Settles>>;
}

const ACCEPT_LIMITS: GroupLimits<AcceptRequest> = {
  countMax: GROUP_REQUESTS_MAX,
  countOf: () => 1,
  bytesMax: GROUP_BYTES_MAX,
  bytesOf: ({ items }) => items.reduce((sum, { event }) => sum + (event.body?.length ?? 0), 0),
  mayFollow: () => true,
};

const SETTLE_LIMITS: GroupLimits<SettleRequest> = {
  countMax: SETTLE_GROUP_MAX,
  countOf: ({ settlements }) => settlements.length,
  bytesMax: Number.POSITIVE_INFINITY,
  bytesOf: () => 0,
  mayFollow: (request) => !hasNews(request),
};

/** For who has gone along: who made the call does the work and tells gates of the records. */
const NOTHING: SettleReply = { work: [], records: [] };

/** Made once in an isolate. */
export function createPartitionGroups(): PartitionGroups {
  // Bounded by the partitions of the layouts.
  const partitions = new Map<string, Shared>();

  function sharedOf(name: string): Shared {
    const shared = partitions.get(name) ?? newShared();
    partitions.set(name, shared);
    return shared;
  }

  return {
    port(name, partition, invocation) {
      const { accepts, settles } = sharedOf(name);
      return {
        async accept(request, others) {
          if (others !== undefined) return partition(name).accept(request, others);
          const call = (requests: readonly AcceptRequest[]) => acceptAll(requests, partition(name));
          const answer = await accepts.join(request, 0, call, invocation);
          if (answer.kind === "accepted") lend(settles.ingest, answer.leases, invocation.now());
          return answer;
        },

        async settle(request, mayWaitMs = 0) {
          const mine = settles[request.holder];
          for (const { token } of request.settlements) mine.out.delete(token);
          const waits = !hasNews(request) && !mine.isMoreDue && hasOut(mine, invocation.now());
          const call = (requests: readonly SettleRequest[]) =>
            settleAll(requests, partition(name), mine, invocation.now);
          return mine.group.join(request, waits ? mayWaitMs : 0, call, invocation);
        },

        known: (request) => partition(name).known(request),
        openLanes: (ids) => partition(name).openLanes(ids),
      };
    },

    lent: ({ partition, holder, work }, now) =>
      lend(
        sharedOf(partition).settles[holder],
        work.map(({ lease }) => lease),
        now,
      ),
  };
}

function newShared(): Shared {
  const settles = (): Settles => ({ group: createCallGroup(SETTLE_LIMITS), out: new Map(), isMoreDue: false });
  return { accepts: createCallGroup(ACCEPT_LIMITS), settles: { ingest: settles(), alarm: settles() } };
}

/** What gates have told a dispatcher goes with its own settle, together with the room that it leaves. */
function hasNews({ statuses, throttles }: SettleRequest): boolean {
  return statuses.length > 0 || throttles.length > 0;
}

function lend({ out }: Settles, leases: readonly Lease[], now: number): void {
  for (const { token, leaseMs } of leases) out.set(token, now + leaseMs);
}

/** Whether a lease is out that has not ended: its dispatcher will settle, or is dead. */
function hasOut({ out }: Settles, now: number): boolean {
  for (const [token, endsAt] of out) {
    if (endsAt > now) return true;
    out.delete(token);
  }
  return false;
}

async function acceptAll(
  [first, ...others]: readonly AcceptRequest[],
  partition: PartitionPort,
): Promise<readonly (AcceptAnswer | undefined)[]> {
  if (first === undefined) return [];
  if (others.length === 0) return [await partition.accept(first)];
  const reply = await partition.accept(first, others);
  // A partition from before groups has taken no notice of the others.
  return [reply, ...others.map((_, index) => reply.others?.[index])];
}

/** The first one, who makes the call, gets what work there is and tells gates of the records; the others have none to do. */
async function settleAll(
  requests: readonly SettleRequest[],
  partition: PartitionPort,
  settles: Settles,
  now: () => number,
): Promise<readonly SettleReply[]> {
  const [first, ...others] = requests;
  if (first === undefined) return [];
  const reply = await partition.settle({ ...first, settlements: requests.flatMap(({ settlements }) => settlements) });
  if (first.leasesMax > 0) settles.isMoreDue = reply.work.length > 0;
  lend(
    settles,
    reply.work.map(({ lease }) => lease),
    now(),
  );
  return [reply, ...others.map(() => NOTHING)];
}
