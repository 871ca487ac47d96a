import { describe, expect, it } from "vitest";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { Asker } from "../../src/targets/_shared-value.ts";
import { createSharedValue } from "../../src/targets/_shared-value.ts";

type Answer = Result<{ readonly value: string; readonly until: number }, string>;

/** A shared value whose questions are answered by hand. */
function openBench() {
  const shared = createSharedValue<string, string>();
  const asked: ((answer: Answer) => void)[] = [];
  const get = (now: number, more: Partial<Asker<string, string>> = {}) => {
    const ask = () => new Promise<Answer>((resolve) => void asked.push(resolve));
    return shared.get({ now, signal: new AbortController().signal, timeoutMs: 1_000, ask, ...more });
  };
  return { shared, asked, get };
}

describe("a shared value", () => {
  it("is asked for once, and kept until its time is over", async () => {
    const { asked, get } = openBench();
    const both = Promise.all([get(0), get(5)]);
    expect(asked).toHaveLength(1);
    asked[0]?.(ok({ value: "a", until: 100 }));
    const kept = ok({ value: "a", until: 100, askedAt: 0 });
    expect(await both).toEqual([kept, kept]);
    expect(await get(99)).toEqual(kept);
    const next = get(100);
    expect(asked).toHaveLength(2);
    asked[1]?.(ok({ value: "b", until: 200 }));
    expect(await next).toMatchObject({ value: { value: "b", askedAt: 100 } });
  });

  it("is asked for again after a failure, which all have that waited for it", async () => {
    const { asked, get } = openBench();
    const both = Promise.all([get(0), get(0)]);
    asked[0]?.(err("no"));
    expect(await both).toEqual([err("no"), err("no")]);
    void get(0);
    expect(asked).toHaveLength(2);
  });

  it("lets nobody wait longer than his own signal", async () => {
    const { get } = openBench();
    void get(0);
    expect(await get(0, { signal: AbortSignal.abort() })).toBe("late");
  });

  it("is asked for anew when the time of a question that never ends is over", async () => {
    const { asked, get } = openBench();
    void get(0);
    void get(999);
    expect(asked).toHaveLength(1);
    const second = get(1_000);
    expect(asked).toHaveLength(2);
    asked[1]?.(ok({ value: "b", until: 5_000 }));
    expect(await second).toMatchObject({ value: { value: "b" } });
  });

  it("is dropped only while it is the one that is kept", async () => {
    const { shared, asked, get } = openBench();
    const first = get(0);
    asked[0]?.(ok({ value: "a", until: 10 }));
    const old = await first;
    const second = get(10);
    asked[1]?.(ok({ value: "b", until: 20 }));
    await second;
    if (old === "late" || !old.ok) throw new Error("there is one");
    shared.drop(old.value);
    expect(await get(11)).toMatchObject({ value: { value: "b" } });
    const kept = await get(11);
    if (kept === "late" || !kept.ok) throw new Error("there is one");
    shared.drop(kept.value);
    void get(11);
    expect(asked).toHaveLength(3);
  });

  it("survives an asker that throws", async () => {
    const { asked, get } = openBench();
    await expect(get(0, { ask: () => Promise.reject(new Error("a bug")) })).rejects.toThrow("a bug");
    void get(0);
    expect(asked).toHaveLength(1);
  });
});
