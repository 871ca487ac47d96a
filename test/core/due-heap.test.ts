import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DueHeap } from "../../src/core/due-heap.ts";
import { createDueHeap } from "../../src/core/due-heap.ts";

function drain<Key>(heap: DueHeap<Key>): Key[] {
  const keys: Key[] = [];
  for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
    keys.push(first.key);
    heap.delete(first.key);
  }
  return keys;
}

describe("what is due next", () => {
  it("is the earliest, of equals the one with the lowest order, and nothing when nothing is left", () => {
    const heap = createDueHeap<string>();
    expect(heap.peek()).toBeUndefined();
    heap.set("late", 20);
    heap.set("second", 10, 2);
    heap.set("first", 10, 1);
    expect(heap.peek()).toMatchObject({ key: "first", at: 10 });
    expect(heap.size()).toBe(3);
    expect(drain(heap)).toEqual(["first", "second", "late"]);
    expect(heap.size()).toBe(0);
  });

  it("follows a key to its newest time, later or earlier, and one that went and came back", () => {
    const heap = createDueHeap<string>();
    heap.set("a", 10);
    heap.set("b", 20);
    heap.set("a", 30);
    expect(heap.peek()).toMatchObject({ key: "b", at: 20 });
    heap.set("a", 5);
    heap.delete("b");
    heap.set("b", 1);
    expect(drain(heap)).toEqual(["b", "a"]);
  });

  it("can be a time without an end, and a key twice set the same is there once", () => {
    const heap = createDueHeap<string>();
    heap.set("never", Number.POSITIVE_INFINITY);
    heap.set("a", 5, 1);
    heap.set("a", 5, 1);
    heap.delete("stranger");
    expect(heap.size()).toBe(2);
    expect(drain(heap)).toEqual(["a", "never"]);
  });

  it("is what a sorted list says, whatever was set and taken away", () => {
    const move = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("set"), key: fc.nat(30), at: fc.nat(8), order: fc.nat(3) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant("delete"), key: fc.nat(30), at: fc.nat(), order: fc.nat() }),
      },
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 300, size: "max" }), (moves) => {
        const heap = createDueHeap<number>();
        const model = new Map<number, { readonly at: number; readonly order: number }>();
        const earliest = () => [...model.values()].toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
        for (const { kind, key, at, order } of moves) {
          if (kind === "set") {
            heap.set(key, at, order);
            model.set(key, { at, order });
          } else {
            heap.delete(key);
            model.delete(key);
          }
          expect(heap.size()).toBe(model.size);
          const first = heap.peek();
          expect(first === undefined ? undefined : model.get(first.key)).toEqual(earliest());
        }
        const sorted = [...model.values()].toSorted((a, b) => a.at - b.at || a.order - b.order);
        const drained = drain(heap).map((key) => model.get(key));
        expect(drained).toEqual(sorted);
      }),
    );
  });

  it("costs no more than what is in it, however often its keys are moved", () => {
    let looks = 0;
    /** A time that knows how often it was compared. */
    const time = (ms: number) =>
      ({
        valueOf() {
          looks += 1;
          return ms;
        },
      }) as unknown as number;
    const heap = createDueHeap<number>();
    for (let round = 0; round < 1_000; round++) {
      for (let key = 0; key < 50; key++) heap.set(key, time(100_000 - round));
    }
    looks = 0;
    // A heap that had kept every old entry would look at them all when they come up at last.
    for (let key = 0; key < 50; key++) heap.delete(key);
    expect(heap.peek()).toBeUndefined();
    expect(looks).toBeLessThan(5_000);
  });
});
