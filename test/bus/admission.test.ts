import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ADMISSION_WAIT_MS, ADMITTED_MAX, ADMITTED_MS_MAX, createAdmission } from "../../src/bus/admission.ts";
import { openInvocation } from "../support/invocations.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function openBench() {
  const admission = createAdmission();
  const ends: (() => void)[] = [];
  const admitted: string[] = [];
  return {
    admitted,
    deliver: (count: number) => {
      for (let n = 0; n < count; n++) {
        const { promise, resolve } = Promise.withResolvers<void>();
        void admission.during(promise, Date.now());
        ends.push(resolve);
      }
    },
    end: async (count: number) => {
      for (const end of ends.splice(0, count)) end();
      await vi.advanceTimersByTimeAsync(0);
    },
    come: async (...names: readonly string[]) => {
      for (const name of names) void admission.enter(openInvocation()).then(() => admitted.push(name));
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

it("lets everybody in at once while fewer than ADMITTED_MAX have deliveries under way", async () => {
  const { deliver, come, admitted } = openBench();
  deliver(ADMITTED_MAX - 1);
  await come("a", "b");
  expect(admitted).toEqual(["a", "b"]);
});

it("has others wait then, and lets in one for each that ends, in the order of their coming", async () => {
  const { deliver, come, end, admitted } = openBench();
  deliver(ADMITTED_MAX);
  await come("a", "b", "c");
  expect(admitted).toEqual([]);
  await end(1);
  expect(admitted).toEqual(["a"]);
  await end(2);
  expect(admitted).toEqual(["a", "b", "c"]);
});

it("keeps nobody for longer than ADMISSION_WAIT_MS", async () => {
  const { deliver, come, end, admitted } = openBench();
  deliver(ADMITTED_MAX + 1);
  await come("a", "b");
  await vi.advanceTimersByTimeAsync(ADMISSION_WAIT_MS - 1);
  expect(admitted).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(admitted).toEqual(["a", "b"]);
  await come("c");
  await end(1);
  expect(admitted).toEqual(["a", "b", "c"]);
});

it("counts none that is under way for longer than ADMITTED_MS_MAX: it waits for its target, or has died", async () => {
  const { deliver, come, admitted } = openBench();
  deliver(ADMITTED_MAX);
  await vi.advanceTimersByTimeAsync(ADMITTED_MS_MAX - 1);
  await come("a");
  expect(admitted).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await come("b");
  expect(admitted).toEqual(["b"]);
});

it("goes on after deliveries that fail", async () => {
  const admission = createAdmission();
  for (let n = 0; n < ADMITTED_MAX; n++) {
    await expect(admission.during(Promise.reject(new Error("lost")), 0)).rejects.toThrow("lost");
  }
  await expect(admission.enter(openInvocation())).resolves.toBeUndefined();
});
