/**
 * Groups of calls: what the invocations of one isolate ask of the same object at the same time leaves in one call. Nobody waits
 * when nothing is under way.
 *
 * I/O belongs to the invocation that began it, and on Workers it ends with it. So nothing here begins any: who leads a group
 * makes its call in its own invocation, with its own stub, and everybody waits for a promise of their own, with a timer of
 * their own. The runtime runs what follows a promise in the invocation that made it, whoever resolved it (compatibility flag
 * `handle_cross_request_promise_resolution`, default since 2024-10-14; workerd pull request 2719), and never if that has
 * ended: a leader may vanish at any time, and its followers find another one by their clocks.
 */
import { isPlatformError } from "./partition-call.ts";

/** The longest that a request is kept back by a call that is under way. */
export const GROUP_WAIT_MS = 20;
/** A leader that has not answered for so long has died. Twice, and time for a call of one's own, within acceptance's 4 s. */
export const GROUP_LEADER_MS = 1_500;
/** The last turn is taken as a leader. */
export const GROUP_TURNS_MAX = 3;

/** What an invocation brings. */
export interface Invocation {
  readonly now: () => number;
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  /** Lets the invocation last until the work is done, even if who has called it goes away. */
  readonly later: (work: Promise<void>) => void;
}

/** How much may leave in one call. Whatever its size, one request leaves. */
export interface GroupLimits<Request> {
  readonly countMax: number;
  readonly countOf: (request: Request) => number;
  readonly bytesMax: number;
  readonly bytesOf: (request: Request) => number;
  /** Whether others may take the request along. */
  readonly mayFollow: (request: Request) => boolean;
}

/** Makes the call for these requests: an answer for each, in their order; undefined for those that must ask by themselves. */
export type GroupCall<Request, Reply> = (requests: readonly Request[]) => Promise<readonly (Reply | undefined)[]>;

export interface CallGroup<Request, Reply> {
  /** `mayWaitMs`: how long the request may be kept back so that others join it, when nothing is under way. */
  readonly join: (
    request: Request,
    mayWaitMs: number,
    call: GroupCall<Request, Reply>,
    invocation: Invocation,
  ) => Promise<Reply>;
}

type Answer<Reply> =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "alone" };

interface Member<Request, Reply> {
  readonly request: Request;
  readonly count: number;
  readonly bytes: number;
  /** When it need not be kept back any more. */
  readonly leaveAt: number;
  /** Until when it waits to lead those who wait with it; undefined when it waits for another. */
  leadsAt: number | undefined;
  answer: Answer<Reply> | undefined;
  wake: () => void;
}

