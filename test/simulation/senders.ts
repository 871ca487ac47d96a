/** Senders: requests of one event or several, sent again when they are refused. They check each answer that they get. */
import { dispatch } from "../../src/bus/dispatch.ts";
import { originOf } from "../../src/bus/plan-event.ts";
import type { Receipt } from "../../src/bus/publish.ts";
import { publish } from "../../src/bus/publish.ts";
import type { ListedEvent } from "../../src/bus/ports.ts";
import { payloadFingerprint } from "../../src/core/event.ts";
import { parseReceipt } from "../../src/core/receipt.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import type { Isolates } from "./isolates.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Setting } from "./setting.ts";

/** A sender hangs up before it has its answer. */
const HANGS_UP = 0.1;
const HANGS_UP_MS = 60;

export interface SimulatedEvent {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly orderKey?: string;
  readonly sequence?: number;
  /** The id of the event whose content this one has; its own but for replays. */
  readonly contentOf: string;
  /** Other content than the event had before: a conflict. */
  readonly isAltered?: boolean;
  /** Somebody wants it delivered again. */
  readonly isRedelivery?: boolean;
}

export interface Senders {
  readonly send: (events: readonly SimulatedEvent[]) => void;
  /** Receipts by event id. */
  readonly acknowledged: ReadonlyMap<string, string>;
}

export interface SenderPorts {
  readonly isolates: Isolates;
  readonly hosts: ReadonlyMap<string, PartitionHost>;
}

export function openSenders(setting: Setting, { isolates, hosts }: SenderPorts): Senders {
  const { timeline, chance, faults, features, say, violations, count, isQuiet } = setting;
  const sendings = new Map<string, number>();
  const acknowledged = new Map<string, string>();
  const accepted = new Set<string>();

  function stored(receipt: string): ListedEvent | null {
    const parts = parseReceipt(receipt);
    return parts === null ? null : (hosts.get(parts.partition)?.engine().get(parts.seq) ?? null);
  }

  /** `first`: the receipt, at the time of sending, of the event whose content this one repeats. */
  function checkAnswer(sent: SimulatedEvent, receipt: Receipt, first: string | undefined): void {
    const { id, contentOf, isAltered } = sent;
    const { status } = receipt;
    const isCopy = contentOf !== id;
    if (status === "replayed") {
      count("replaysRefused");
      if (features.replays !== "refuse" || !isCopy) violations.push(`${id} was refused as a replay`);
      else if (first !== undefined && receipt.id !== first) violations.push(`${id} is a replay of ${receipt.id}`);
      return;
    }
    if (isCopy && first !== undefined && features.replays === "refuse") {
      violations.push(`${id} repeats the content of ${contentOf} and is ${status}`);
    }
    if (status === "accepted") {
      if (accepted.has(id)) violations.push(`${id} was accepted twice`);
      accepted.add(id);
    }
    if (status === "duplicate") count("duplicates");
    if (receipt.redriven !== undefined) {
      count("redelivered");
      if (sent.isRedelivery !== true) violations.push(`${id} was opened again and nobody asked for it`);
    }
    if (status === "conflict" && isAltered !== true) violations.push(`${id} came again unchanged and is a conflict`);
    if (status === "duplicate" && isAltered === true)
      violations.push(`${id} came with other content and is a duplicate`);
    if (status !== "accepted" && sendings.get(id) === 1) violations.push(`${id} was sent once and is a ${status}`);
    const known = acknowledged.get(id);
    if (known !== undefined && known !== receipt.id) violations.push(`${id} has two receipts`);
    const event = stored(receipt.id);
    if (event === null) violations.push(`${id} was acknowledged and is not stored`);
    else if (event.event.attributes.id !== id) violations.push(`${id} got the receipt of ${event.event.attributes.id}`);
    else if (features.replays === "flag" && status === "accepted" && isCopy && first !== undefined)
      checkFlag(sent, event, receipt.id, first);
    acknowledged.set(id, receipt.id);
  }

  /** A replay is told in the partition of the first one only. */
  function checkFlag({ id }: SimulatedEvent, { event }: ListedEvent, receipt: string, first: string): void {
    if (event.replayOf !== undefined) count("replaysFlagged");
    const isThere = parseReceipt(receipt)?.partition === parseReceipt(first)?.partition;
    const expected = isThere ? first : undefined;
    if (event.replayOf !== expected) violations.push(`${id} repeats ${first} and is flagged as ${event.replayOf}`);
  }

  function send(events: readonly SimulatedEvent[]): void {
    const label = events.length === 1 ? `${events[0]?.id}` : `${events[0]?.id} and ${events.length - 1} more`;
    const { ports, kill, end, guard } = isolates.start(`ingest ${label}`);
    for (const { id } of events) sendings.set(id, (sendings.get(id) ?? 0) + 1);
    const firsts = events.map(({ contentOf }) => acknowledged.get(contentOf));
    const source = ports.ruleSet.source("sim");
    if (source === undefined) throw new Error("the source is always there");
    if (events.length > 1) count("batches");
    if (chance.happens(faults().crashAfter)) timeline.after(chance.below(1_000), kill);
    // What a sender that goes away takes with it, others may have relied on.
    else if (features.bursts && chance.happens(HANGS_UP)) timeline.after(chance.below(HANGS_UP_MS), end);
    timeline.after(40_000, end);
    const received = events.map((event) => receive(event, features.replays));
    void guard(() => publish(received, originOf(source), ports)).then((published) => {
      if (!published.ok) {
        say(() => `${label} refused: ${published.error.reason}`);
        if (isQuiet && published.error.reason === "storage-unavailable")
          violations.push(`${label} was refused, and nothing was lost`);
        // A sender that was refused sends again, most of the time.
        if (chance.happens(0.8)) timeline.after(chance.between(1_000, 30_000), () => send(events));
        return;
      }
      for (const [index, sent] of events.entries()) {
        const receipt = published.value.receipts[index];
        if (receipt === undefined) throw new Error("one event, one receipt");
        say(() => `${sent.id}${numberOf(sent)} ${receipt.status} ${receipt.rules.join(" ")}`);
        checkAnswer(sent, receipt, firsts[index]);
      }
      void dispatch(published.value.jobs, ports);
    });
  }

  return { send, acknowledged };
}

function receive(sent: SimulatedEvent, replays: "ignore" | "flag" | "refuse"): ReceivedEvent {
  const { id, type, key, orderKey, sequence, contentOf, isAltered = false, isRedelivery = false } = sent;
  const content = JSON.stringify({ contentOf, isAltered });
  const body = new TextEncoder().encode(content);
  const numbered = sequence === undefined ? {} : { sequence: String(sequence), sequencetype: "Integer" };
  return {
    event: {
      attributes: { specversion: "1.0", id, source: "sim:", type, datacontenttype: "application/json", ...numbered },
      body,
    },
    fingerprint: payloadFingerprint(body, "", hashing.sha256),
    key,
    ...(orderKey === undefined ? {} : { orderKey }),
    ...(isRedelivery ? { repeat: "redelivery" } : {}),
    ...(replays === "ignore" ? {} : { replay: { content, refuse: replays === "refuse" } }),
    rawHeaders: {},
  };
}

function numberOf({ sequence }: SimulatedEvent): string {
  return sequence === undefined ? "" : ` (number ${sequence})`;
}
