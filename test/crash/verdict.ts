/** What must hold after a crash test, decided from what was sent, answered, received and listed as dead. */
import { outOfOrder } from "./order.ts";

export interface SentEvent {
  readonly id: string;
  /** It was sent in a form that must be refused, and in no other. */
  readonly refused: boolean;
  readonly bodyHash: string;
  /** The targets that the rules give it to. */
  readonly targets: readonly string[];
  /** What ordered rules order it by; absent when none of them gets it. */
  readonly lane?: string;
  /** Before it was sent for the first time. All times are this machine's, in milliseconds. */
  readonly sentAt: number;
}

export interface AnswerRecord {
  readonly id: string;
  readonly at: number;
  readonly kind: "event" | "forged" | "altered";
  readonly httpStatus: number;
  /** Of a 202 whose body arrived: `accepted` or `duplicate`, and the receipt. */
  readonly status?: string;
  readonly receipt?: string;
}

export interface Arrival {
  readonly target: string;
  readonly event: string;
  readonly webhookId: string;
  readonly bodyHash: string;
  readonly at: number;
  /** When the target had sent the whole of a 2xx answer; absent when it did not. */
  readonly succeededAt?: number;
}

export interface DeadDelivery {
  readonly target: string;
  readonly event: string;
  readonly at: number;
}

export interface Evidence {
  readonly targets: readonly string[];
  /** Those that an ordered rule sends to. */
  readonly orderedTargets: readonly string[];
  readonly sent: ReadonlyMap<string, SentEvent>;
  readonly answers: readonly AnswerRecord[];
  readonly arrivals: readonly Arrival[];
  readonly dead: readonly DeadDelivery[];
}

/** Deliveries of acknowledged events to one target: acknowledged = delivered + dead + lost. */
export interface TargetCounts {
  readonly target: string;
  readonly acknowledged: number;
  readonly delivered: number;
  /** Requests after the first of a delivery: retries, and what a kill made Sluice send again. */
  readonly repeats: number;
  /** In the dead list, and never answered with a 2xx. */
  readonly dead: number;
  readonly lost: number;
  /** Requests that came too early or too late for their lane's order; absent for targets without order. */
  readonly outOfOrder?: number;
}

export interface Verdict {
  /** Events. */
  readonly acknowledged: number;
  readonly counts: readonly TargetCounts[];
  /** How often each answer came: `accepted` and `duplicate` of the 202s, else the HTTP status. */
  readonly answers: Readonly<Record<string, number>>;
  /** One sentence for each thing that must not be; empty when all is well. */
  readonly broken: readonly string[];
}

const EXPECTED_STATUS = { event: 202, forged: 401, altered: 409 } as const;

export function judge(evidence: Evidence): Verdict {
  const { targets, orderedTargets, sent, answers, arrivals, dead } = evidence;
  const acknowledged = new Set(
    answers.filter(({ kind, httpStatus }) => kind === "event" && httpStatus === 202).map(({ id }) => id),
  );
  const delivered = new Set(arrivals.filter(({ succeededAt }) => succeededAt !== undefined).map(pairOf));
  const listed = new Set(dead.map(pairOf));
  const lost: string[] = [];
  const disordered: string[] = [];
  const counts = targets.map((target): TargetCounts => {
    const due = [...acknowledged].filter((id) => sent.get(id)?.targets.includes(target) === true);
    const missing = due.filter((event) => !delivered.has(pairOf({ target, event })));
    const gone = missing.filter((event) => !listed.has(pairOf({ target, event })));
    lost.push(
      ...gone.map((event) => `${event} was acknowledged; ${target} never got it and it is not in the dead list`),
    );
    const early = orderedTargets.includes(target) ? outOfOrder(target, evidence) : undefined;
    disordered.push(...(early ?? []));
    const requests = arrivals.filter((arrival) => arrival.target === target);
    return {
      target,
      acknowledged: due.length,
      delivered: due.length - missing.length,
      repeats: requests.length - new Set(requests.map(pairOf)).size,
      dead: missing.length - gone.length,
      lost: gone.length,
      ...(early === undefined ? {} : { outOfOrder: early.length }),
    };
  });
  return {
    acknowledged: acknowledged.size,
    counts,
    answers: countAnswers(answers),
    broken: [...lost, ...disordered, ...wrongAnswers(answers), ...wrongArrivals(arrivals, sent)],
  };
}

function countAnswers(answers: readonly AnswerRecord[]): Verdict["answers"] {
  const counts = new Map<string, number>();
  for (const { status, httpStatus } of answers) {
    const answer = status ?? String(httpStatus);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b)));
}

/** Every answer is the expected one or 503; an id is accepted once and keeps its first receipt. */
function wrongAnswers(answers: readonly AnswerRecord[]): readonly string[] {
  const accepted = new Set<string>();
  const receipts = new Map<string, string>();
  const broken: string[] = [];
  for (const { id, kind, httpStatus, status, receipt } of answers) {
    if (httpStatus !== EXPECTED_STATUS[kind] && httpStatus !== 503) {
      broken.push(`${id} (${kind}) was answered ${httpStatus}`);
    }
    if (httpStatus !== 202 || receipt === undefined) continue;
    if (status === "accepted" && accepted.has(id)) broken.push(`${id} was accepted twice`);
    if (status === "accepted") accepted.add(id);
    const first = receipts.get(id) ?? receipt;
    receipts.set(id, first);
    if (first !== receipt) broken.push(`${id} got two receipts`);
  }
  return broken;
}

/** Only what was sent and not refused arrives, as it was sent, where a rule sends it, each delivery under one id of its own. */
function wrongArrivals(arrivals: readonly Arrival[], sent: Evidence["sent"]): readonly string[] {
  const webhookIds = new Map<string, string>();
  const pairs = new Map<string, string>();
  const broken: string[] = [];
  for (const arrival of arrivals) {
    const { target, event, webhookId, bodyHash } = arrival;
    const origin = sent.get(event);
    if (origin === undefined) broken.push(`${event} was never sent and arrived at ${target}`);
    else if (origin.refused) broken.push(`${event} must be refused and arrived at ${target}`);
    else if (!origin.targets.includes(target)) broken.push(`${event} arrived at ${target}, where no rule sends it`);
    else if (origin.bodyHash !== bodyHash) broken.push(`${event} arrived at ${target} with other content`);
    const pair = pairOf(arrival);
    const first = webhookIds.get(pair) ?? webhookId;
    webhookIds.set(pair, first);
    if (first !== webhookId) broken.push(`${event} arrived at ${target} under two webhook-ids`);
    const owner = pairs.get(webhookId) ?? pair;
    pairs.set(webhookId, owner);
    if (owner !== pair) broken.push(`${event} arrived at ${target} under another delivery's webhook-id`);
  }
  return [...new Set(broken)];
}

function pairOf({ target, event }: { readonly target: string; readonly event: string }): string {
  return `${target} ${event}`;
}
