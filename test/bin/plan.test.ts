/** `sluice plan` on folders, and on a router that runs. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAN_EVENTS_MAX } from "../../bin/options.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { SECRETS, createWorkspace } from "../support/router-process.ts";
import { runSluice } from "./run-sluice.ts";

const START_TIMEOUT_MS = 20_000;
const SOURCES = "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }\n";
const TARGETS = 'ci: { http: "https://ci.example.com/hook-4711" }\naudit: { http: "https://audit.example.com/" }\n';
const ALL = "pattern: { source: [{ exists: true }] }\ntargets: [audit]\n";
const orders = (word: string, more = "") =>
  `pattern: { type: [order${more}] }\ntargets: [ci]\ntransform: { template: { paths: { n: $.data.n }, body: { ${word}: <n> } } }\n`;

type Files = Readonly<Record<string, string>>;

async function writeFiles(dir: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(dir, path, ".."), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

const rulesWith = (rules: Files): Files => ({ "sources.yaml": SOURCES, "targets.yaml": TARGETS, ...rules });
const eventText = (id: string, type: string, n: number) =>
  JSON.stringify({ specversion: "1.0", id, source: "/s", type, data: { n } });

interface PlanJson {
  readonly changes: boolean;
  readonly summary: Readonly<Record<string, unknown>>;
  readonly rules: readonly { readonly path: string; readonly live: { readonly newlyMatched: unknown } }[];
  readonly targets: readonly unknown[];
}

describe("a plan of folders", () => {
  let dir: string;
  const plan = (...args: readonly string[]) =>
    runSluice(["plan", "--events", "events", "--against", "before", "--rules", "after", ...args], { cwd: dir });
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-plan-"));
    const before = rulesWith({
      "default/all.yaml": ALL,
      "default/orders.yaml": orders("was"),
      "default/gone.yaml": ALL,
    });
    const after = rulesWith({
      "targets.yaml": TARGETS.replace("4711", "4712"),
      "default/all.yaml": ALL,
      "default/new.yaml": "pattern: { type: [refund] }\ntargets: [ci]\nmode: shadow\n",
      "default/orders.yaml": orders("is", ", refund"),
    });
    await writeFiles(join(dir, "before"), before);
    await writeFiles(join(dir, "after"), after);
    await writeFiles(join(dir, "events"), {
      "1.json": `{\n${eventText("a", "order", 1).slice(1)}`,
      "2.ndjson": `${eventText("b", "order", 2)}\n\n${eventText("c", "refund", 3)}`,
      "readme.txt": "no event",
    });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it("says what each rule would do otherwise, with one body before and after, and exits with 2", async () => {
    expect(await plan()).toEqual({
      code: 2,
      stderr: "",
      stdout: `- default/gone  no longer matched 3
    no longer matched: 1.json, 2.ndjson:1, 2.ndjson:3
+ default/new  shadow: newly matched 1
    shadow, newly matched: 2.ndjson:3
~ default/orders  newly matched 1, no longer matched 0, body changed 2
    pattern changed
    transform changed
    newly matched: 2.ndjson:3
    body changed: 1.json, 2.ndjson:1
    body of 1.json:
        {
      -   "was": 1
      +   "is": 1
        }
~ target ci  settings changed

Plan: 3 events, 3 rules change, 1 target changes: 1 newly matched, 3 no longer matched, 2 bodies changed; shadow: 1 newly matched, 0 no longer matched, 0 bodies changed.
`,
    });
  });

  it("says the same as JSON, and no target's address", async () => {
    const { code, stdout, stderr } = await plan("--json");
    expect([code, stderr]).toEqual([2, ""]);
    const made = JSON.parse(stdout) as PlanJson;
    expect(made).toMatchObject({
      changes: true,
      before: expect.stringMatching(/^[0-9a-f]{12}$/),
      summary: { events: 3, rulesChanged: 3, rulesUnchanged: 1, targetsChanged: 1, bodyChanged: 2 },
      rules: [{ path: "default/gone" }, { path: "default/new" }, { path: "default/orders" }],
      targets: [{ name: "ci", kind: "settings" }],
    });
    expect(stdout).not.toMatch(/hook-|example\.com/);
  });

  it("follows the events of a source that moves to another bus", async () => {
    await writeFiles(
      join(dir, "moved"),
      rulesWith({
        "sources.yaml": SOURCES.replace("kind:", "bus: shop, kind:"),
        "default/all.yaml": ALL,
        "default/orders.yaml": orders("was"),
        "default/gone.yaml": ALL,
        "shop/all.yaml": ALL,
      }),
    );
    const events = `{"id":"evt_a","bus":"default","acceptedAt":"2026-01-01T00:00:00Z","from":"events","event":${eventText("a", "order", 1)}}`;
    await writeFiles(dir, { "log.ndjson": events });
    const run = await plan("--rules", "moved", "--events", "log.ndjson");
    expect(run).toMatchObject({
      code: 2,
      stderr: "",
      stdout: `~ default/all  newly matched 0, no longer matched 1, body changed 0
    no longer matched: evt_a
~ default/gone  newly matched 0, no longer matched 1, body changed 0
    no longer matched: evt_a
~ default/orders  newly matched 0, no longer matched 1, body changed 0
    no longer matched: evt_a
+ shop/all  newly matched 1
    newly matched: evt_a
~ source events  bus: default before, shop after

Plan: 1 event, 4 rules change, 1 source changes: 1 newly matched, 3 no longer matched, 0 bodies changed.
`,
    });
    expect(JSON.parse((await plan("--rules", "moved", "--json")).stdout)).toMatchObject({
      summary: { sourcesChanged: 1 },
      sources: [{ name: "events", kind: "bus", before: "default", after: "shop" }],
    });
  });

  it("exits with 0 when nothing changes", async () => {
    const run = await plan("--rules", "before");
    expect(run).toEqual({ code: 0, stderr: "", stdout: "Plan: 3 events, nothing changes.\n" });
  });

  it("looks at as many events as are asked for, of the bus that is named", async () => {
    const run = await plan("--last", "2", "--json");
    expect(run.stderr).toBe("There are more events: only the first 2 were read.\n");
    expect(JSON.parse(run.stdout)).toMatchObject({ summary: { events: 2, newlyMatched: 0 } });
    expect(JSON.parse((await plan("--bus", "shop", "--json")).stdout)).toMatchObject({
      changes: true,
      summary: { events: 3, noLongerMatched: 0 },
    });
  });

  it("says where rules are wrong, and exits with 1", async () => {
    await writeFiles(
      join(dir, "wrong"),
      rulesWith({ "default/all.yaml": "pattern: { type: order }\ntargets: [ci]\n" }),
    );
    const run = await plan("--rules", "wrong");
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(/wrong\/default\/all\.yaml:1:18: error: [^]*1 mistake in the rule files of wrong\n$/);
  });

  it.each([
    ["nothing.json", undefined, /--events: nothing\.json can't be read \(ENOENT\)/],
    ["empty", undefined, /--events: empty has no \.json or \.ndjson files\nA \.json file holds one CloudEvent/],
    ["events/readme.txt", undefined, /readme\.txt is no \.json or \.ndjson/],
    ["bad.ndjson", `${eventText("a", "order", 1)}\n{"type":`, /bad\.ndjson:2: expected JSON: the text ends too early/],
    ["steers.json", '{"specversion":"1.0","\\u001b[2J":1}', /^error: steers\.json: [^\u001b]*$/],
    ["bad.json", '{"type":"order"}', /bad\.json: the event is no CloudEvent: /],
    ["saved.json", `{"event":${eventText("a", "order", 1)}}`, /saved\.json: expected id, bus and acceptedAt/],
  ])("refuses %s as events, with 1", async (path, text, message) => {
    await mkdir(join(dir, "empty"), { recursive: true });
    if (text !== undefined) await writeFile(join(dir, path), text);
    const run = await runSluice(["plan", "--events", path, "--against", "before", "--rules", "before"], { cwd: dir });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(message);
  });

  it.each([
    [["--events", "e"], /expected what to compare with\nName a folder of rules with --against DIR/],
    [["--events", "e", "--against", "r", "--since", "2026-01-01"], /--since is for a router's events/],
    [["--events", "e", "--against", "r", "--to", "http://localhost"], /--against or --to, not both/],
    [["--bus", "shop"], /--bus belongs to --events/],
    [["--last", "0"], /Expected a number from 1 on/],
    [["--last", String(PLAN_EVENTS_MAX + 1)], /Expected a number from 1 to 10000/],
    [["--evnts", "e"], /unknown option '--evnts'[^]*--events/],
    [["now"], /too many arguments/],
  ])("exits with 1 for a wrong call, as 2 says something else: %j", async (args, message) => {
    const run = await runSluice(["plan", ...args], { cwd: dir });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(message);
  });

  it(`reads ${PLAN_EVENTS_MAX} events of a file and no more (PLAN_EVENTS_MAX)`, async () => {
    const line = `${eventText("a", "order", 1)}\n`;
    await writeFile(join(dir, "many.ndjson"), line.repeat(PLAN_EVENTS_MAX + 1));
    const run = await plan("--events", "many.ndjson");
    expect(run.stderr).toContain(`only the first ${PLAN_EVENTS_MAX} were read`);
    expect(run.stdout).toMatch(
      new RegExp(`^Plan: ${PLAN_EVENTS_MAX} events, .* ${PLAN_EVENTS_MAX} bodies changed`, "m"),
    );
  });
});

describe("a plan of a router that runs", () => {
  let workspace: Workspace;
  let router: RouterProcess;
  const plan = (...args: readonly string[]) =>
    runSluice(["plan", ...args, "--rules", "next"], { cwd: workspace.dir, env: SECRETS });

  beforeAll(async () => {
    workspace = await createWorkspace();
    await workspace.writeRules(rulesWith({ "default/all.yaml": ALL, "default/orders.yaml": orders("was") }));
    const next = rulesWith({ "default/all.yaml": ALL, "default/orders.yaml": orders("is") });
    await writeFiles(join(workspace.dir, "next"), next);
    router = await workspace.start();
    for (let n = 1; n <= 6; n++) {
      const type = n % 2 === 0 ? "order" : "other";
      const { status } = await fetch(`${router.url}/events`, {
        method: "POST",
        body: eventText(`e${n}`, type, n).replace(`{"n":${n}}`, `{\n "n": ${n}.50 }`),
        headers: {
          "content-type": "application/cloudevents+json",
          authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
        },
      });
      if (status !== 202) throw new Error(`an event was answered with ${status}`);
    }
  }, START_TIMEOUT_MS);
  afterAll(() => workspace.remove());

  it("takes its newest events and its rules, and says what those of the folder would change", async () => {
    const run = await plan("--to", router.url);
    expect(run).toMatchObject({ code: 2, stderr: "" });
    expect(run.stdout).toMatch(/^~ default\/orders {2}newly matched 0, no longer matched 0, body changed 3\n/);
    expect(run.stdout).toMatch(/body of evt_\S+:\n +\{\n +- {3}"was": 6\.5\n +\+ {3}"is": 6\.5\n/);
    expect(run.stdout).toMatch(
      /\nPlan: 6 events, 1 rule changes: 0 newly matched, 0 no longer matched, 3 bodies changed\.\n$/,
    );
  });

  it("takes as many events as are asked for, and of the type that is named", async () => {
    expect((await plan("--to", router.url, "--last", "3")).stdout).toMatch(/^Plan: 3 events.* 2 bodies changed/m);
    expect((await plan("--to", router.url, "--type", "oth*")).stdout).toMatch(/^Plan: 3 events.* 0 bodies changed/m);
    const none = await plan("--to", router.url, "--since", "2999-01-01T00:00:00Z");
    expect(none.stderr).toBe("No events were found: this says only how the rule files differ.\n");
    expect(none.stdout).toMatch(/^Plan: 0 events, 1 rule changes/m);
  });

  it("saves the events for a plan without the router, which says the same of them", async () => {
    const direct = await plan("--to", router.url, "--save", "saved.ndjson", "--against", "rules");
    const lines = (await readFile(join(workspace.dir, "saved.ndjson"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^\{"id":"evt_.*"bus":"default",.*"data":\{ +"n": 6\.50 \}\}\}$/);
    const offline = await plan("--events", "saved.ndjson", "--against", "rules");
    expect(offline).toEqual(direct);
    expect(offline.code).toBe(2);
    expect(await plan("--events", "saved.ndjson", "--to", router.url)).toEqual(direct);
  });

  it("says what it could not do, with 1", async () => {
    const badTime = await plan("--to", router.url, "--since", "yesterday");
    expect(badTime).toMatchObject({ code: 1, stdout: "" });
    expect(badTime.stderr).toMatch(/invalid query \(400\): since, until: expected a time/);
    const noFolder = await plan("--to", router.url, "--save", "no/such/folder.ndjson");
    expect(noFolder).toMatchObject({ code: 1, stdout: "" });
    expect(noFolder.stderr).toMatch(/--save: no\/such\/folder\.ndjson can't be written \(ENOENT\)/);
  });
});
