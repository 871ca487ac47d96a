/**
 * The senders: signed GitHub payloads under new ids, the same id again, two at once, ids without an answer once more, and
 * what must be refused: forged signatures, and other content under an id that was acknowledged. Besides, senders of ordered
 * events: pushes of one repository one after another, each only once and when the one before it has its answer.
 */
import { createHash, createHmac } from "node:crypto";
import type { Chance } from "../simulation/chance.ts";
import { githubExamples } from "../support/github-examples.ts";
import { SECRETS } from "../support/router-process.ts";
import type { AnswerRecord, SentEvent } from "./verdict.ts";

const SEND_TIMEOUT_MS = 15_000;
const PAUSE_MS_MAX = 10;
/** A lane goes no faster than its target: what is sent between two kills must not take minutes afterwards. */
const ORDERED_PAUSE_MS_MAX = 200;

export interface Load {
  readonly sent: ReadonlyMap<string, SentEvent>;
  readonly answers: readonly AnswerRecord[];
  readonly acknowledged: () => number;
  /** One sender: goes on until it is told to stop or the router is dead. */
  readonly send: (url: string, chance: Chance, stopped: () => boolean) => Promise<void>;
  /** As `send`, with pushes of this repository. */
  readonly sendOrdered: (url: string, repository: number, chance: Chance, stopped: () => boolean) => Promise<void>;
}

interface Payload {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

/** Says which targets the rules give to a GitHub event of this name, and to one that an ordered rule takes. */
export type TargetsOf = (event: string, ordered: boolean) => readonly string[];

export function createLoad(targetsOf: TargetsOf): Load {
  const examples = githubExamples();
  const pushes = examples.filter(({ event }) => event === "push");
  const sent = new Map<string, SentEvent>();
  const answers: AnswerRecord[] = [];
  const payloads: Payload[] = [];
  const acknowledged = new Set<string>();
  const unanswered = new Map<string, Payload>();

  function newPayload(chance: Chance, kind: "event" | "forged"): Payload {
    const id = `${kind}-${sent.size}`;
    const payload = { id, ...chance.pick(examples) };
    const targets = kind === "event" ? targetsOf(payload.event, false) : [];
    sent.set(id, { id, refused: kind === "forged", bodyHash: hashOf(payload.body), targets, sentAt: Date.now() });
    if (kind === "event") payloads.push(payload);
    return payload;
  }

  function newPush(chance: Chance, repository: number): Payload {
    const { event, body: example } = chance.pick(pushes);
    const payload = JSON.parse(example) as { readonly repository: object };
    const body = JSON.stringify({ ...payload, repository: { ...payload.repository, id: repository } });
    const id = `ordered-${sent.size}`;
    const lane = String(repository);
    sent.set(id, {
      id,
      refused: false,
      bodyHash: hashOf(body),
      targets: targetsOf(event, true),
      lane,
      sentAt: Date.now(),
    });
    return { id, event, body };
  }

  async function post(url: string, payload: Payload, kind: AnswerRecord["kind"]): Promise<void> {
    // An ordered event is sent once: of one that is sent again nobody knows when it was accepted.
    const again = kind === "event" && sent.get(payload.id)?.lane === undefined;
    if (again && !acknowledged.has(payload.id)) unanswered.set(payload.id, payload);
    const response = await postSigned(
      url,
      payload,
      kind === "forged" ? "not the secret" : SECRETS.GITHUB_WEBHOOK_SECRET,
    );
    // The status line alone is an acknowledgement: what a kill cuts off after it makes no difference to the sender.
    const record = { id: payload.id, at: Date.now(), kind, httpStatus: response.status };
    if (kind === "event" && response.status === 202) {
      acknowledged.add(payload.id);
      unanswered.delete(payload.id);
    }
    const receipt = await response.json().catch(() => undefined);
    answers.push({ ...record, ...(response.status === 202 ? readReceipt(receipt) : {}) });
  }

  async function step(url: string, chance: Chance): Promise<void> {
    const [lost] = unanswered.values();
    if (lost !== undefined && chance.happens(0.2)) return post(url, lost, "event");
    const choice = chance.next();
    if (choice < 0.05) return post(url, newPayload(chance, "forged"), "forged");
    if (choice < 0.1) {
      const twice = newPayload(chance, "event");
      await Promise.all([post(url, twice, "event"), post(url, twice, "event")]);
      return undefined;
    }
    if (choice < 0.25 && payloads.length > 0) {
      const earlier = chance.pick(payloads);
      if (choice < 0.2) return post(url, earlier, "event");
      if (acknowledged.has(earlier.id)) return post(url, { ...earlier, body: altered(earlier.body) }, "altered");
    }
    return post(url, newPayload(chance, "event"), "event");
  }

  return {
    sent,
    answers,
    acknowledged: () => acknowledged.size,
    send: (url, chance, stopped) =>
      repeat(
        () => step(url, chance),
        () => chance.below(PAUSE_MS_MAX),
        stopped,
      ),
    sendOrdered: (url, repository, chance, stopped) =>
      repeat(
        () => post(url, newPush(chance, repository), "event"),
        () => chance.below(ORDERED_PAUSE_MS_MAX),
        stopped,
      ),
  };
}

async function repeat(step: () => Promise<void>, pauseMs: () => number, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    try {
      await step();
    } catch (error) {
      // fetch says TypeError for a connection that broke: the router is dead. A request that nobody answers is a bug.
      if (!(error instanceof TypeError)) throw error;
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs()));
  }
}

export function hashOf(body: string | Buffer): string {
  return createHash("sha256").update(body).digest("base64url");
}

function postSigned(url: string, { id, event, body }: Payload, secret: string): Promise<Response> {
  return fetch(`${url}/webhooks/github`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
    signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
  });
}

/** The same event to the partition, with other content. */
function altered(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), altered: true });
}

function readReceipt(receipt: unknown): Pick<AnswerRecord, "status" | "receipt"> {
  const { id, status } = (receipt ?? {}) as { readonly id?: string; readonly status?: string };
  return { ...(status === undefined ? {} : { status }), ...(id === undefined ? {} : { receipt: id }) };
}
