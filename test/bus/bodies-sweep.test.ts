import { describe, expect, test } from "vitest";
import {
  BODY_CALLS_MAX,
  BODY_OLD_HOURS,
  BODY_OLD_HOURS_PER_SWEEP,
  BODY_ORPHAN_MS,
  BODY_PAGES_MAX,
  BODY_PAGE_KEYS,
  BODY_RECENT_HOURS,
  sweepBodies,
} from "../../src/bus/bodies-sweep.ts";
import { newBodyKey, parseBodyKey } from "../../src/bus/body-keys.ts";
import { createMemoryBodies } from "../support/memory-bodies.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 15, 30);

/** Partitions that know these keys, by name; what they were asked. */
function setting(known: Readonly<Record<string, readonly string[]>>, options: { readonly failing?: string } = {}) {
  let at = NOW;
  const store = createMemoryBodies({ now: () => at });
  const asked: string[] = [];
  const logged: string[] = [];
  return {
    store,
    asked,
    logged,
    put: async (hoursAgo: number, token: string, bus = "default", partitions = 2) => {
      at = NOW - hoursAgo * HOUR_MS;
      const key = newBodyKey({ bus, partitions, at, token });
      await store.put(key, new Uint8Array(1), undefined);
      return key;
    },
    sweep: (turn = 0, partitionsBefore: readonly number[] = []) =>
      sweepBodies(turn, {
        bodies: store,
        partitions: 2,
        partitionsBefore,
        adminPartition: (name) => ({
          keptBodies: async (keys) => {
            asked.push(name);
            if (name === options.failing) throw new Error("out of reach");
            return keys.filter((key) => known[name]?.includes(key) === true);
          },
        }),
        within: (work) => work,
        now: () => NOW,
        log: (message) => void logged.push(message),
      }),
    left: () => [...store.bodies.keys()],
  };
}

describe("a key", () => {
  test("tells the bus and the number of partitions, whatever the bus is called", () => {
    for (const bus of ["default", "a/b", "ä b%", "x.y"]) {
      const key = newBodyKey({ bus, partitions: 16, at: NOW, token: "t" });
      expect(key.startsWith("bodies/2026-11-21T15/")).toBe(true);
      expect(parseBodyKey(key)).toEqual({ bus, partitions: 16 });
    }
    expect([parseBodyKey("claims/a/b/c"), parseBodyKey("bodies/h/%/2/t"), parseBodyKey("bodies/h/b/x/t")]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe("the sweep of bodies", () => {
  test("removes what no partition knows, an hour after it came", async () => {
    const keyOf = (token: string) => newBodyKey({ bus: "default", partitions: 2, at: NOW - 2 * HOUR_MS, token });
    const here = setting({ "v1/default/2/0": [keyOf("known")], "v1/default/2/1": [keyOf("also")] });
    for (const token of ["known", "also", "orphan"]) await here.put(2, token);
    const young = await here.put((BODY_ORPHAN_MS - 1) / HOUR_MS, "young");
    const old = await here.put(BODY_ORPHAN_MS / HOUR_MS, "exactly");
    await here.sweep();
    expect(here.left()).toEqual([keyOf("known"), keyOf("also"), young]);
    expect(here.left()).not.toContain(old);
    expect(here.logged).toEqual(["bodies.swept"]);
  });

  test("asks the partitions of every layout that the bus has had since", async () => {
    const here = setting({});
    await here.put(2, "t", "default", 1);
    await here.sweep(0, [3]);
    expect(here.asked.toSorted()).toEqual([
      "v1/default/1/0",
      "v1/default/2/0",
      "v1/default/2/1",
      "v1/default/3/0",
      "v1/default/3/1",
      "v1/default/3/2",
    ]);
    expect(here.left()).toEqual([]);
  });

  test("removes nothing while a partition that may know it can't be asked", async () => {
    const here = setting({}, { failing: "v1/default/2/1" });
    const key = await here.put(2, "t");
    await here.sweep();
    expect(here.left()).toEqual([key]);
    expect(here.logged).toEqual(["bodies.unasked"]);
  });

  test("comes by every old hour in turn", async () => {
    const here = setting({});
    for (const hours of [BODY_RECENT_HOURS, 32, 33, 700, BODY_OLD_HOURS + BODY_RECENT_HOURS - 1])
      await here.put(hours, "t");
    const turns = BODY_OLD_HOURS / BODY_OLD_HOURS_PER_SWEEP;
    await here.sweep(0);
    expect(here.left()).toHaveLength(3);
    for (let turn = 1; turn < turns; turn++) await here.sweep(turn);
    expect(here.left()).toEqual([]);
  });

  test("leaves alone what is none of its keys, and asks nobody of it", async () => {
    const here = setting({});
    await here.store.put("bodies/2026-11-21T13/something", new Uint8Array(1), undefined);
    await here.sweep();
    expect([here.left().length, here.asked.length]).toEqual([1, 0]);
  });

  test("reads so many pages of an hour, and asks so many questions, and no more", async () => {
    const here = setting({});
    for (let n = 0; n <= BODY_PAGE_KEYS * BODY_PAGES_MAX; n++) await here.put(2, String(n).padStart(6, "0"));
    await here.sweep();
    expect(here.left()).toHaveLength(1);
    const wide = setting({});
    for (let n = 0; n < 3; n++) await wide.put(2, String(n), `bus-${n}`, BODY_CALLS_MAX / 2 - 2);
    await wide.sweep();
    // Each bus has its 2 partitions of now besides.
    expect([wide.left().length, wide.asked.length]).toEqual([1, BODY_CALLS_MAX]);
  });

  test("goes on with the next hour when the store fails, and never throws", async () => {
    const here = setting({});
    await here.put(2, "t");
    const failing = {
      ...here.store,
      list: (prefix: string, cursor: string | undefined, limit: number) => {
        if (prefix.includes("2026-11-21T15")) throw new Error("no");
        return here.store.list(prefix, cursor, limit);
      },
    };
    const logged: string[] = [];
    await sweepBodies(0, {
      bodies: failing,
      partitions: 2,
      partitionsBefore: [],
      adminPartition: () => ({ keptBodies: async () => [] }),
      within: (work) => work,
      now: () => NOW,
      log: (message) => void logged.push(message),
    });
    expect(here.left()).toEqual([]);
    expect(logged).toEqual(["bodies.sweep-failed", "bodies.swept"]);
  });
});
