import { describe, expect, it } from "vitest";
import { CALL_TRIES_MAX, callPartition } from "../../src/bus/partition-call.ts";
import type { PartitionPort } from "../../src/bus/ports.ts";

function failure(flags: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error("no"), flags);
}

/** Calls a partition that fails as told, and counts. */
async function tryCall(failures: readonly unknown[], random = 0) {
  const stubs: string[] = [];
  const pauses: number[] = [];
  let calls = 0;
  const answer = callPartition(
    "p",
    () => {
      const failing = failures[calls];
      calls += 1;
      return failing === undefined ? Promise.resolve("done") : Promise.reject(failing as Error);
    },
    {
      partition: (name) => {
        stubs.push(name);
        return {} as PartitionPort;
      },
      sleep: (ms) => {
        pauses.push(ms);
        return Promise.resolve();
      },
      random: () => random,
    },
  );
  return { result: await answer.catch((error: unknown) => error), calls, stubs, pauses };
}

describe("a call to a partition", () => {
  it("is made once when it succeeds", async () => {
    expect(await tryCall([])).toEqual({ result: "done", calls: 1, stubs: ["p"], pauses: [] });
  });

  it("is made again, by a new stub and after a pause, when the platform says that this may help", async () => {
    const { result, stubs, pauses } = await tryCall([failure({ retryable: true }), failure({ retryable: true })]);
    expect(result).toBe("done");
    expect(stubs).toEqual(["p", "p", "p"]);
    expect(pauses).toEqual([50, 100]);
    expect((await tryCall([failure({ retryable: true })], 0.999)).pauses[0]).toBeLessThanOrEqual(100);
  });

  it("is made three times at most, and throws the last failure", async () => {
    const failures = Array.from({ length: 5 }, (_, n) => failure({ retryable: true, n }));
    const { result, calls } = await tryCall(failures);
    expect(calls).toBe(CALL_TRIES_MAX);
    expect(result).toMatchObject({ n: CALL_TRIES_MAX - 1 });
  });

  it.each([
    ["of an overloaded object", failure({ retryable: true, overloaded: true })],
    ["that is not retryable", failure({ retryable: false })],
    ["without flags", failure({})],
    ["that is no error", "retryable"],
    ["with a flag that is not true", failure({ retryable: "true" })],
  ])("is not made again after a failure %s", async (_, error) => {
    expect(await tryCall([error])).toMatchObject({ result: error, calls: 1, pauses: [] });
  });
});
