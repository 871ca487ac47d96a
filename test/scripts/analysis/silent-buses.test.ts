import { describe, expect, it } from "vitest";
import { silentBuses } from "../../../scripts/analysis/silent-buses.ts";
import type { InputParts } from "../../support/rules-input.ts";
import { inputOf } from "../../support/rules-input.ts";

const PATTERN = { type: ["com.github.push"] };
const HTTP = { http: "https://ci.acme.dev" };

function found(parts: InputParts) {
  return silentBuses(inputOf(parts));
}

describe("a bus that nothing comes to", () => {
  it("is told once, at its first rule, with the nearest bus", () => {
    const rules = {
      "default/a": { pattern: PATTERN, targets: ["ci"] },
      "defualt/b": { pattern: PATTERN, targets: ["ci"] },
      "defualt/c": { pattern: PATTERN, targets: ["ci"] },
    };
    expect(found({ rules, targets: { ci: HTTP } })).toEqual([
      {
        file: "rule defualt/b: ",
        line: 1,
        column: 1,
        severity: "warning",
        code: "silent-bus",
        message:
          "nothing comes to the bus defualt: no source has bus: defualt, and no rule of another bus sends to a target { bus: defualt }; did you mean default?",
      },
    ]);
  });

  it("may be one that only its own rules send to", () => {
    const rules = { "shop/a": { pattern: PATTERN, targets: ["to-shop"] } };
    expect(found({ rules, targets: { "to-shop": { bus: "shop" } } })).toHaveLength(1);
  });

  it("is none that a rule of another bus sends to", () => {
    const rules = {
      "default/a": { pattern: PATTERN, targets: ["to-shop"] },
      "shop/b": { pattern: PATTERN, targets: ["ci"] },
    };
    expect(found({ rules, targets: { "to-shop": { bus: "shop" }, ci: HTTP } })).toEqual([]);
  });

  it("is none that a source names, nor one without rules", () => {
    const rules = { "shop/b": { pattern: PATTERN, targets: ["ci"] } };
    const sources = [
      ["cloudevents", "shop"],
      ["github", "default"],
    ] as const;
    expect(found({ rules, targets: { ci: HTTP }, sources })).toEqual([]);
  });

  it("is not told while something could not be read", () => {
    const parts: InputParts = { rules: { "shop/b": { pattern: PATTERN, targets: [] } } };
    expect(found(parts)).toHaveLength(1);
    expect(silentBuses({ ...inputOf(parts), hasErrors: true })).toEqual([]);
  });
});
