import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GroupLimits } from "../../src/bus/call-groups.ts";
import { createCallGroup, GROUP_LEADER_MS, GROUP_TURNS_MAX, GROUP_WAIT_MS } from "../../src/bus/call-groups.ts";
import { ACCEPT_TIMEOUT_MS } from "../../src/bus/publish.ts";
import type { DyingInvocation } from "../support/invocations.ts";
import { openInvocation } from "../support/invocations.ts";

const CALL_MS = 5;
const LIMITS: GroupLimits<string> = {
  countMax: 5,
  countOf: () => 1,
  bytesMax: 100,
  bytesOf: (text) => text.length,
  mayFollow: (text) => !text.startsWith("alone"),
};

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

type Answer = (requests: readonly string[]) => Promise<readonly (string | undefined)[]>;

const answerAfter = (ms: number) => (requests: readonly string[]) =>
  new Promise<readonly string[]>((resolve) => {
    setTimeout(() => resolve(requests.map((request) => `re ${request}`)), ms);
  });

/** One isolate's group; `calls` are those that were made, with the time. */
function openBench(answer: Answer = answerAfter(CALL_MS)) {
  const group = createCallGroup<string, string>(LIMITS);
  const calls: { readonly at: number; readonly requests: readonly string[] }[] = [];
  const answers = new Map<string, string>();
  return {
    calls,
    /** Who has an answer, and which. */
    answers,
    join: (request: string, mayWaitMs = 0, own: DyingInvocation = openInvocation()) => {
      const call: Answer = (requests) => {
        calls.push({ at: Date.now(), requests });
        return own.guard(answer(requests));
      };
      void own.guard(group.join(request, mayWaitMs, call, own)).then(
        (reply) => answers.set(request, reply),
        (error: unknown) => answers.set(request, String(error)),
      );
      return own;
    },
  };
}

const passed = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("requests of one isolate to one object", () => {
  it("leave at once when nothing is under way", async () => {
    const { join, calls, answers } = openBench();
    join("a");
    expect(calls).toEqual([{ at: 0, requests: ["a"] }]);
    await passed(CALL_MS);
    expect(answers).toEqual(new Map([["a", "re a"]]));
    join("b");
    expect(calls).toHaveLength(2);
  });

  it("that come while one is under way leave together when it is back", async () => {
    const { join, calls, answers } = openBench();
    join("a");
    await passed(1);
    for (const name of ["b", "c", "d"]) join(name);
    await passed(CALL_MS - 1);
    expect(calls).toEqual([
      { at: 0, requests: ["a"] },
      { at: CALL_MS, requests: ["b", "c", "d"] },
    ]);
    await passed(CALL_MS);
    expect([...answers.values()].toSorted()).toEqual(["re a", "re b", "re c", "re d"]);
    for (const [request, reply] of answers) expect(reply).toBe(`re ${request}`);
  });

  it("leave after GROUP_WAIT_MS though one is still under way", async () => {
    const { join, calls } = openBench(answerAfter(200));
    join("a");
    await passed(3);
    join("b");
    join("c");
    await passed(GROUP_WAIT_MS - 1);
    expect(calls).toHaveLength(1);
    await passed(1);
    expect(calls[1]).toEqual({ at: 3 + GROUP_WAIT_MS, requests: ["b", "c"] });
  });

  it("do not leave more often for it: what is back finds another under way", async () => {
    const { join, calls } = openBench(answerAfter(30));
    join("a");
    await passed(1);
    join("b");
    await passed(28);
    join("c");
    await passed(1);
    // "a" is back, "b" is under way since 21.
    expect(calls.map(({ at }) => at)).toEqual([0, 21]);
    await passed(GROUP_WAIT_MS - 1);
    expect(calls.map(({ at }) => at)).toEqual([0, 21, 49]);
  });

  it("that may be kept back are, until their time is over", async () => {
    const { join, calls } = openBench();
    join("a", 250);
    await passed(100);
    join("b", 250);
    await passed(149);
    expect(calls).toEqual([]);
    await passed(1);
    expect(calls).toEqual([{ at: 250, requests: ["a", "b"] }]);
  });

  it("that may be kept back leave with one that may not", async () => {
    const { join, calls } = openBench();
    join("a", 250);
    await passed(100);
    join("b");
    expect(calls).toEqual([{ at: 100, requests: ["b", "a"] }]);
  });

  it("that may be kept back do not leave because a call is back", async () => {
    const { join, calls } = openBench();
    join("a");
    join("b", 250);
    await passed(249);
    expect(calls).toHaveLength(1);
    await passed(1);
    expect(calls).toHaveLength(2);
  });

  it("leave at once when they are as many as one call takes, and not before", async () => {
    const { join, calls } = openBench();
    for (let n = 1; n < LIMITS.countMax; n++) join(`${n}`, 250);
    expect(calls).toEqual([]);
    join("last", 250);
    expect(calls.map(({ requests }) => requests)).toEqual([["last", "1", "2", "3", "4"]]);
  });

  it("leave at once when they are as long as one call takes, and not before", async () => {
    const { join, calls } = openBench();
    join("a".repeat(50), 250);
    join("b".repeat(49), 250);
    expect(calls).toEqual([]);
    join("c", 250);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.requests.join("")).toHaveLength(LIMITS.bytesMax);
  });

  it("leave in the next call where they do not fit", async () => {
    const { join, calls } = openBench();
    join("first");
    join("a".repeat(60));
    join("b".repeat(60));
    expect(calls[1]?.requests).toEqual(["b".repeat(60)]);
    await passed(CALL_MS);
    expect(calls[2]?.requests).toEqual(["a".repeat(60)]);
  });

  it("leave by themselves when they are too long for any group", async () => {
    const { join, calls, answers } = openBench();
    join("a".repeat(500));
    await passed(CALL_MS);
    expect(calls[0]?.requests).toEqual(["a".repeat(500)]);
    expect(answers.size).toBe(1);
  });

  it("are not taken along when they must not be, and don't hold up the others", async () => {
    const { join, calls } = openBench();
    join("first");
    join("alone");
    join("b");
    join("c");
    await passed(CALL_MS);
    expect(calls[1]?.requests).toEqual(["alone", "b", "c"]);
    join("d");
    join("alone too");
    join("e");
    await passed(CALL_MS);
    expect(calls[2]?.requests).toEqual(["d", "e"]);
    await passed(CALL_MS);
    expect(calls[3]?.requests).toEqual(["alone too"]);
  });
});

