import { describe, expect, it } from "vitest";
import type { Peer, Traffic } from "./cost-peers.ts";
import { peerDollars, peersFor } from "./cost-peers.ts";

const TRAFFIC: Traffic = { fanout: 2, bodyBytes: 10_000, logDays: 14 };

function peer(name: string, changes: Partial<Traffic> = {}): Peer {
  const found = peersFor({ ...TRAFFIC, ...changes }).find((each) => each.name.includes(name));
  if (found === undefined) throw new Error(`no peer ${name}`);
  return found;
}

describe("what others charge for a million events", () => {
  it("is, with EventBridge, by each 64 KB begun, in and out", () => {
    const dollars = (bodyBytes: number) => peerDollars(peer("EventBridge", { bodyBytes, logDays: 0 }));
    expect(dollars(10_000)).toBeCloseTo(1 + 2 * 0.2);
    expect(dollars(65_536)).toBeCloseTo(1.4);
    expect(dollars(65_537)).toBeCloseTo(2.8);
  });

  it("has EventBridge's archive, by what goes in and what stays", () => {
    const archive = peerDollars(peer("EventBridge")) - peerDollars(peer("EventBridge", { logDays: 0 }));
    expect(archive).toBeCloseTo(10 * 0.1 + 10 * 0.023 * (14 / 30));
  });

  it("is, with Svix, by message, and says that the count of endpoints is not known", () => {
    expect(peerDollars(peer("Svix"))).toBe(100);
    expect(peerDollars(peer("Svix", { fanout: 5 }))).toBe(100);
    expect(peer("Svix", { fanout: 5 }).notes.join()).toContain("was not found: at most 500");
    expect(peer("Svix", { fanout: 1 }).notes.join()).not.toContain("endpoints");
  });

  it("is, with Hookdeck, by event and target", () => {
    expect(peerDollars(peer("Hookdeck"))).toBe(20);
    expect(peerDollars(peer("Hookdeck", { fanout: 1 }))).toBe(10);
  });

  it("names a page and when it was read, or that it has no date", () => {
    for (const { sources } of peersFor(TRAFFIC)) {
      expect(sources.length).toBeGreaterThan(0);
      for (const source of sources) expect(source).toMatch(/\d{4}-\d\d-\d\d|without date|no date/);
    }
  });
});
