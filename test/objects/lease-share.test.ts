import { describe, expect, it } from "vitest";
import { createLeaseShare, UNCOUNTED_BYTES_MAX } from "../../src/objects/lease-share.ts";

const isUncounted = (target: string) => target === "audit";

describe("a share of leases", () => {
  it("counts those of all targets together, but for the uncounted", () => {
    const share = createLeaseShare({ leasesMax: 2, room: () => 50, isUncounted });
    for (let n = 0; n < 10; n++) share.take("audit", 1);
    share.take("ci", 1);
    expect([share.left("ci", 50), share.left("audit", 50)]).toEqual([49, 40]);
    share.take("bus", 1);
    expect([share.left("ci", 50), share.left("audit", 50)]).toEqual([0, 40]);
  });

  it("is bounded by what either side has room for", () => {
    const share = createLeaseShare({ leasesMax: 9, room: () => 3, isUncounted });
    expect([share.left("ci", 4), share.left("audit", 2)]).toEqual([3, 2]);
  });

  it("of uncounted leases ends with their bytes, and of counted ones does not", () => {
    const share = createLeaseShare({ leasesMax: 9, room: () => 50, isUncounted });
    share.take("audit", UNCOUNTED_BYTES_MAX - 1);
    expect(share.left("audit", 50)).toBe(49);
    share.take("audit", 1);
    expect(share.left("audit", 50)).toBe(0);
    share.take("ci", UNCOUNTED_BYTES_MAX);
    expect(share.left("ci", 50)).toBe(49);
  });
});