describe("a call that fails", () => {
  const trouble = (flags: object) => () => Promise.reject(Object.assign(new Error("lost"), flags));

  it.each([[{ retryable: true }], [{ overloaded: true }]])(
    "as the platform's does (%j) fails for all",
    async (flags) => {
      let asked = 0;
      const { join, calls, answers } = openBench((requests) =>
        ++asked === 1 ? answerAfter(CALL_MS)(requests) : trouble(flags)(),
      );
      join("first");
      join("a");
      join("b");
      await passed(CALL_MS);
      expect(calls).toHaveLength(2);
      expect([answers.get("a"), answers.get("b")]).toEqual(["Error: lost", "Error: lost"]);
    },
  );

  it("for one request of the group fails for that one: each asks again by itself", async () => {
    const { join, calls, answers } = openBench((requests) =>
      requests.includes("bad") ? trouble({})() : answerAfter(CALL_MS)(requests),
    );
    join("first");
    for (const name of ["a", "bad", "b"]) join(name);
    await passed(2 * CALL_MS);
    expect(calls.slice(2).map(({ requests }) => requests)).toEqual([["a"], ["bad"], ["b"]]);
    expect(Object.fromEntries(answers)).toEqual({ first: "re first", a: "re a", bad: "Error: lost", b: "re b" });
  });

  it("is not made again for a request that was alone in it", async () => {
    const { join, calls, answers } = openBench(trouble({}));
    join("a");
    await passed(CALL_MS);
    expect(calls).toHaveLength(1);
    expect(answers.get("a")).toBe("Error: lost");
  });

  it("lets those go who wait for it", async () => {
    let asked = 0;
    const { join, answers } = openBench((requests) =>
      ++asked === 1 ? trouble({ retryable: true })() : answerAfter(CALL_MS)(requests),
    );
    join("a");
    join("b");
    await passed(CALL_MS);
    expect(answers.get("b")).toBe("re b");
  });

  it("or that an older object answers in part leaves the others to ask by themselves", async () => {
    const { join, calls, answers } = openBench(async (requests) =>
      requests.map((request, index) => (index === 0 ? `re ${request}` : undefined)),
    );
    join("first");
    join("a");
    join("b");
    await passed(CALL_MS);
    expect(calls.map(({ requests }) => requests)).toEqual([["first"], ["a", "b"], ["b"]]);
    expect([answers.get("a"), answers.get("b")]).toEqual(["re a", "re b"]);
  });
});

