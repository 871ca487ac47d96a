import { describe, expect, it } from "vitest";
import { FINDINGS_PER_RULE_MAX } from "../../../scripts/analysis/never-matches.ts";
import { checkFiles, findings as findingsIn } from "../../support/check-rules.ts";

const CODES = ["never-matches", "dead-branch", "dead-alternative", "unknown-type", "foreign-type"];
const findings = (pattern: string, more?: Parameters<typeof findingsIn>[2]) => findingsIn(CODES, pattern, more);

const HTTP = { "targets.yaml": "audit: { http: https://ci.acme.dev/ }\n" };
const ALSO_CLOUDEVENTS = {
  "sources.yaml":
    "github: { kind: github, secrets: [SECRET] }\nevents: { kind: cloudevents, auth: { bearer: [TOKEN] } }\n",
};

describe("types", () => {
  it("that GitHub doesn't have are errors, with the nearest one and the way to write a new one", async () => {
    expect(await findings("{ type: [com.github.pull_request.openned] }")).toEqual([
      '1:19 error unknown-type: GitHub sends no type "com.github.pull_request.openned"; did you mean "com.github.pull_request.opened"? If it was added lately, write { prefix: com.github.pull_request.openned }',
    ]);
    expect(await findings("{ type: [com.github.psh] }")).toEqual([
      expect.stringContaining('did you mean "com.github.push"?'),
    ]);
    expect(await findings("{ type: [com.github.something_new.done] }")).toEqual([
      expect.stringContaining('"com.github.something_new.done". If it was added lately, write {'),
    ]);
    expect(await findings("{ type: [{ prefix: com.github.pull_request.openned }] }")).toEqual([]);
  });
  it("that lack the action are told of those that have one", async () => {
    expect(await findings("{ type: [com.github.issues] }")).toEqual([
      expect.stringMatching(
        /write \{ prefix: com\.github\.issues\. \} for all of them, or one such as com\.github\.issues\./,
      ),
    ]);
    expect(await findings("{ type: [com.github.push.created] }")).toEqual([
      expect.stringContaining('did you mean "com.github.push"?'),
    ]);
  });
  it("of others than GitHub are errors where only GitHub sends, and warnings where replies or pipes may come", async () => {
    const pattern = "{ type: [pull_request.openned] }";
    expect(await findings(pattern)).toEqual([
      expect.stringMatching(/^1:19 error foreign-type: .*did you mean "com\.github\.pull_request\.opened"\?$/),
    ]);
    expect(await findings("{ type: [com.example.order.placed] }")).toEqual([
      expect.stringMatching(/^1:19 error foreign-type: .* no event has the type "com\.example\.order\.placed"$/),
    ]);
    expect(await findings(pattern, { files: HTTP })).toEqual([
      expect.stringMatching(/^1:19 warning foreign-type: .*only replies of targets may/),
    ]);
    // A chat's answer is no event.
    expect(await findings(pattern, { files: { "targets.yaml": "audit: { slack: SLACK_WEBHOOK_URL }\n" } })).toEqual([
      expect.stringMatching(/^1:19 error foreign-type: /),
    ]);
    const pipe = {
      "targets.yaml": "audit: { queue: AUDIT }\nback: { bus: default }\n",
      "shop/orders.yaml": "pattern: { type: [com.example.order.placed] }\ntargets: [back]\n",
    };
    expect(await findings(pattern, { files: pipe })).toEqual([
      expect.stringMatching(/^1:19 warning foreign-type: .*only events from other buses may/),
    ]);
    expect(await findings(pattern, { files: ALSO_CLOUDEVENTS })).toEqual([]);
  });
  it("that are no strings, or not there, are never met on any bus", async () => {
    for (const pattern of ["{ type: [5] }", "{ type: [{ exists: false }] }"]) {
      expect(await findings(pattern, { files: ALSO_CLOUDEVENTS })).toEqual([
        expect.stringContaining("error unknown-type"),
      ]);
    }
  });
  it("are held against GitHub's wherever they begin like them", async () => {
    expect(await findings("{ type: [com.github.psh] }", { files: ALSO_CLOUDEVENTS })).toHaveLength(1);
  });
  it("that a prefix misspells are warned of, but not those that it may know better", async () => {
    expect(await findings("{ type: [{ prefix: com.github.pull_requets. }] }")).toEqual([
      expect.stringMatching(/^1:19 warning unknown-type: .*did you mean "com\.github\.pull_request"\?$/),
    ]);
    for (const text of ["com.github.", "com.github.pull_", "com.github.issues.any", "com.github.quite_another."]) {
      expect(await findings(`{ type: [{ prefix: ${text} }] }`)).toEqual([]);
    }
  });
  it("of which one is wrong among others are a warning", async () => {
    expect(await findings("{ type: [com.github.push, com.github.psh] }")).toEqual([
      expect.stringMatching(/^1:36 warning dead-alternative: GitHub sends no type/),
    ]);
  });
});

