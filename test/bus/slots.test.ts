import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SLOT_SHARERS_MAX, SLOTS_MAX, SLOTS_PER_TARGET_MAX, createSlots } from "../../src/bus/slots.ts";

/** Takes slots for targets, and tells which of them have theirs. */
async function takeAll(targets: readonly string[], slots = createSlots()) {
  const held: { readonly name: string; readonly giveBack: () => void }[] = [];
  for (const [index, target] of targets.entries()) {
    void slots.acquire(target).then((giveBack) => held.push({ name: `${target}${index}`, giveBack }));
  }
  await settle();
  return { slots, held, names: () => held.map(({ name }) => name) };
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe("slots", () => {
  it("are six, four for one target", async () => {
    expect([SLOTS_MAX, SLOTS_PER_TARGET_MAX]).toEqual([6, 4]);
    const { names, slots } = await takeAll(["a", "a", "a", "a", "a", "b", "c", "d"]);
    expect(names()).toEqual(["a0", "a1", "a2", "a3", "b5", "c6"]);
    expect(slots.free()).toBe(0);
  });

  it("go to the first who waits and fits, so that a full target does not starve the others", async () => {
    const { names, held } = await takeAll(["a", "a", "a", "a", "b", "b", "a", "b", "a"]);
    expect(names()).toEqual(["a0", "a1", "a2", "a3", "b4", "b5"]);
    held[4]?.giveBack();
    await settle();
    expect(names().slice(6)).toEqual(["b7"]);
    held[0]?.giveBack();
    await settle();
    expect(names().slice(6)).toEqual(["b7", "a6"]);
  });

  it("can be given back twice without being two", async () => {
    const { names, held, slots } = await takeAll(["a", "b", "c", "d", "e", "f", "g", "h"]);
    held[0]?.giveBack();
    held[0]?.giveBack();
    await settle();
    expect(names().slice(6)).toEqual(["g6"]);
    expect(slots.free()).toBe(0);
  });

  it("count those who wait as taken", async () => {
    const { slots } = await takeAll(["a", "a"]);
    expect(slots.free()).toBe(4);
    const crowded = await takeAll(["a", "a", "a", "a", "a"]);
    expect(crowded.slots.free()).toBe(1);
  });

  it("keep both bounds, and everyone gets one in the end, whatever is asked for and given back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        async (targets, picks) => {
          const { held } = await takeAll(targets);
          let given = 0;
          while (held.length > 0) {
            expect(held.length).toBeLessThanOrEqual(SLOTS_MAX);
            for (const target of ["a", "b", "c"]) {
              const count = held.filter(({ name }) => name.startsWith(target)).length;
              expect(count).toBeLessThanOrEqual(SLOTS_PER_TARGET_MAX);
            }
            held.splice((picks.next().value ?? 0) % held.length, 1)[0]?.giveBack();
            given += 1;
            await settle();
          }
          expect(given).toBe(targets.length);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a shared slot", () => {
  it("is one for all who share it, and free once the last has given it back", async () => {
    const slots = createSlots();
    const sharers = await Promise.all(["q", "q", "q"].map((name) => slots.share(name)));
    expect(slots.free()).toBe(SLOTS_MAX - 1);
    sharers[0]?.();
    sharers[0]?.();
    sharers[1]?.();
    expect(slots.free()).toBe(SLOTS_MAX - 1);
    sharers[2]?.();
    expect(slots.free()).toBe(SLOTS_MAX);
  });

  it("is waited for like any other, by all together", async () => {
    const { slots, held } = await takeAll(["a", "a", "a", "b", "b", "b"]);
    let got = 0;
    for (const name of ["q", "q"]) void slots.share(name).then(() => (got += 1));
    await settle();
    expect(got).toBe(0);
    held[0]?.giveBack();
    await settle();
    expect([got, slots.free()]).toEqual([2, 0]);
  });

  it("has room for a batch of requests, and others only where a slot is free", async () => {
    const { slots } = await takeAll(["a", "a", "a", "b"]);
    await slots.share("q");
    await slots.share("q");
    expect([...slots.roomToShare(["q", "q", "r", "s"])]).toEqual([
      ["q", SLOT_SHARERS_MAX - 2],
      ["r", SLOT_SHARERS_MAX],
    ]);
    const sharers = Array.from({ length: SLOT_SHARERS_MAX }, () => slots.share("q"));
    await Promise.all(sharers);
    expect(slots.roomToShare(["q"]).get("q")).toBe(0);
  });

  it("says nothing of a target's room, whatever its name", async () => {
    const slots = createSlots();
    await slots.share("ci");
    expect(slots.room()).toEqual({});
  });
});
