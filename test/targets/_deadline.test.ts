import { describe, expect, it } from "vitest";
import { beforeDeadline } from "../../src/targets/_deadline.ts";

describe("work before a deadline", () => {
  it("yields its value and leaves no listener on the signal", async () => {
    const { signal, added, removed } = countingSignal();
    expect(await beforeDeadline(Promise.resolve(7), signal)).toEqual({ late: false, value: 7 });
    expect(added()).toBe(1);
    expect(removed()).toBe(1);
  });

  it("is late once the signal aborts, though it never ends", async () => {
    expect(await beforeDeadline(new Promise(() => {}), AbortSignal.timeout(10))).toEqual({ late: true });
  });

  it("is late at once when the signal aborted before", async () => {
    expect(await beforeDeadline(new Promise(() => {}), AbortSignal.abort())).toEqual({ late: true });
  });

  it("is late, not failed, when the abort is why it failed", async () => {
    const controller = new AbortController();
    const work = new Promise((_, reject) => controller.signal.addEventListener("abort", () => reject(new Error("x"))));
    setTimeout(() => controller.abort(), 5);
    expect(await beforeDeadline(work, controller.signal)).toEqual({ late: true });
  });

  it("throws what the work throws in time", async () => {
    await expect(beforeDeadline(Promise.reject(new Error("no")), AbortSignal.timeout(1_000))).rejects.toThrow("no");
  });

  it("hands over a value that comes too late", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const discarded: string[] = [];
    expect(await beforeDeadline(promise, AbortSignal.abort(), (value) => discarded.push(value))).toEqual({
      late: true,
    });
    resolve("late value");
    await new Promise((done) => setTimeout(done, 1));
    expect(discarded).toEqual(["late value"]);
  });
});

function countingSignal() {
  const { signal } = new AbortController();
  let added = 0;
  let removed = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...parameters: Parameters<typeof add>) => {
    added++;
    add(...parameters);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((...parameters: Parameters<typeof remove>) => {
    removed++;
    remove(...parameters);
  }) as typeof signal.removeEventListener;
  return { signal, added: () => added, removed: () => removed };
}
