import { describe, expect, it } from "vitest";
import { createPacer, FIRST_MS_MAX } from "../../src/bus/pacer.ts";

const RATE = { limit: 10, periodMs: 1_000, burst: 1 };

/** A pacer whose target has answered once, at 0. */
function openWarm() {
  const pacer = createPacer();
  expect(pacer.start("ci", RATE, -50)).toBe(0);
  pacer.end("ci", 0);
  return pacer;
}

describe("starts of one isolate", () => {
  it("that come together are spaced as the rate says", () => {
    const pacer = openWarm();
    expect(pacer.start("ci", RATE, 100)).toBe(0);
    expect(pacer.start("ci", RATE, 100)).toBe(100);
    expect(pacer.start("ci", RATE, 160)).toBe(40);
    expect(pacer.start("ci", RATE, 200)).toBe(0);
  });

  it("count only when they happen: one that waits takes nobody's place", () => {
    const pacer = openWarm();
    for (let asked = 0; asked < 50; asked++) pacer.start("ci", RATE, 10);
    expect(pacer.start("ci", RATE, 100)).toBe(0);
  });

  it("are each target's own", () => {
    const pacer = openWarm();
    expect(pacer.start("audit", RATE, 0)).toBe(0);
  });
});

describe("the first start to a target", () => {
  it("is waited for, and counts from its end", () => {
    const pacer = createPacer();
    expect(pacer.start("ci", RATE, 0)).toBe(0);
    expect(pacer.start("ci", RATE, 100)).toBeGreaterThan(0);
    expect(pacer.start("ci", RATE, 300)).toBeGreaterThan(0);
    pacer.end("ci", 310);
    expect(pacer.start("ci", RATE, 310)).toBe(100);
    expect(pacer.start("ci", RATE, 410)).toBe(0);
    pacer.end("ci", 415);
    expect(pacer.start("ci", RATE, 510)).toBe(0);
  });

  it("is not waited for longer than a second", () => {
    const pacer = createPacer();
    pacer.start("ci", RATE, 0);
    expect(pacer.start("ci", RATE, FIRST_MS_MAX - 1)).toBeGreaterThan(0);
    expect(pacer.start("ci", RATE, FIRST_MS_MAX)).toBe(100);
    expect(pacer.start("ci", RATE, FIRST_MS_MAX + 100)).toBe(0);
  });
});
