import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { BODY_BYTES_MAX } from "../../src/http/body.ts";
import {
  FANOUT_MAX,
  ISOLATES_MAX,
  LOG_DAYS_MAX,
  RATE_MAX,
  SIZE_BYTES_MIN,
  costCommand,
  readSize,
  wholeFrom,
} from "./cost-options.ts";

function optionsOf(...args: readonly string[]) {
  let said = "";
  const command = costCommand()
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (said += text), writeOut: (text) => void (said += text) });
  try {
    return {
      options: command
        .action(() => {})
        .parse([...args], { from: "user" })
        .opts(),
      said,
    };
  } catch {
    return { options: undefined, said };
  }
}

describe("a size", () => {
  it.each([
    ["10kB", 10_000],
    ["10KB", 10_000],
    ["10KiB", 10_240],
    ["10 kB", 10_000],
    ["1.5kB", 1_500],
    ["1MiB", BODY_BYTES_MAX],
    ["1MB", 1_000_000],
    [`${SIZE_BYTES_MIN}B`, SIZE_BYTES_MIN],
    ["2000", 2_000],
  ])("of %s has %i bytes", (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  it.each(["", "kB", "ten kB", "10kb/s", "1e4", "-1kB", "10 constructor", "1,000B"])("is not %j", (text) => {
    expect(() => readSize(text)).toThrow(InvalidArgumentError);
    expect(() => readSize(text)).toThrow("Expected a size such as 10kB, 10KiB or 500B.");
  });

  it("is guessed where only the unit's letters are in the wrong case", () => {
    expect(() => readSize("10kb")).toThrow("Did you mean 10kB?");
    expect(() => readSize("1mib")).toThrow("Did you mean 1MiB?");
  });

  it("is at least a webhook's and at most what stays in a partition", () => {
    expect(() => readSize(`${SIZE_BYTES_MIN - 1}B`)).toThrow("Expected 256B to 1MiB.");
    expect(() => readSize(`${BODY_BYTES_MAX + 1}B`)).toThrow("A larger body goes to R2");
  });
});

describe("the options of the cost model", () => {
  it("are two targets, 10 kB, 100 events a second and 14 days, unless said", () => {
    expect(optionsOf().options).toEqual({ fanout: 2, size: 10_000, rate: 100, isolates: 1, logDays: 14 });
  });

  it("are read", () => {
    const { options } = optionsOf("--fanout", "5", "--size", "2KiB", "--rate", "300", "--log-days", "0", "--json");
    expect(options).toEqual({ fanout: 5, size: 2_048, rate: 300, isolates: 1, logDays: 0, json: true });
  });

  it.each([
    ["--fanout", FANOUT_MAX],
    ["--rate", RATE_MAX],
    ["--isolates", ISOLATES_MAX],
    ["--log-days", LOG_DAYS_MAX],
  ])("end with %s %i", (name, max) => {
    expect(optionsOf(name, String(max)).options).toBeDefined();
    expect(optionsOf(name, String(max + 1)).said).toContain(`Expected a whole number from`);
  });

  it("say which one was meant", () => {
    expect(optionsOf("--fan-out", "2").said).toContain("Did you mean --fanout?");
    expect(optionsOf("--help").said).toContain("npm run cost -- --fanout 2 --size 10kB");
  });

  it("take whole numbers only", () => {
    const read = wholeFrom(1, 10);
    expect([read("1"), read("10")]).toEqual([1, 10]);
    for (const text of ["0", "11", "1.5", "1e1", "", " 2", "0x2"]) expect(() => read(text)).toThrow("from 1 to 10");
  });
});