export function createCallGroup<Request, Reply>(limits: GroupLimits<Request>): CallGroup<Request, Reply> {
  type Joined = Member<Request, Reply>;
  // In the order of their coming. Bounded by the limits: when it is full, who comes next leaves with it.
  const waiting = new Set<Joined>();
  let [count, bytes] = [0, 0];
  const flights = new Set<{ readonly startedAt: number }>();

  const memberOf = (request: Request, leaveAt: number): Joined => ({
    request,
    count: limits.countOf(request),
    bytes: limits.bytesOf(request),
    leaveAt,
    leadsAt: undefined,
    answer: undefined,
    wake: () => {},
  });
  const isFull = () => count >= limits.countMax || bytes >= limits.bytesMax;

  function enter(member: Joined): void {
    waiting.add(member);
    count += member.count;
    bytes += member.bytes;
  }

  function leave(member: Joined): void {
    if (!waiting.delete(member)) return;
    count -= member.count;
    bytes -= member.bytes;
  }

  /** Calls whose leader has died are no reason to wait. */
  function isUnderWay(now: number): boolean {
    for (const flight of flights) if (now >= flight.startedAt + GROUP_LEADER_MS) flights.delete(flight);
    return flights.size > 0;
  }

  /** Takes the leader, and of those who wait, the longest first, what fits. */
  function take(leader: Joined): readonly Joined[] {
    leave(leader);
    const group = [leader];
    let countLeft = limits.countMax - leader.count;
    let bytesLeft = limits.bytesMax - leader.bytes;
    for (const member of waiting) {
      if (member.count > countLeft || member.bytes > bytesLeft || !limits.mayFollow(member.request)) continue;
      leave(member);
      group.push(member);
      countLeft -= member.count;
      bytesLeft -= member.bytes;
    }
    return group;
  }

  function give(member: Joined, answer: Answer<Reply>): void {
    member.answer ??= answer;
    // Who has found no answer in time may be waiting again.
    leave(member);
    member.wake();
  }

  /** Who leaves when a call is back. */
  function nextAt(time: number): Joined | undefined {
    for (const member of waiting) if (member.leaveAt <= time) return member;
    return undefined;
  }

  async function lead(leader: Joined, call: GroupCall<Request, Reply>, { now }: Invocation): Promise<void> {
    const group = take(leader);
    const flight = { startedAt: now() };
    flights.add(flight);
    try {
      const replies = await call(group.map(({ request }) => request));
      for (const [index, member] of group.entries()) {
        const reply = replies[index];
        give(member, reply === undefined ? { kind: "alone" } : { kind: "reply", reply });
      }
    } catch (error) {
      // A request that the object can't take must not take others with it; what troubles the object troubles all.
      const isShared = group.length === 1 || isPlatformError(error);
      for (const member of group) give(member, isShared ? { kind: "failed", error } : { kind: "alone" });
    }
    flights.delete(flight);
    const time = now();
    if (!isUnderWay(time)) nextAt(time)?.wake();
  }

  /** A promise of the member's own, for others to resolve. */
  function woken(member: Joined): Promise<void> {
    return new Promise((resolve) => {
      member.wake = resolve;
    });
  }

  /** Waits for its time, or to be woken, and leads those who wait then, unless somebody else has taken it along. */
  async function leadLater(
    member: Joined,
    waitMs: number,
    call: GroupCall<Request, Reply>,
    invocation: Invocation,
    ended: () => void,
  ): Promise<void> {
    if (waitMs > 0) await invocation.within(woken(member), waitMs);
    member.leadsAt = undefined;
    if (waiting.has(member)) {
      // An answer may come of its own call, or of an earlier one that was only slow.
      member.wake = ended;
      await lead(member, call, invocation);
    } else if (member.answer === undefined) await invocation.within(woken(member), GROUP_LEADER_MS);
    ended();
  }

  /** Who will lead those who wait, by this time at the latest. */
  function nextLeader(now: number, by: number): Joined | undefined {
    for (const member of waiting) {
      if (member.leadsAt !== undefined && member.leadsAt >= now && member.leadsAt <= by) return member;
    }
    return undefined;
  }

  /** Ends with an answer, or with the member's leader dead. */
  async function takeTurn(
    member: Joined,
    call: GroupCall<Request, Reply>,
    invocation: Invocation,
    isLast: boolean,
  ): Promise<void> {
    const time = invocation.now();
    const restMs = Math.max(0, member.leaveAt - time);
    const waitMs = isUnderWay(time) ? Math.max(restMs, GROUP_WAIT_MS) : restMs;
    const follows = waitMs > 0 && !isLast && nextLeader(time, time + waitMs) !== undefined;
    enter(member);
    if (follows && !isFull()) {
      // One timer for all that may happen: its leader may die before the call or after it.
      await invocation.within(woken(member), GROUP_LEADER_MS);
      if (member.answer !== undefined || !waiting.has(member)) return;
    }
    const mayWait = !follows && !isLast && !isFull();
    member.leadsAt = mayWait ? time + waitMs : undefined;
    // It lasts whoever goes away: others count on it.
    const ended = Promise.withResolvers<void>();
    invocation.later(leadLater(member, mayWait ? waitMs : 0, call, invocation, ended.resolve));
    await ended.promise;
  }

  return {
    async join(request, mayWaitMs, call, invocation) {
      const member = memberOf(request, invocation.now() + mayWaitMs);
      for (let turn = 1; member.answer === undefined; turn++) {
        await takeTurn(member, call, invocation, turn === GROUP_TURNS_MAX);
      }
      const { answer } = member;
      switch (answer.kind) {
        case "reply":
          return answer.reply;
        case "failed":
          throw answer.error;
        case "alone": {
          const [reply] = await call([request]);
          if (reply === undefined) throw new Error("a call for one request left it unanswered");
          return reply;
        }
      }
    },
  };
}
