import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { LoadOptions } from "./bench-options.ts";
import { ROUNDS_MAX, SECONDS_MAX, SENDERS_MAX, addLoadOptions, readNumber } from "./bench-options.ts";

function read(...args: readonly string[]): LoadOptions {
  const command = addLoadOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }), {
    seconds: 10,
    rounds: 3,
  });
  return command.parse([...args], { from: "user" }).opts();
}

describe("the options of a bench", () => {
  it("have defaults and take what is said", () => {
    expect(read()).toEqual({ seconds: 10, rounds: 3, senders: 64 });
    expect(read("--seconds", "1", "--json")).toMatchObject({ seconds: 1, json: true });
  });

  it.each([
    ["--seconds", SECONDS_MAX],
    ["--rounds", ROUNDS_MAX],
    ["--senders", SENDERS_MAX],
  ])("take %s up to %i and not beyond", (flag, max) => {
    expect(read(flag, String(max))).toMatchObject({ [flag.slice(2)]: max });
    expect(() => read(flag, String(max + 1))).toThrow(`Expected a number from 1 to ${max}`);
    expect(() => read(flag, "0")).toThrow();
  });

  it("are whole numbers", () => {
    for (const text of ["1.5", "ten", "-1", ""]) expect(() => readNumber(text, 10)).toThrow("Expected a number");
  });
});
