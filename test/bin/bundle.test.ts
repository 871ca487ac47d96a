import { describe, expect, it } from "vitest";
import { bundleWorker } from "../../bin/local/bundle.ts";
import type { Json } from "../../src/core/result.ts";

/** The code of an error that the package `jsonata` knows. */
const OF_JSONATA = "T2002";
/** A part of this project's own engine, in its machine. */
const OF_REGULAR_EXPRESSIONS = "no-word-edge";

function workerWith(transform: Json): Promise<string> {
  const rule = { path: "default/x", bus: "default", pattern: { type: ["a"] }, transform, targets: [] };
  return bundleWorker({ version: "v", sources: [], targets: [], rules: [{ ...rule, mode: "live" }] });
}

describe("the Worker", () => {
  it("has JSONata, with its regular expressions, where a rule has an expression", async () => {
    const worker = await workerWith({ jsonata: "data.ref" });
    expect(worker).toContain(OF_JSONATA);
    expect(worker).toContain(OF_REGULAR_EXPRESSIONS);
  });

  it("is built without where no rule has one, and no other transform is mistaken for one", async () => {
    const worker = await workerWith({ constant: { jsonata: "data.ref" } });
    expect(worker).toContain("default/x");
    expect(worker).not.toContain(OF_JSONATA);
    expect(worker).not.toContain(OF_REGULAR_EXPRESSIONS);
  });
});
