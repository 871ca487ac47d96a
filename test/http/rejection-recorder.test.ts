import { describe, expect, it } from "vitest";
import type { RejectionEntry } from "../../src/bus/ports.ts";
import type { Rejection } from "../../src/core/rejection.ts";
import { PENDING_MAX, createRejectionRecorder } from "../../src/http/rejection-recorder.ts";
import { REJECTIONS_PER_CALL_MAX } from "../../src/objects/rejection-log.ts";
import { createTimeline } from "../simulation/timeline.ts";

const WRONG: Rejection = { reason: "wrong-signature", header: "X-Hub-Signature-256" };
const noop = () => {};

/** A recorder on simulated time from zero; `lost` makes the next write's request die while it waits. */
function openBench(write: (source: string) => Promise<void> = () => Promise.resolve()) {
  const timeline = createTimeline(0);
  const written: { readonly at: number; readonly source: string; readonly entries: readonly RejectionEntry[] }[] = [];
  const recorderFor = createRejectionRecorder();
  const portsOf = (sleep: (ms: number) => Promise<void>) => ({
    now: timeline.now,
    sleep,
    write: (source: string, entries: readonly RejectionEntry[]) => {
      written.push({ at: timeline.now(), source, entries });
      return write(source);
    },
  });
  const alive = recorderFor(portsOf(timeline.sleep));
  const dying = recorderFor(portsOf(() => new Promise(noop)));
  return {
    written,
    entries: () => written.flatMap(({ entries }) => entries),
    record: alive.record,
    recordAndDie: dying.record,
    run: (untilMs: number) => {
      timeline.after(0, noop);
      return timeline.run(untilMs, noop);
    },
    at: timeline.after,
  };
}

describe("the recorder of rejections", () => {
  it("writes the first one after a quiet second at once", async () => {
    const { record, run, written, at } = openBench();
    at(100, () => void record("github", WRONG));
    at(5_000, () => void record("github", WRONG));
    await run(6_000);
    expect(written.map((each) => each.at)).toEqual([100, 5_000]);
  });

  it("writes equal ones of a second as one, with the first one's time and words", async () => {
    const { record, run, written, at } = openBench();
    at(50, () => void record("github", { reason: "missing-header", header: "first" }));
    at(100, () => void record("github", WRONG));
    at(200, () => void record("github", WRONG));
    at(300, () => void record("github", { reason: "missing-header", header: "a" }));
    at(400, () => void record("github", { reason: "missing-header", header: "b" }));
    await run(5_000);
    expect(written.slice(1)).toEqual([
      {
        at: 1_050,
        source: "github",
        entries: [
          expect.objectContaining({ at: 100, source: "github", reason: "wrong-signature", count: 2 }),
          { at: 300, source: "github", reason: "missing-header", count: 2, detail: "The header a is missing." },
        ],
      },
    ]);
  });

  it("writes once a second however many there are, and starts again after that", async () => {
    const { record, run, written, at } = openBench();
    for (let ms = 0; ms < 3_000; ms += 10) at(ms, () => void record("github", WRONG));
    await run(10_000);
    expect(written.length).toBeLessThanOrEqual(4);
    expect(written.flatMap(({ entries }) => entries).reduce((sum, { count }) => sum + count, 0)).toBe(300);
  });

  it("writes each source's to that source's partition", async () => {
    const { record, run, written } = openBench();
    void record("github", WRONG);
    void record("events", { reason: "missing-token" });
    await run(5_000);
    expect(written.map(({ source, entries }) => [source, entries.map(({ reason }) => reason)])).toEqual([
      ["github", ["wrong-signature"]],
      ["events", ["missing-token"]],
    ]);
  });

  it("counts sources that senders make up under one name", async () => {
    const { record, run, entries } = openBench();
    for (let n = 0; n < 1_000; n++) void record(`made-up-${n}`, { reason: "unknown-source", source: `made-up-${n}` });
    await run(5_000);
    expect(entries().map(({ source, reason, count }) => [source, reason, count])).toEqual([
      ["(unknown)", "unknown-source", 1],
      ["(unknown)", "unknown-source", 999],
    ]);
  });

  it("keeps a bounded number of sources and reasons apart and counts the rest together", async () => {
    const { record, run, written, entries } = openBench();
    void record("the first", WRONG);
    for (let n = 0; n < 1_000; n++) void record(`source-${n}`, WRONG);
    void record("source-0", WRONG);
    void record("github", { reason: "missing-token" });
    await run(5_000);
    expect(entries()).toHaveLength(1 + PENDING_MAX + 2);
    expect(entries().find(({ source }) => source === "source-0")?.count).toBe(2);
    const others = written.find(({ source }) => source === "(others)");
    expect(others?.entries.map(({ reason, count }) => [reason, count])).toEqual([
      ["wrong-signature", 1_000 - PENDING_MAX],
      ["missing-token", 1],
    ]);
    for (const each of written) expect(each.entries.length).toBeLessThanOrEqual(REJECTIONS_PER_CALL_MAX);
  });

  it("cuts what a sender can make long", async () => {
    const { record, run, entries } = openBench();
    void record("x".repeat(100_000), { reason: "invalid-form", detail: "x".repeat(100_000) });
    await run(5_000);
    expect(entries()[0]?.source).toHaveLength(64);
    expect(entries()[0]?.detail).toHaveLength(300);
  });

  it("goes on after the request that was to write has died", async () => {
    const { record, recordAndDie, run, written, at } = openBench();
    void record("github", WRONG);
    at(100, () => void recordAndDie("github", WRONG));
    at(10_099, () => void record("github", WRONG));
    at(10_100, () => void record("github", WRONG));
    await run(20_000);
    expect(written.map((each) => [each.at, each.entries.map(({ count }) => count)])).toEqual([
      [0, [1]],
      [10_100, [3]],
    ]);
  });

  it("tells who waits that a write failed, and writes the next ones", async () => {
    let broken = true;
    const { record, run, at, written } = openBench(() =>
      broken ? Promise.reject(new Error("no")) : Promise.resolve(),
    );
    let failure = "";
    record("github", WRONG).catch((error: unknown) => {
      failure = String(error);
    });
    at(2_000, () => {
      broken = false;
      void record("github", WRONG);
    });
    await run(5_000);
    expect(failure).toBe("Error: no");
    expect(written.map((each) => each.at)).toEqual([0, 2_000]);
  });
});
