import { describe, expect, it } from "vitest";
import type { AcceptReply } from "../../src/bus/ports.ts";
import { fillAccept, fillSettle, replyTo } from "../../src/objects/older-callers.ts";
import { acceptItem, acceptRequest, NO_TARGETS } from "../support/accept-requests.ts";

describe("a Worker from before layouts", () => {
  const { layout: _none, ...older } = acceptRequest("t", [acceptItem("a", ["ci"])]);

  it("has the layout that its partition's name tells, as the oldest of all", () => {
    const filled = fillAccept({ ...older, partition: "v1/default/4/3" });
    expect(filled.layout).toEqual({ partitions: 4, deployedAt: -1 });
    expect(filled.items).toEqual(older.items);
  });

  it("sends events without a key: their source stands for it", () => {
    const [item] = older.items;
    if (item === undefined) throw new Error("one item");
    const { key: _key, ...event } = item.event;
    const sent = { ...older, items: [{ ...item, event }] } as unknown as typeof older;
    expect(fillAccept(sent).items[0]?.event.key).toBe("/s");
  });

  it("can't follow a move, and is told to come again", () => {
    const moved: AcceptReply = { kind: "moved", layout: { partitions: 8, deployedAt: 5 } };
    expect(replyTo(older, moved)).toEqual({ kind: "backlog-full", retryAfterSeconds: 5 });
    expect(replyTo(acceptRequest("t", []), moved)).toBe(moved);
  });

  it("settles without a word of targets", () => {
    const { statuses: _statuses, throttles: _throttles, ...settle } = NO_TARGETS;
    const request = { settlements: [], leasesMax: 0, withinMs: 0, ...settle };
    expect(fillSettle(request)).toEqual({ ...request, statuses: [], throttles: [] });
  });
});

describe("a Worker of this version", () => {
  it("is taken at its word", () => {
    const request = acceptRequest("t", [acceptItem("a", ["ci"])]);
    expect(fillAccept(request)).toEqual(request);
    const throttles = [{ target: "ci", forMs: 5 }];
    const settle = { settlements: [], leasesMax: 0, withinMs: 0, ...NO_TARGETS, throttles };
    expect(fillSettle(settle)).toEqual(settle);
  });
});
