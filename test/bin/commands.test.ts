/** From sending to re-driving: the commands that talk to a router, on a router that runs. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { SECRETS, createWorkspace, waitFor } from "../support/router-process.ts";
import type { Run } from "./run-sluice.ts";
import { runSluice } from "./run-sluice.ts";

const START_TIMEOUT_MS = 20_000;

const SOURCES = `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
open: { kind: cloudevents, auth: none }
chats: { kind: meta, secrets: [GITHUB_WEBHOOK_SECRET], verify-token: INGEST_TOKEN }
`;

interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly rules: readonly string[];
}

describe("a router that runs", () => {
  let workspace: Workspace;
  let router: RouterProcess;
  let target: TestServer;
  let sluice: (...args: readonly string[]) => Promise<Run>;
  let status = 500;

  beforeAll(async () => {
    target = await startServer((response) => response.writeHead(status).end());
    workspace = await createWorkspace();
    await workspace.writeRules({
      "sources.yaml": SOURCES,
      "targets.yaml": `ci: { http: "${target.url}", retry: none, rate: { limit: 600/m, burst: 5 } }\nprinter: { http: "https://example.com/", local: print }\n`,
      "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [ci]\n",
      "default/order.yaml": "pattern: { type: [com.example.order.placed] }\ntargets: [printer]\n",
    });
    router = await workspace.start();
    sluice = (...args) => runSluice([...args, "--to", router.url], { cwd: workspace.dir, env: SECRETS });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await workspace.remove();
    await target.close();
  });

  it("prints one line on standard output, and what to do next on standard error", () => {
    const { stdout, stderr } = router.output();
    expect(stdout).toBe(`ready ${router.url}\n`);
    expect(router.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(stderr).toContain(`github: POST ${router.url}/webhooks/github (GITHUB_WEBHOOK_SECRET)`);
    expect(stderr).toContain(`events: POST ${router.url}/events (INGEST_TOKEN)`);
    expect(stderr).toContain(`chats: POST ${router.url}/webhooks/chats (GITHUB_WEBHOOK_SECRET, INGEST_TOKEN)`);
    expect(stderr).toContain("warning: anyone may send to the source open");
    expect(stderr).toContain(`npm run sluice -- send github push --to ${router.url}`);
    for (const secret of Object.values(SECRETS)) expect(stderr).not.toContain(secret);
  });

  it("sends a signed GitHub payload, finds it dead, and delivers it after the repair", async () => {
    const sent = await sluice("send", "github", "push", "--json");
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    const receipt = JSON.parse(sent.stdout) as Receipt;
    expect(receipt).toMatchObject({ status: "accepted", rules: ["default/push"] });

    await waitFor("the dead delivery", async () =>
      (await sluice("dead")).stdout.includes(receipt.id) ? true : undefined,
    );
    const dead = await sluice("dead", "--target", "ci");
    expect(dead.stdout).toMatch(new RegExp(`^${receipt.id} .* default/push +ci +1 +retries-exhausted`, "m"));
    expect((await sluice("dead", "--target", "printer")).stderr).toBe("Nothing is dead.\n");
    expect((await sluice("events", "--status", "dead")).stdout).toMatch(
      new RegExp(`^${receipt.id} .* dead +0 of 1`, "m"),
    );

    status = 204;
    const redriven = await sluice("redrive", receipt.id);
    expect(redriven).toEqual({ code: 0, stdout: "1 delivery opened again\n", stderr: "" });
    await waitFor("the delivery", async () =>
      (await sluice("event", receipt.id)).stdout.includes("status    delivered") ? true : undefined,
    );
    const shown = (await sluice("event", receipt.id)).stdout;
    expect(shown).toMatch(/^ {2}attempt 1 {2}.* status 500/m);
    expect(shown).toMatch(/^ {2}attempt 2 {2}.* delivered, status 204/m);
    const ids = target.requests.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toEqual([ids[0], ids[0]]);

    const again = await sluice("redrive", receipt.id);
    expect(again).toEqual({
      code: 1,
      stdout: "0 deliveries opened again\n",
      stderr: `${receipt.id}: nothing of it is dead or parked\n`,
    });
  });

  it("opens all dead deliveries again, page by page", async () => {
    status = 500;
    const count = 3;
    for (let index = 0; index < count; index++) await sluice("send", "github", "push");
    await waitFor("the dead deliveries", async () => {
      const { deliveries } = JSON.parse((await sluice("dead", "--json")).stdout) as { deliveries: readonly unknown[] };
      return deliveries.length === count ? true : undefined;
    });
    expect((await sluice("dead", "--limit", "2")).stderr).toContain("add --cursor ");
    expect((await sluice("redrive", "--all", "--target", "printer")).stdout).toBe("0 deliveries opened again\n");
    status = 204;
    expect((await sluice("redrive", "--all", "--rule", "default/push")).stdout).toBe(
      `${count} deliveries opened again\n`,
    );
    expect((await sluice("redrive", "--all")).stdout).toBe("0 deliveries opened again\n");
  });

  it("sends CloudEvents, and prints what the local target got", async () => {
    const sent = await sluice(
      "send",
      "cloudevent",
      "--id",
      "order-7",
      "--subject",
      'ä "1" 100%',
      "--data",
      '{"n":1.50}',
    );
    expect(sent.code).toBe(0);
    expect(sent.stdout).toMatch(/^receipt +evt_\S+\nstatus +accepted\nrules +default\/order\n$/);
    await waitFor("the printed delivery", () => (router.output().stderr.includes('{"n":1.50}') ? true : undefined));
    // Several targets print here: which one it was.
    expect(router.output().stderr).toMatch(
      /→ printed: com\.example\.order\.placed \(\d+ bytes\) for printer\n    webhook-id dlv_/,
    );
    await waitFor("the log line", () => /✓ delivered default\/order → printer: 204/.exec(router.output().stderr)?.[0]);
    const { events } = JSON.parse((await sluice("events", "--id", "order-7", "--json")).stdout) as {
      events: readonly { readonly event: { readonly subject: string } }[];
    };
    expect(events[0]?.event.subject).toBe('ä "1" 100%');
    const repeated = await sluice(
      "send",
      "cloudevent",
      "--id",
      "order-7",
      "--subject",
      'ä "1" 100%',
      "--data",
      '{"n":1.50}',
    );
    expect(repeated.stdout).toMatch(/^status +duplicate$/m);
    const conflict = await sluice("send", "cloudevent", "--id", "order-7", "--subject", 'ä "1" 100%', "--data", "2");
    expect(conflict).toMatchObject({ code: 1, stdout: "" });
    expect(conflict.stderr).toMatch(/^error: conflict \(409\): /);
  });

  it("sends forms, chosen examples and files", async () => {
    const form = await sluice("send", "github", "issues", "--action", "labeled", "--form");
    expect(form.stdout).toMatch(/^rules +none matched$/m);
    const rule = join(workspace.dir, "rules/default/push.yaml");
    const file = await sluice("send", "github", "push", "--file", rule);
    expect(file.stderr).toMatch(/^error: invalid json \(400\)/);
    await waitFor("the record of it", async () => /invalid-json/.exec((await sluice("rejections")).stdout)?.[0]);
  });

  it("lists the rules that run", async () => {
    const { stdout } = await sluice("rules");
    expect(stdout).toMatch(/^default\/order +live +printer/m);
    expect(stdout).toMatch(/^github +github +default$/m);
  });

  it("pauses a target, lists it as held, and resumes it", async () => {
    status = 204;
    // The tests before have made it fail, and its gate remembers.
    expect((await sluice("resume", "ci")).stdout).toBe("ci: free\n");
    expect(await sluice("targets")).toMatchObject({ code: 0, stderr: "" });
    expect((await sluice("targets")).stdout).toMatch(
      /^TARGET +KIND +STATE +LIMITS\nci +http +free +600\/m, burst 5\nprinter /,
    );
    expect(await sluice("pause", "ci")).toEqual({ code: 0, stdout: "ci: held: paused\n", stderr: "" });
    expect((await sluice("pause", "ci")).stdout).toBe("ci: held: paused\n");
    const shown = await sluice("targets");
    expect(shown.stdout).toMatch(/^ci +http +held: paused +600\/m, burst 5$/m);
    expect(shown.stderr).toMatch(/sluice -- resume <target>/);

    const { id } = JSON.parse((await sluice("send", "github", "push", "--json")).stdout) as Receipt;
    expect((await sluice("event", id)).stdout).toMatch(/^status +pending$/m);
    const { targets } = JSON.parse((await sluice("targets", "--json")).stdout) as { targets: readonly object[] };
    expect(targets).toMatchObject([
      { name: "ci", state: "held", reason: "paused" },
      { name: "printer", state: "free" },
    ]);

    expect(await sluice("resume", "ci")).toEqual({ code: 0, stdout: "ci: free\n", stderr: "" });
    await waitFor("the delivery", async () =>
      /^status +delivered$/m.test((await sluice("event", id)).stdout) ? true : undefined,
    );
    const unknown = await sluice("pause", "nobody");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toMatch(/^error: not found \(404\)/);
  });

  it("says that a token is wrong without showing it", async () => {
    const run = await runSluice(["events", "--to", router.url], {
      cwd: workspace.dir,
      env: { ADMIN_TOKEN: "not-the-token" },
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^error: wrong admin token \(401\)/);
    expect(run.stderr).not.toContain("not-the-token");
  });

  it("refuses a second router on the same state, and a port that is taken", async () => {
    const { port } = new URL(router.url);
    const start = (...args: readonly string[]) =>
      runSluice(["start", "--port", port, "--rules", "rules", ...args], { cwd: workspace.dir, env: SECRETS });
    const locked = await start("--state", "state");
    expect(locked).toMatchObject({ code: 1, stdout: "" });
    expect(locked.stderr).toContain(`another router (process ${router.pid}) is running on state`);
    const taken = await start("--state", "other");
    expect(taken).toMatchObject({ code: 1, stdout: "" });
    expect(taken.stderr).toMatch(/the port \d+ on 127\.0\.0\.1 is in use\nChoose another with --port/);
  });

  it("applies changed rules without a restart, and keeps the old ones when they are wrong", async () => {
    const version = async () =>
      ((await (await fetch(`${router.url}/healthz`)).json()) as { readonly rules: string }).rules;
    const first = await version();
    const wrong = "pattern: { type: com.github.push }\ntargets: [ci]\n";
    await workspace.writeRules({ "default/push.yaml": wrong });
    await waitFor("the mistake", () => /push\.yaml:1:18: error: /.exec(router.output().stderr)?.[0]);
    await waitFor(
      "the old version's name",
      () => new RegExp(`version ${first} goes on`).exec(router.output().stderr)?.[0],
    );
    expect(await version()).toBe(first);

    await workspace.writeRules({
      "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [ci, printer]\n",
    });
    const applied = await waitFor(
      "the new rules",
      () => /Applied 2 rules, version (\S+)\./.exec(router.output().stderr)?.[1],
    );
    expect(applied).not.toBe(first);
    expect(await version()).toBe(applied);
    const receipt = JSON.parse((await sluice("send", "github", "push", "--json")).stdout) as Receipt;
    await waitFor(
      "both deliveries",
      async () => / 2 of 2 /.exec((await sluice("events", "--type", "com.github.push", "--limit", "1")).stdout)?.[0],
    );
    expect(receipt.status).toBe("accepted");
  });
});
