import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  PARTITIONS_MAX,
  deliveryId,
  formatReceipt,
  nextSeq,
  parseReceipt,
  partitionName,
  partitionOf,
  seqAtMs,
  seqTimeMs,
} from "../../src/core/receipt.ts";
import { hashing } from "../../src/hashing.ts";

const { sha256 } = hashing;
const seqs = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const encode = (text: string) => `evt_${Buffer.from(text).toString("base64url")}`;

describe("a partition's name", () => {
  it("tells the layout, the bus, how many there are and which one it is", () => {
    expect(partitionName("default", 16, 3)).toBe("v1/default/16/3");
  });

  it("depends on the key alone, and is one of those there are", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: PARTITIONS_MAX }), (key, partitions) => {
        const name = partitionOf("default", key, partitions, sha256);
        expect(partitionOf("default", key, partitions, sha256)).toBe(name);
        expect(Number(name.split("/")[3])).toBeLessThan(partitions);
      }),
    );
  });

  it("spreads keys over all partitions", () => {
    const counts = new Map<string, number>();
    for (let key = 0; key < 4_000; key++) {
      const name = partitionOf("default", String(key), 4, sha256);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(4);
    for (const count of counts.values()) expect(count).toBeGreaterThan(850);
  });
});

describe("a receipt", () => {
  it("tells where the event is, for every partition and number", () => {
    const bus = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
    fc.assert(
      fc.property(bus, fc.integer({ min: 1, max: PARTITIONS_MAX }), fc.nat(), seqs, (name, partitions, index, seq) => {
        const parts = { partition: partitionName(name, partitions, index % partitions), seq };
        expect(formatReceipt(parts)).toMatch(/^evt_[A-Za-z0-9_-]+$/);
        expect(parseReceipt(formatReceipt(parts))).toEqual(parts);
      }),
    );
  });

  it.each([
    ["another prefix", `dlv_${encode("v1/default/16/3:1").slice(4)}`],
    ["no content", "evt_"],
    ["what is not Base64", "evt_$$$"],
    ["another layout", encode("v2/default/16/3:1")],
    ["a partition that can't be", encode("v1/default/16/16:1")],
    ["too many partitions", encode(`v1/default/${PARTITIONS_MAX + 1}/3:1`)],
    ["a bus that can't be", encode("v1/De fault/16/3:1")],
    ["no number", encode("v1/default/16/3:")],
    ["a number too large", encode("v1/default/16/3:zzzzzzzzzzz")],
    ["more behind it", encode("v1/default/16/3:1\n")],
    ["too much", encode(`v1/${"a".repeat(200)}/16/3:1`)],
  ])("is refused with %s", (_, receipt) => {
    expect(parseReceipt(receipt)).toBeNull();
  });

  it("is refused or understood, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseReceipt(text)).toBeNull();
        expect(parseReceipt(`evt_${text}`)).toBeNull();
      }),
    );
  });
});

describe("a delivery's id", () => {
  const id = deliveryId("github\n/s\n1", "default/all", "ci", 0, sha256);

  it("is the same every time, and fits in a header of Standard Webhooks", () => {
    expect(deliveryId("github\n/s\n1", "default/all", "ci", 0, sha256)).toBe(id);
    expect(id).toMatch(/^dlv_[A-Za-z0-9_-]{24}$/);
  });

  it("is another one for another event, rule, target or generation", () => {
    const others = [
      deliveryId("github\n/s\n2", "default/all", "ci", 0, sha256),
      deliveryId("github\n/s\n1", "default/al", "lci", 0, sha256),
      deliveryId("github\n/s\n1", "default/all", "c", 0, sha256),
      deliveryId("github\n/s\n1", "default/all", "ci", 1, sha256),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });
});

describe("sequence numbers", () => {
  it("rise, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), (times) => {
        let last = 0;
        for (const now of times) {
          const next = nextSeq(last, now);
          expect(next).toBeGreaterThan(last);
          last = next;
        }
      }),
    );
  });

  it("tell the time of acceptance, up to 1,024 in one millisecond", () => {
    const now = Date.UTC(2026, 0, 1);
    let seq = 0;
    for (let n = 0; n < 1_024; n++) expect(seqTimeMs((seq = nextSeq(seq, now)))).toBe(now);
    expect(seqTimeMs(nextSeq(seq, now))).toBe(now + 1);
    expect(seqAtMs(now)).toBe(nextSeq(0, now));
  });

  it("stay exact for thousands of years", () => {
    expect(Number.isSafeInteger(seqAtMs(Date.UTC(2240, 0, 1)))).toBe(true);
  });
});