describe("values", () => {
  const never = async (data: string, type = "com.github.pull_request.opened") =>
    findings(`{ type: [${type}], data: ${data} }`);

  it("that the type excludes are errors", async () => {
    expect(await never("{ action: [closed] }")).toEqual([
      '1:69 error never-matches: in an event of com.github.pull_request.opened, data.action is always "opened": "closed" is never met',
    ]);
    expect(await never("{ pull_request: { state: [closed] } }")).toHaveLength(1);
    expect(await never("{ action: [opened], pull_request: { state: [open] } }")).toEqual([]);
  });
  it("of another type than the field's are errors, with how to write them", async () => {
    expect(await never('{ pull_request: { draft: ["true"] } }')).toEqual([
      expect.stringMatching(/ is true or false: "true" is never met; write true without quotes$/),
    ]);
    expect(await never('{ number: ["5"] }')).toEqual([expect.stringMatching(/write 5 without quotes$/)]);
    expect(await never("{ ref: [1] }", "com.github.push")).toEqual([expect.stringMatching(/write it in quotes: "1"$/)]);
    expect(await never('{ ref: [{ numeric: [">", 0] }] }', "com.github.push")).toHaveLength(1);
    expect(await never("{ number: [{ prefix: a }] }")).toHaveLength(1);
    expect(await never("{ pull_request: { draft: [null] } }")).toHaveLength(1);
  });
  it("that are outside a list name the nearest one, and a prefix is the way out", async () => {
    expect(await never("{ sender: { type: [Usr] } }")).toEqual([
      expect.stringMatching(/did you mean "User"\? If GitHub has added it lately, write \{ prefix: Usr \}$/),
    ]);
    expect(await never("{ sender: { type: [{ prefix: Usr }] } }")).toEqual([]);
    expect(await never("{ sender: { type: [{ anything-but: [User] }] } }")).toEqual([]);
    expect(await never("{ pull_request: { state: [{ anything-but: [open] }] } }")).toEqual([
      expect.stringMatching(/anything-but excludes all of it$/),
    ]);
  });
  it("of objects are errors: their fields have to be named", async () => {
    expect(await never("{ repository: [{ exists: true }] }")).toEqual([expect.stringContaining("is an object")]);
    expect(await findings("{ data: [{ exists: true }] }")).toEqual([expect.stringContaining("data is an object")]);
  });
  it("that are always there can't be missing; others can", async () => {
    expect(await never("{ ref: [{ exists: false }] }", "com.github.push")).toEqual([
      expect.stringMatching(/data\.ref is always there: exists: false is never met$/),
    ]);
    expect(await never("{ head_commit: { id: [{ exists: false }] } }", "com.github.push")).toEqual([]);
    expect(await never("{ commits: { id: [{ exists: false }] } }", "com.github.push")).toEqual([]);
    expect(await never("{ organization: { login: [{ exists: false }] } }")).toEqual([]);
  });
  it("that people write are none of these", async () => {
    expect(
      await never("{ ref: [refs/heads/main, { prefix: refs/tags/ }], commits: { added: [a.ts] } }", "com.github.push"),
    ).toEqual([]);
    expect(
      await never(
        "{ label: { name: [bug] }, pull_request: { user: { type: [Bot] } } }",
        "com.github.pull_request.labeled",
      ),
    ).toEqual([]);
    expect(await never("{ workflow_run: { conclusion: [timed_out] } }", "com.github.workflow_run.completed")).toEqual(
      [],
    );
    expect(await never("{ client_payload: { any: [1] } }", "com.github.repository_dispatch.deploy")).toEqual([]);
    expect(await never("{ issue: { type: { name: [Bug] } } }", "com.github.issues.typed")).toEqual([]);
  });
  it("are all told at once", async () => {
    expect(await never('{ action: [closed], number: ["5"], pull_request: { draft: ["true"] } }')).toHaveLength(3);
  });
  it("of whole families and of all of GitHub's events are known too", async () => {
    expect(await findings("{ type: [{ prefix: com.github.issues. }], data: { action: [opend] } }")).toEqual([
      expect.stringMatching(/error never-matches: in an event of com\.github\.issues, .*did you mean "opened"\?/),
    ]);
    expect(await findings("{ data: { action: [{ numeric: ['=', 1] }] } }")).toHaveLength(1);
    expect(await findings("{ data: { action: [{ numeric: ['=', 1] }] } }", { files: HTTP })).toEqual([
      expect.stringContaining("warning never-matches"),
    ]);
    expect(await findings("{ data: { action: [{ numeric: ['=', 1] }] } }", { files: ALSO_CLOUDEVENTS })).toEqual([]);
  });
  it("are not judged where a transform makes the data", async () => {
    const files = {
      "targets.yaml": "audit: { queue: AUDIT }\nback: { bus: default }\n",
      "shop/orders.yaml":
        "pattern: { type: [com.github.push] }\ntransform: { constant: { ref: 1 } }\ntargets: [back]\n",
    };
    expect(await findings("{ type: [com.github.push], data: { ref: [1] } }", { files })).toEqual([]);
  });
});

