import { describe, expect, it } from "vitest";
import { formatMutations, isAsExpected, plant, runMutations } from "./mutate.ts";
import { MUTATIONS } from "./mutations.ts";

describe("planted bugs", () => {
  it("are caught by the simulation, every one, and the source without them passes", { timeout: 900_000 }, async () => {
    const results = await runMutations(MUTATIONS);
    console.log(formatMutations(results));
    expect(results.filter((result) => !isAsExpected(result))).toEqual([]);
    expect(results).toHaveLength(MUTATIONS.length + 1);
  });

  it("have a name each, and change something", () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
    expect(MUTATIONS.filter(({ find, replace }) => find === replace)).toEqual([]);
  });

  it("must fit the source: a text that is gone or stands twice is an error", () => {
    const mutation = { name: "one", breaks: "It.", file: "a.ts", find: "b", replace: "c" };
    expect(plant("abd", mutation)).toBe("acd");
    expect(() => plant("ad", mutation)).toThrow("exactly once in src/a.ts");
    expect(() => plant("abdb", mutation)).toThrow("exactly once in src/a.ts");
  });
});
