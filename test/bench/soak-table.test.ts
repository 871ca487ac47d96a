import { describe, expect, it } from "vitest";
import type { SoakSample } from "./soak-table.ts";
import { soakTable, soakVerdict } from "./soak-table.ts";

const MIB = 1_048_576;

function samplesWith(rssMib: readonly number[]): readonly SoakSample[] {
  return rssMib.map((rss, index) => ({
    elapsedMs: (index + 1) * 10_000,
    accepted: index * 100,
    delivered: index * 90,
    rssBytes: rss * MIB,
    stateBytes: index * MIB,
  }));
}

describe("a soak's verdict", () => {
  it("compares the medians of the first quarter and the last, and leaves the warm-up out", () => {
    expect(soakVerdict(samplesWith([7, 8, 9, 100, 900, 110, 1, 1, 1, 1, 1, 1, 120, 5, 130]))).toEqual({
      steady: true,
      line: "RSS after the warm-up, median of the first quarter 110 MiB, of the last 120 MiB (+9 %): steady",
    });
  });

  it("says that memory grows when it is up by more than a quarter", () => {
    const at = (last: number) => soakVerdict(samplesWith([1, 1, 100, 100, 100, 100, 100, 100, last, last]));
    expect(at(125).steady).toBe(true);
    expect(at(126)).toMatchObject({ steady: false, line: expect.stringContaining("(+26 %): it grows") });
    expect(at(50)).toMatchObject({ steady: true, line: expect.stringContaining("(-50 %)") });
  });

  it("says nothing from fewer than ten samples", () => {
    expect(soakVerdict(samplesWith([1, 1, 1, 1, 1, 1, 1, 1, 1]))).toMatchObject({
      steady: false,
      line: expect.stringContaining("too short"),
    });
    expect(soakVerdict(samplesWith([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).steady).toBe(true);
  });
});

describe("a soak's table", () => {
  it("has the last sample of each span", () => {
    const lines = soakTable(samplesWith([200, 201, 202, 203, 204, 205, 206]), 30_000);
    expect(lines.map((line) => line.split(/\s+/).join(" "))).toEqual([
      "minutes accepted delivered waiting RSS MiB state MiB",
      "0.5 200 180 20 202 2",
      "1.0 500 450 50 205 5",
      "1.2 600 540 60 206 6",
    ]);
  });
});