describe("attributes", () => {
  it("are what CloudEvents says, on every bus", async () => {
    const all = { files: ALSO_CLOUDEVENTS };
    expect(await findings("{ specversion: ['0.3'] }", all)).toEqual([expect.stringContaining('always "1.0"')]);
    expect(await findings("{ eventType: [a] }", all)).toEqual([
      expect.stringContaining("lower-case letters and digits"),
    ]);
    expect(await findings("{ pull_request: { title: [a] } }", all)).toEqual([
      expect.stringMatching(/only data has fields below it; did you mean data\.pull_request\.title\?$/),
    ]);
    expect(await findings("{ dta: { ref: [a] } }", all)).toEqual([expect.stringMatching(/did you mean data\.ref\?$/)]);
    expect(await findings("{ id: [{ exists: false }] }", all)).toHaveLength(1);
    expect(
      await findings("{ partitionkey: [a], sluicehops: [{ exists: false }], subject: [{ exists: false }] }", all),
    ).toEqual([]);
  });
});

describe("names at the top that no event has", () => {
  const all = { files: ALSO_CLOUDEVENTS };
  it("are pointed at themselves, not at what stands below them", async () => {
    expect(await findings("{ type: [a], Data: { ref: [x] } }", all)).toEqual([
      expect.stringMatching(/^1:23 error never-matches: .*did you mean data\.ref\?$/),
    ]);
    expect(await findings("{ $or: [{ a: [1] }, { Data: { ref: [x] } }] }", all)).toEqual([
      expect.stringMatching(/^1:32 warning dead-branch/),
    ]);
  });
  it("that EventBridge or other routers have are told the names here", async () => {
    expect(await findings("{ detail: { ref: [x] } }", all)).toEqual([
      expect.stringMatching(/did you mean data\.ref\?$/),
    ]);
    expect(await findings("{ payload: { ref: [x] } }", all)).toEqual([
      expect.stringMatching(/did you mean data\.ref\?$/),
    ]);
    expect(await findings("{ detail-type: [x] }", all)).toEqual([expect.stringMatching(/; did you mean type\?$/)]);
    expect(await findings("{ Source: [x] }", all)).toEqual([expect.stringMatching(/; did you mean source\?$/)]);
  });
  it("are cut where they are long", async () => {
    for (const pattern of [
      `{ ${"x".repeat(2_000)}: { y: [1] } }`,
      `{ type: [com.github.push], data: { ${"x".repeat(2_000)}: [1] } }`,
    ]) {
      const [found] = await findingsIn([...CODES, "unknown-field"], pattern, all);
      expect(found?.length).toBeLessThan(600);
    }
  });
});

