import { describe, expect, it, vi } from "vitest";
import { once } from "../../src/core/once.ts";

describe("once", () => {
  it("makes a value when it is first asked for, and only then", () => {
    const make = vi.fn<() => object>(() => ({ n: 1 }));
    const value = once(make);
    expect(make).not.toHaveBeenCalled();
    expect(value()).toBe(value());
    expect(make).toHaveBeenCalledTimes(1);
  });

  it("keeps undefined, too", () => {
    const make = vi.fn<() => undefined>(() => undefined);
    const value = once(make);
    value();
    value();
    expect(make).toHaveBeenCalledTimes(1);
  });

  it("tries again after a failure", () => {
    const make = vi.fn<() => number>().mockImplementationOnce(() => {
      throw new Error("no");
    });
    const value = once(make.mockReturnValue(2));
    expect(value).toThrow("no");
    expect(value()).toBe(2);
  });
});
