import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Explanation } from "../../src/core/explain.ts";
import { BODY_CHARS_MAX } from "../../bin/shown-explanation.ts";
import { startServer } from "../support/http-server.ts";
import { runSluice } from "./run-sluice.ts";

const SOURCES = "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }\n";

const FILES: Readonly<Record<string, string>> = {
  "rules/sources.yaml": SOURCES,
  "rules/targets.yaml": `
ci: { http: "https://ci.acme.dev/hooks", sign: CI_SIGNING_SECRET, headers: { Authorization: { secret: CI_TOKEN } } }
`,
  "rules/default/order.yaml":
    "pattern: { type: [com.acme.order], data: { total: [{ numeric: ['>=', 5] }] } }\ntargets: [ci]\n",
  "rules/default/title.yaml": "pattern: { data: { title: [{ exists: true }] } }\ntargets: [ci]\n",
  "rules/default/watched.yaml":
    "pattern: { type: [com.acme.order] }\ntransform: { path: $.data.total }\ntargets: [ci]\nmode: shadow\n",
  "rules/default/asleep.yaml": "pattern: { type: [com.acme.order] }\ntargets: [ci]\nmode: off\n",
  "order.json": '{"type":"com.acme.order","data":{"total":12345678901234567890,"note":{"title":"x"}}}',
  "order.yaml": "type: com.acme.order\ndata: { total: 7 }\n",
  "other.json": '{"type":"t","data":{"title":"a\u009b2Jb"}}',
  "long.json": `{"type":"com.acme.order","data":{"total":5,"text":"${"x".repeat(BODY_CHARS_MAX)}"}}`,
  "wrong.json": '{"type":"com.acme.order"',
  "steers.json": '{"type":"t","b\\u001b[2J":1}',
  "untyped.json": '{"ref":"refs/heads/main"}',
  "wrong/sources.yaml": SOURCES,
  "wrong/targets.yaml": "ci: { http: https://ci.acme.dev/hooks }\n",
  "wrong/default/order.yaml": "pattern: { type: [x] }\ntargts: [ci]\n",
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-explain-"));
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const explain = (...args: readonly string[]) => runSluice(["explain", ...args], { cwd: dir });

async function explained(...args: readonly string[]): Promise<Explanation> {
  const { code, stdout, stderr } = await explain(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Explanation;
}

describe("explain of an event in a file", () => {
  it("shows what matched with its requests, then each other rule with its reason", async () => {
    const { code, stdout, stderr } = await explain("order.json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const request = `
    ce-specversion: 1.0
    ce-id: example
    ce-source: /example
    ce-type: com.acme.order
    content-type: application/json
    user-agent: Sluice/1
    authorization: <secret CI_TOKEN>
    webhook-id: <delivery id>
    webhook-timestamp: <time of sending>
    webhook-signature: <signed with CI_SIGNING_SECRET>
`;
    expect(stdout).toBe(`event    com.acme.order, id example, source /example
matched  3 of 4 rules

default/asleep would match, but its mode is off: type is "com.acme.order"

default/order matches: type is "com.acme.order"; data.total is 12345678901234567000 (a number >= 5)
  ci: POST https://ci.acme.dev/hooks${request}
    {"total":12345678901234567890,"note":{"title":"x"}}

default/watched matches, but its mode is shadow, so nothing of this is sent: type is "com.acme.order"
  ci: POST https://ci.acme.dev/hooks${request}
    12345678901234567000

default/title does not match: data.title: expected any value, found no such field; the nearest in this event is data.note.title
`);
  });

  it("reads YAML, standard input, and only one rule", async () => {
    expect(await explained("order.yaml", "--rule", "default/order")).toMatchObject({
      bus: null,
      rules: [{ rule: "default/order", matched: true, deliveries: [{ request: { body: '{"total":7}' } }] }],
    });
    for (const args of [[], ["-"]]) {
      const run = await runSluice(["explain", ...args, "--json"], { cwd: dir, input: FILES["order.json"] ?? "" });
      expect(JSON.parse(run.stdout)).toMatchObject({ event: { type: "com.acme.order" } });
    }
  });

  it("cuts long bodies unless --full is given", async () => {
    const cut = (await explain("long.json", "--rule", "default/order")).stdout;
    expect(cut).not.toContain("x".repeat(BODY_CHARS_MAX));
    expect(cut).toMatch(/… \d+ characters more: --full shows all/);
    const full = (await explain("long.json", "--rule", "default/order", "--full")).stdout;
    expect(full).toContain("x".repeat(BODY_CHARS_MAX));
    expect(full).not.toContain("--full");
  });

  it("lets no text of an event steer the terminal", async () => {
    const { stdout } = await explain("other.json", "--rule", "default/title");
    expect(stdout).toContain('data.title is "a 2Jb"');
    expect(stdout).toContain('{"title":"a 2Jb"}');
    expect(stdout).not.toContain("\u009b");
  });
});

describe("explain of a GitHub payload", () => {
  it("takes a published example, and the file of a payload as it stands", async () => {
    expect(await explained("--github", "pull_request", "--action", "closed")).toMatchObject({
      event: { type: "com.github.pull_request.closed" },
    });
    expect(await explained("untyped.json", "--github", "push", "--bus", "default")).toMatchObject({
      bus: "default",
      event: { type: "com.github.push" },
    });
  });
});

describe("explain that can't", () => {
  it.each([
    [["wrong.json"], 1, /^error: wrong\.json: expected JSON:/],
    [["untyped.json"], 1, /^error: untyped\.json: .*type[^]*goes with the event's name: --github push/],
    [["missing.json"], 1, /missing\.json can't be read \(ENOENT\)/],
    [["steers.json"], 1, /^error: steers\.json: the event is no CloudEvent: b \[2J: [^\u001b\u009b]*$/],
    [["/dev/zero"], 1, /\/dev\/zero is larger than \d+ bytes/],
    [
      ["order.json", "--rules", "wrong"],
      1,
      /order\.yaml:2:1: error: unknown key "targts"; did you mean "targets"[^]*mistakes? in the rule files of wrong/,
    ],
    [["order.json", "--rule", "default/ordr"], 2, /unknown rule "default\/ordr"; did you mean "default\/order"/],
    [["order.json", "--bus", "defualt"], 2, /unknown bus "defualt"; did you mean "default"/],
    [["order.json", "--action", "opened"], 2, /--action and --example choose among GitHub's published examples/],
    [["--github", "psh"], 2, /unknown event "psh"; did you mean "push"/],
    [["evt_x", "--bus", "default"], 2, /an accepted one has both already/],
  ])("%j exits with %i and says why", async (args, code, said) => {
    const run = await explain(...args);
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toMatch(said);
  });
});

it("explain of a receipt asks the router, and shows what its rules say", async () => {
  const explanation: Explanation = {
    receipt: "evt_x",
    bus: "default",
    event: { id: "1", source: "/s", type: "t" },
    rules: [
      {
        rule: "default/a",
        mode: "live",
        matched: false,
        reason: { kind: "value", path: "type", expected: '"x"', found: '"t"', text: 'type: expected "x", found "t"' },
        deliveries: [],
      },
    ],
  };
  const server = await startServer((response) => response.end(JSON.stringify({ version: "r1", ...explanation })));
  try {
    const args = ["explain", "evt_x", "--rule", "default/a", "--to", new URL(server.url).origin];
    const run = await runSluice(args, { cwd: dir, env: { ADMIN_TOKEN: "admin-token" } });
    expect(run).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "receipt  evt_x\nevent    t, id 1, source /s\nmatched  0 of 1 rule of bus default\n\n" +
        'default/a does not match: type: expected "x", found "t"\n',
    });
    expect(server.requests[0]?.path).toBe("/api/explain/evt_x?rule=default%2Fa");
    expect(server.requests[0]?.headers["authorization"]).toBe("Bearer admin-token");
  } finally {
    await server.close();
  }
});
