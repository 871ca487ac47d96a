/** Events and accept requests as tests send them to a partition. */
import type { AcceptItem, AcceptRequest, Layout, StoredEvent } from "../../src/bus/ports.ts";
import type { PlannedDelivery } from "../../src/core/delivery.ts";
import { hashing } from "../../src/hashing.ts";
import { plannedFor } from "./deliveries.ts";

export const PARTITION = "v1/default/1/0";
const LAYOUT: Layout = { partitions: 1, deployedAt: 1 };

export function storedEvent(id: string, changes: Partial<StoredEvent> = {}): StoredEvent {
  return {
    attributes: { specversion: "1.0", id, source: "/s", type: "com.example.test", datacontenttype: "application/json" },
    body: new TextEncoder().encode(JSON.stringify({ id })),
    source: "events",
    bus: "default",
    rawHeaders: {},
    rules: ["default/all"],
    rulesVersion: { hash: "v1", deployedAt: 1 },
    key: "/s",
    ...changes,
  };
}

/** One event to the named targets; its content, and so its fingerprint, may be another than its id's. */
export function acceptItem(
  id: string,
  targets: readonly string[],
  changes: {
    readonly content?: string;
    readonly scope?: string;
    readonly planned?: Partial<PlannedDelivery>;
    readonly redeliver?: boolean;
    readonly replay?: NonNullable<AcceptItem["replay"]>;
  } = {},
): AcceptItem {
  const { content = id, scope = "" } = changes;
  return {
    identity: hashing.sha256(id),
    fingerprint: { scope, hash: `1:${content}` },
    event: storedEvent(id, {
      body: new TextEncoder().encode(JSON.stringify({ content })),
      rules: targets.length === 0 ? [] : ["default/all"],
    }),
    redeliver: changes.redeliver === true,
    ...(changes.replay === undefined ? {} : { replay: changes.replay }),
    deliveries: targets.map((target) => plannedFor(target, { id: `dlv_${id}_${target}`, ...changes.planned })),
  };
}

export function acceptRequest(token: string, items: readonly AcceptItem[], leasesMax = 0): AcceptRequest {
  return { partition: PARTITION, token, items, leasesMax, layout: LAYOUT };
}

/** What a settle says besides: no targets are busy, and ingest holds the leases. */
export const NO_TARGETS = { targetRoom: {}, holder: "ingest", statuses: [], throttles: [] } as const;
