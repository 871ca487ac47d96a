/**
 * The senders: signed GitHub payloads under new ids, the same id again, two at once, ids without an answer once more, and
 * what must be refused: forged signatures, and other content under an id that was acknowledged.
 */
import { createHash, createHmac } from "node:crypto";
import type { Chance } from "../simulation/chance.ts";
import { githubExamples } from "../support/github-examples.ts";
import { SECRETS } from "../support/router-process.ts";
import type { AnswerRecord, SentEvent } from "./verdict.ts";

const SEND_TIMEOUT_MS = 15_000;
const PAUSE_MS_MAX = 10;

export interface Load {
  readonly sent: ReadonlyMap<string, SentEvent>;
  readonly answers: readonly AnswerRecord[];
  readonly acknowledged: () => number;
  /** One sender: goes on until it is told to stop or the router is dead. */
  readonly send: (url: string, chance: Chance, stopped: () => boolean) => Promise<void>;
}

interface Payload {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

/** `targetsOf` says which targets the rules give to a GitHub event of this name. */
export function createLoad(targetsOf: (event: string) => readonly string[]): Load {
  const examples = githubExamples();
  const sent = new Map<string, SentEvent>();
  const answers: AnswerRecord[] = [];
  const payloads: Payload[] = [];
  const acknowledged = new Set<string>();
  const unanswered = new Map<string, Payload>();

  function newPayload(chance: Chance, kind: "event" | "forged"): Payload {
    const id = `${kind}-${sent.size}`;
    const payload = { id, ...chance.pick(examples) };
    const targets = kind === "event" ? targetsOf(payload.event) : [];
    sent.set(id, { id, refused: kind === "forged", bodyHash: hashOf(payload.body), targets });
    if (kind === "event") payloads.push(payload);
    return payload;
  }

  async function post(url: string, payload: Payload, kind: AnswerRecord["kind"]): Promise<void> {
    if (kind === "event" && !acknowledged.has(payload.id)) unanswered.set(payload.id, payload);
    const response = await postSigned(
      url,
      payload,
      kind === "forged" ? "not the secret" : SECRETS.GITHUB_WEBHOOK_SECRET,
    );
    // The status line alone is an acknowledgement: what a kill cuts off after it makes no difference to the sender.
    const record = { id: payload.id, kind, httpStatus: response.status };
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
    async send(url, chance, stopped) {
      while (!stopped()) {
        try {
          await step(url, chance);
        } catch (error) {
          // fetch says TypeError for a connection that broke: the router is dead. A request that nobody answers is a bug.
          if (!(error instanceof TypeError)) throw error;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, chance.below(PAUSE_MS_MAX)));
      }
    },
  };
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
