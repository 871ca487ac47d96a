import { describe, expect, it } from "vitest";
import { checkFiles } from "../support/check-rules.ts";

const GOOD = "pattern: { type: [com.github.push] }\ntargets: [audit]\n";

/** The places and codes of what is found. */
async function placesIn(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await checkFiles({ "default/good.yaml": GOOD, ...files })).map(([place]) => place);
}

describe("a mistake is said once", () => {
  it("where a key that must be there is misspelt", async () => {
    expect(
      await placesIn({ "default/a.yaml": "patern: { type: [com.github.star.created] }\ntargets: [audit]\n" }),
    ).toEqual(["default/a.yaml:1:1 error -"]);
    expect(
      await checkFiles({ "default/a.yaml": GOOD, "sources.yaml": "github: { kin: github, secrets: [SECRET] }\n" }),
    ).toEqual([["sources.yaml:1:11 error -", 'unknown key "kin"; did you mean "kind"? (known: kind, bus, gzip)']]);
    expect(await placesIn({ "sources.yaml": "github: { kind: github, secret: [SECRET] }\n" })).toEqual([
      "sources.yaml:1:25 error -",
    ]);
    expect(await placesIn({ "sources.yaml": "github: { kind: cloudevents, auth: { baerer: [TOKEN] } }\n" })).toEqual([
      "sources.yaml:1:38 error -",
    ]);
    expect(await placesIn({ "sources.yaml": "github: { kind: cloudevents, auht: { bearer: [TOKEN] } }\n" })).toEqual([
      "sources.yaml:1:30 error -",
    ]);
  });

  it("where nobody knows the targets, because their file can't be read", async () => {
    expect(await placesIn({ "targets.yaml": "audit: { queue: AUDIT\n" })).toEqual(["targets.yaml:1:22 error -"]);
  });

  it("where a source that can't be read may send what a rule waits for", async () => {
    const sources = "github: { kind: github, secrets: [SECRET] }\nevents: { kind: cloudevents, auth: nobody }\n";
    const rule = "pattern: { type: [com.acme.order] }\ntargets: [audit]\n";
    expect(await placesIn({ "sources.yaml": sources, "default/orders.yaml": rule })).toEqual([
      "sources.yaml:2:36 error -",
    ]);
    expect(await placesIn({ "sources.yaml": `${sources}x: [\n`, "default/orders.yaml": rule })).toHaveLength(1);
  });
});

describe("all mistakes of a rule are said at once", () => {
  it("also what no event meets, in a rule that has a mistake elsewhere", async () => {
    const rule = [
      "pattern: { type: [com.github.psh] }",
      "targets: [audit, adit]",
      "mode: shdow",
      "transform: { path: $.data.x, requird: true }",
    ];
    expect(await placesIn({ "default/a.yaml": rule.join("\n") })).toEqual([
      "default/a.yaml:1:19 error unknown-type",
      "default/a.yaml:2:18 error -",
      "default/a.yaml:3:7 error -",
      "default/a.yaml:4:30 error -",
    ]);
    const unknown =
      "pattern: { type: [com.github.push], data: { reff: [x] } }\ntargets: [adit]\ntransform: { path: $.ref }\n";
    expect(await placesIn({ "default/a.yaml": unknown })).toEqual([
      "default/a.yaml:1:45 warning unknown-field",
      "default/a.yaml:2:11 error -",
      "default/a.yaml:3:20 warning unknown-field",
    ]);
  });

  it("but not of a rule that is off", async () => {
    const rule = "pattern: { type: [com.github.psh] }\ntargets: [adit]\nmode: off\n";
    expect(await placesIn({ "default/a.yaml": rule })).toEqual(["default/a.yaml:2:11 error -"]);
  });
});
