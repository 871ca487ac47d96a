import { describe, expect, it } from "vitest";
import { FINDINGS_PER_RULE_MAX } from "../../../scripts/analysis/unknown-fields.ts";
import { findings as findingsIn } from "../../support/check-rules.ts";

const findings = (pattern: string, more?: Parameters<typeof findingsIn>[2]) =>
  findingsIn(["unknown-field"], pattern, more);
const OPENED = "type: [com.github.pull_request.opened]";

describe("fields of patterns", () => {
  it("that no payload of the type has are warnings, at the field's name", async () => {
    expect(await findings(`{ ${OPENED}, data: { pull_request: { titel: [a] } } }`)).toEqual([
      "1:76 warning unknown-field: no event of com.github.pull_request.opened has data.pull_request.titel; did you mean data.pull_request.title?",
    ]);
  });
  it("that stand elsewhere in the payload are found there", async () => {
    expect(await findings(`{ ${OPENED}, data: { title: [a] } }`)).toEqual([
      expect.stringMatching(/did you mean data\.pull_request\.title\?$/),
    ]);
    expect(await findings(`{ ${OPENED}, data: { base: { ref: [main] } } }`)).toEqual([
      expect.stringMatching(/did you mean data\.pull_request\.base\.ref\?$/),
    ]);
  });
  it("that lack data above them are told so", async () => {
    expect(await findings(`{ ${OPENED}, action: [opened] }`)).toEqual([
      expect.stringMatching(/did you mean data\.action\?$/),
    ]);
    expect(await findings("{ dta: [a] }")).toEqual([
      expect.stringMatching(/no event from GitHub has dta; did you mean data\?$/),
    ]);
  });
  it("that look like nothing are told what there is", async () => {
    expect(await findings(`{ ${OPENED}, data: { qqqqq: [a] } }`)).toEqual([
      expect.stringMatching(/has data\.qqqqq \(data has action, number, pull_request, .*\)$/),
    ]);
  });
  it("are right when one of the types has them", async () => {
    const both = "type: [com.github.push, com.github.pull_request.opened]";
    expect(await findings(`{ ${both}, data: { ref: [a] } }`)).toEqual([]);
    expect(await findings(`{ ${both}, data: { rf: [a] } }`)).toEqual([
      expect.stringContaining("no event of com.github.push or com.github.pull_request.opened has data.rf"),
    ]);
  });
  it("of rules without types are held against all of GitHub's events", async () => {
    expect(await findings("{ data: { repository: { ful_name: [a] }, sender: { login: [a] } } }")).toEqual([
      expect.stringMatching(
        /no event from GitHub has data\.repository\.ful_name; did you mean data\.repository\.full_name\?$/,
      ),
    ]);
    expect(await findings("{ type: [{ prefix: com.github.issues. }], data: { issue: { titel: [a] } } }")).toEqual([
      expect.stringContaining("no event of com.github.issues has data.issue.titel"),
    ]);
  });
  it("of $or are held against the types of their own branch", async () => {
    const pattern =
      "{ $or: [{ type: [com.github.push], data: { ref: [a] } }, { type: [com.github.fork], data: { ref: [a] } }] }";
    expect(await findings(pattern)).toEqual([expect.stringContaining("no event of com.github.fork has data.ref")]);
  });
  it("of a rule that can't match for another reason are told as well", async () => {
    expect(await findings(`{ ${OPENED}, data: { action: [closed], titel: [a] } }`)).toHaveLength(1);
  });
  it("are anybody's on a bus with other sources, or behind a transform", async () => {
    const files = {
      "sources.yaml":
        "github: { kind: github, secrets: [SECRET] }\nevents: { kind: cloudevents, auth: { bearer: [TOKEN] } }\n",
    };
    expect(await findings("{ data: { repo: [a] }, shop: [a] }", { files })).toEqual([]);
    expect(await findings(`{ ${OPENED}, data: { repo: [a] } }`, { files })).toHaveLength(1);
    const piped = {
      "targets.yaml": "audit: { queue: AUDIT }\nback: { bus: default }\n",
      "shop/orders.yaml":
        "pattern: { type: [com.github.push] }\ntransform: { constant: { repo: 1 } }\ntargets: [back]\n",
    };
    expect(await findings(`{ ${OPENED}, data: { repo: [a] } }`, { files: piped })).toEqual([]);
  });
  it("of types without a schema are not judged", async () => {
    expect(await findings("{ type: [com.github.issues.typed], data: { type: { name: [Bug] } } }")).toEqual([]);
  });
  it("that GitHub adds to every payload are known", async () => {
    expect(await findings(`{ ${OPENED}, data: { enterprise: { slug: [a] }, organization: { login: [a] } } }`)).toEqual(
      [],
    );
    expect(await findings(`{ ${OPENED}, sluicehops: [{ exists: false }], subject: ["1"] }`)).toEqual([]);
  });
  it("of rules that are off are nobody's business", async () => {
    expect(await findings(`{ ${OPENED}, data: { titel: [a] } }`, { more: "mode: off\n" })).toEqual([]);
  });
  it("are shown up to a number for each rule", async () => {
    const fields = (count: number) => Array.from({ length: count }, (_, index) => `qqqq${index}: [a]`).join(", ");
    const shown = async (count: number) => (await findings(`{ ${OPENED}, data: { ${fields(count)} } }`)).length;
    expect(await shown(FINDINGS_PER_RULE_MAX)).toBe(FINDINGS_PER_RULE_MAX);
    expect(await shown(FINDINGS_PER_RULE_MAX + 1)).toBe(FINDINGS_PER_RULE_MAX);
  });
});

describe("paths of transforms", () => {
  it("are checked like fields", async () => {
    expect(await findings(`{ ${OPENED} }`, { more: "transform: { path: $.data.title }\n" })).toEqual([
      "3:20 warning unknown-field: no event of com.github.pull_request.opened has $.data.title; did you mean $.data.pull_request.title?",
    ]);
    const template = "{ a: $.data.number, b: { path: $.data.nmber }, c: '$.data.pull_request.labels[0].name' }";
    expect(
      await findings(`{ ${OPENED} }`, {
        more: `transform: { template: { paths: ${template}, body: [<a>, <b>, <c>] } }\n`,
      }),
    ).toEqual([expect.stringMatching(/^3:64 .*did you mean \$\.data\.number\?$/)]);
  });
  it("may name objects, lists, and the event itself", async () => {
    for (const path of ["$", "$.data", "$.data.pull_request", "'$.data.pull_request.labels[*]'", "$.type"]) {
      expect(await findings(`{ ${OPENED} }`, { more: `transform: { path: ${path} }\n` })).toEqual([]);
    }
  });
});