describe("types that read like GitHub's, where others send, too", () => {
  const all = { files: ALSO_CLOUDEVENTS };
  it.each([
    ["push", "com.github.push"],
    ["issues.opened", "com.github.issues.opened"],
    ["github.push", "com.github.push"],
    ["com.githb.push", "com.github.push"],
    ["COM.GITHUB.push", "com.github.push"],
    ["com.github:push", undefined],
    ["com.acme.push", undefined],
    ["com.acme.github.push", undefined],
    ["pushed", undefined],
    ["order.opened", undefined],
  ])("%s: did you mean %s?", async (type, meant) => {
    expect(await findings(`{ type: ["${type}"] }`, all)).toEqual(
      meant === undefined ? [] : [expect.stringMatching(`^1:19 warning unknown-type: .*did you mean "${meant}"\\?$`)],
    );
    const noGithub = { "sources.yaml": "events: { kind: cloudevents, auth: { bearer: [TOKEN] } }\n" };
    expect(await findings(`{ type: ["${type}"] }`, { files: noGithub })).toEqual([]);
  });
});

describe("branches", () => {
  it("that can't match are warnings while others can", async () => {
    const dead = "{ type: [com.github.issues.opened], data: { action: [closed] } }";
    expect(await findings(`{ $or: [{ type: [com.github.push] }, ${dead}] }`)).toEqual([
      expect.stringMatching(
        /^1:100 warning dead-branch: this branch can never match: .* data\.action is always "opened"/,
      ),
    ]);
    expect(await findings(`{ $or: [{ type: [com.github.psh] }, ${dead}] }`)).toEqual([
      expect.stringContaining("error unknown-type"),
      expect.stringContaining("error never-matches"),
    ]);
  });
  it("of two $or that exclude each other are nobody's mistake", async () => {
    const types = "$or: [{ type: [com.github.issues.opened] }, { type: [com.github.push] }]";
    expect(await findings(`{ ${types}, data: { $or: [{ action: [opened] }, { ref: [{ exists: false }] }] } }`)).toEqual(
      [],
    );
  });
});

describe("alternatives", () => {
  it("that are never met beside others that are", async () => {
    expect(
      await findings("{ type: [com.github.pull_request.closed], data: { pull_request: { state: [closed, opne] } } }"),
    ).toEqual([expect.stringMatching(/^1:92 warning dead-alternative: .*"opne" is never met$/)]);
    const twoTypes = "type: [com.github.pull_request.opened, com.github.pull_request.closed]";
    expect(await findings(`{ ${twoTypes}, data: { action: [opened] } }`)).toEqual([
      "1:51 warning dead-alternative: an event of com.github.pull_request.closed never meets the other fields",
    ]);
    expect(
      await findings("{ type: [com.github.push, com.github.create.tag], data: { pusher: { name: [a] } } }"),
    ).toEqual(["1:36 warning dead-alternative: an event of com.github.create.tag never has data.pusher.name"]);
  });
});

describe("findings", () => {
  it("are of rules that are live or shadow, not off", async () => {
    const pattern = "{ type: [com.github.psh] }";
    expect(await findings(pattern, { more: "mode: shadow\n" })).toHaveLength(1);
    expect(await findings(pattern, { more: "mode: off\n" })).toEqual([]);
  });
  it("of one rule are limited", async () => {
    const types = Array.from({ length: FINDINGS_PER_RULE_MAX + 1 }, (_, index) => `com.github.psh${index}`);
    expect(await findings(`{ type: [${types.slice(1).join(", ")}] }`)).toHaveLength(FINDINGS_PER_RULE_MAX);
    expect(await findings(`{ type: [${types.join(", ")}] }`)).toHaveLength(FINDINGS_PER_RULE_MAX);
  });
  it("are none of the project's own rules", async () => {
    const { checkFolder } = await import("../../../scripts/check-folder.ts");
    const { RULES_DIR } = await import("../../../scripts/generate.ts");
    const { problems } = await checkFolder(RULES_DIR);
    expect(problems.filter(({ code }) => CODES.includes(code ?? ""))).toEqual([]);
    expect(
      await checkFiles({ "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [audit]\n" }),
    ).toEqual([]);
  });
});
