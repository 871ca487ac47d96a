/** The short crash test: `npm run test:crash` is the long one, by the same code. */
import { describe, expect, it } from "vitest";
import { crashRun } from "../crash/crash-run.ts";

/** A machine with other work may time a target out, which is retried after a minute. */
const TEST_TIMEOUT_MS = 240_000;
const quiet = { retriedHangs: false, progress: () => undefined };

describe("the router, killed under load", () => {
  it(
    "loses no acknowledged event, accepts none twice and keeps each delivery's webhook-id",
    async () => {
      const verdict = await crashRun({ kills: 3, seed: 3, negative: false, ...quiet });
      expect(verdict.broken).toEqual([]);
      expect(verdict.acknowledged).toBeGreaterThan(50);
      // The load had all of it: repeats, forgeries, other content under a known id.
      expect(verdict.answers).toMatchObject({
        accepted: expect.any(Number),
        duplicate: expect.any(Number),
        401: expect.any(Number),
        409: expect.any(Number),
      });
      const counts = new Map(verdict.counts.map((each) => [each.target, each]));
      expect([...counts.keys()]).toEqual(["steady", "flaky", "hanging"]);
      // Two rules give every event to these two; a target that never fails gets all of them.
      expect(counts.get("flaky")?.acknowledged).toBe(verdict.acknowledged);
      expect(counts.get("steady")).toMatchObject({ acknowledged: verdict.acknowledged, dead: 0, lost: 0 });
      expect(counts.get("flaky")?.repeats).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is found out when its state is removed between a kill and the restart",
    async () => {
      const verdict = await crashRun({ kills: 1, seed: 3, negative: true, ...quiet });
      expect(verdict.counts.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(0);
      expect(verdict.broken.join("\n")).toMatch(/^event-\d+ was acknowledged; \w+ never got it/m);
    },
    TEST_TIMEOUT_MS,
  );
});