describe("a leader", () => {
  it("lasts until its call is back, whoever goes away", async () => {
    const { join } = openBench();
    const own = join("a");
    expect(own.kept).toHaveLength(1);
    await passed(CALL_MS);
    await expect(own.kept[0]).resolves.toBeUndefined();
  });

  it("that fails does not fail what its invocation was to last for", async () => {
    const { join } = openBench(() => Promise.reject(new Error("lost")));
    await expect(join("a").kept[0]).resolves.toBeUndefined();
  });

  it("that dies under way is replaced after GROUP_LEADER_MS, by those that follow it", async () => {
    const { join, calls, answers } = openBench();
    join("first");
    const leader = join("a");
    join("b");
    join("c");
    join("d");
    await passed(CALL_MS);
    expect(calls[1]?.requests).toEqual(["a", "b", "c", "d"]);
    leader.die();
    await passed(GROUP_LEADER_MS - 1);
    expect(calls).toHaveLength(2);
    await passed(GROUP_WAIT_MS + 2 * CALL_MS + 1);
    expect(calls.slice(2).map(({ requests }) => requests)).toEqual([["b", "c", "d"]]);
    expect([...answers.keys()]).toEqual(["first", "b", "c", "d"]);
  });

  it("lasts while it waits to lead, whoever goes away", async () => {
    const { join } = openBench();
    join("first");
    expect(join("a").kept).toHaveLength(1);
    expect(join("b").kept).toHaveLength(0);
  });

  it("that dies while it waits holds up the others for GROUP_LEADER_MS at most", async () => {
    const { join, calls, answers } = openBench(answerAfter(GROUP_WAIT_MS + CALL_MS));
    join("first");
    join("a").die();
    join("b");
    await passed(GROUP_LEADER_MS - 1);
    expect(calls).toHaveLength(1);
    await passed(GROUP_WAIT_MS + CALL_MS + 1);
    expect(answers.get("b")).toBe("re b");
    // It may have been asked for all the same: its sender comes again.
    expect(calls[1]?.requests).toEqual(["b", "a"]);
  });

  it("that has died does not keep those who come later waiting for long", async () => {
    const { join, calls } = openBench();
    join("a").die();
    await passed(GROUP_LEADER_MS - 1);
    join("b");
    expect(calls).toHaveLength(1);
    await passed(GROUP_WAIT_MS);
    expect(calls).toHaveLength(2);
    await passed(GROUP_LEADER_MS);
    join("c");
    expect(calls).toHaveLength(3);
  });

  it("that is only slow answers those who have asked again meanwhile", async () => {
    const { join, answers } = openBench(answerAfter(GROUP_LEADER_MS + 300));
    join("first");
    join("a");
    join("b");
    await passed(GROUP_WAIT_MS + GROUP_LEADER_MS + 300);
    expect(answers.get("b")).toBe("re b");
  });

  it("is everybody in the last of GROUP_TURNS_MAX turns, in time for an acceptance", async () => {
    const { join, calls, answers } = openBench();
    const until = (at: number) => passed(at - Date.now());
    const withVictim = () => calls.filter(({ requests }) => requests.includes("victim"));
    join("first");
    const leader = join("leader");
    join("victim");
    await passed(CALL_MS);
    leader.die();
    await until(GROUP_LEADER_MS + 10);
    join("second leader").die();
    const lastAt = 2 * GROUP_LEADER_MS + GROUP_WAIT_MS;
    await until(lastAt);
    expect(withVictim().map(({ at, requests }) => [at, requests])).toEqual([
      [CALL_MS, ["leader", "victim"]],
      [GROUP_LEADER_MS + 10, ["second leader", "victim"]],
      [lastAt, ["victim"]],
    ]);
    await passed(CALL_MS);
    expect(withVictim()).toHaveLength(GROUP_TURNS_MAX);
    expect(answers.get("victim")).toBe("re victim");
    expect(Date.now()).toBeLessThan(ACCEPT_TIMEOUT_MS - 500);
  });
});
