import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SLOTS_MAX, SLOTS_PER_TARGET_MAX, createSlots } from "../../src/bus/slots.ts";

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
