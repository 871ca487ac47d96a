/** A first session with rules, as the README tells it: a typo is found, the rule is tested, explained, planned and deployed. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonLines, runSluice } from "../bin/run-sluice.ts";
import { githubExamples } from "../support/github-examples.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { SECRETS, createWorkspace, sendGithub } from "../support/router-process.ts";

const SAMPLES = join(import.meta.dirname, "../../rules");
const EVENTS = 500;
const SENDERS = 16;
const RUN_TIMEOUT_MS = 60_000;

const RULE = `description: Tell the chat of a merged pull request
pattern:
  type: [com.github.pull_request.closed]
  data: { pull_request: { mergd: [true] } }
transform:
  template:
    paths: { title: $.data.pull_request.title, by: $.data.sender.login }
    body: { text: "<by> merged <title>" }
targets: [printer]
`;

const CASES = `cases:
  - name: a merged pull request is told
    event: { github: pull_request, action: closed, with: { pull_request: { merged: true, title: Faster } } }
    match: true
  - name: one that was only closed is not
    event: { github: pull_request, action: closed, with: { pull_request: { merged: false } } }
    match: false
`;

let workspace: Workspace;
let router: RouterProcess;
const sluice = (...args: readonly string[]) => runSluice(args, { cwd: workspace.dir, env: SECRETS });
const rule = (name: string) => join(workspace.dir, "rules/default", name);

beforeAll(async () => {
  workspace = await createWorkspace();
  await cp(SAMPLES, join(workspace.dir, "rules"), { recursive: true });
  router = await workspace.start(["--no-watch"]);
  const examples = githubExamples();
  const waiting = Array.from({ length: EVENTS }, (_, index) => examples[index % examples.length]);
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (let example = waiting.pop(); example !== undefined; example = waiting.pop()) {
        const { status } = await sendGithub(router.url, example);
        if (status !== 202) throw new Error(`the router answered ${status}`);
      }
    }),
  );
}, RUN_TIMEOUT_MS);
afterAll(() => workspace.remove());

it(
  "leads from a typo to a deployed rule",
  async () => {
    await writeFile(rule("merged.yaml"), RULE);
    const wrong = await sluice("check");
    expect(wrong.stderr).toContain("rules/default/merged.yaml:4:27: ");
    expect(wrong.stderr).toContain("data.pull_request.mergd");
    expect(wrong.stderr).toContain("did you mean data.pull_request.merged?");
    expect((await sluice("check", "--strict")).code).toBe(1);

    await writeFile(rule("merged.yaml"), RULE.replace("mergd", "merged"));
    expect((await sluice("check")).stderr).not.toContain("merged.yaml");

    await writeFile(rule("merged.test.yaml"), CASES);
    expect(await sluice("test", "default/merged", "--update")).toMatchObject({ code: 0 });
    expect(await readFile(rule("merged.test.yaml"), "utf8")).toContain("merged Faster");
    expect(await sluice("test")).toMatchObject({ code: 0, stderr: "" });

    const explained = await sluice("explain", "--github", "pull_request", "--action", "closed");
    expect(explained).toMatchObject({ code: 0 });
    expect(explained.stdout).toContain("default/merged");
    expect(explained.stdout).toContain("data.pull_request.merged");

    const planned = await sluice("plan", "--to", router.url);
    expect(planned.code).toBe(2);
    expect(planned.stdout).toContain("+ default/merged");
    expect(planned.stdout).toMatch(/Plan: 500 events, 1 rule changes/);

    await router.stop();
    router = await workspace.start(["--no-watch"]);
    expect((await sluice("plan", "--to", router.url)).code).toBe(0);
    const merged = githubExamples().find(({ event, body }) => event === "pull_request" && body.includes('"closed"'));
    const payload = JSON.parse(merged?.body ?? "") as { pull_request: { merged: boolean } };
    payload.pull_request.merged = true;
    const sent = await sendGithub(router.url, { event: "pull_request", body: JSON.stringify(payload) });
    const receipt = (await sent.json()) as { readonly id: string; readonly rules: readonly string[] };
    expect(receipt.rules).toContain("default/merged");
    const [told] = jsonLines((await sluice("explain", receipt.id, "--to", router.url, "--json")).stdout);
    expect(told).toMatchObject({ receipt: receipt.id });
    expect(JSON.stringify(told)).toContain("PRINTER_SIGNING_SECRET");
    expect(JSON.stringify(told)).not.toContain(SECRETS.ADMIN_TOKEN);
  },
  RUN_TIMEOUT_MS,
);
