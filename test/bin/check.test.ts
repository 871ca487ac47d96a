import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice } from "./run-sluice.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-check-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const GOOD = {
  "sources.yaml": "github: { kind: github, secrets: [SECRET] }\n",
  "targets.yaml": "ci: { http: https://ci.acme.dev/hooks }\n",
  "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [ci]\n",
};

async function check(name: string, files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return runSluice(["check", "--rules", name, ...args], { cwd: dir });
}

describe("check", () => {
  it("counts what it found right", async () => {
    const run = await check("good", GOOD);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toMatch(/^good: 1 rule, 1 source, 1 target, version [0-9a-f]{12}: no problems\n$/);
  });

  it("lists every mistake with file, line and column, and fails", async () => {
    const run = await check("bad", {
      "sources.yaml": "github: { kind: gihub }\n",
      "targets.yaml": "ci:\n  http: ftp://ci.acme.dev\n",
      "default/push.yaml": "pattern:\n  type: com.github.push\ntargets: [cii]\norder: keys\n",
    });
    expect(run.code).toBe(1);
    expect(run.stdout).toBe("");
    const lines = run.stderr.trimEnd().split("\n");
    expect(lines.map((line) => /^\S+:\d+:\d+: error: |^error: .*/.exec(line)?.[0])).toEqual([
      "bad/default/push.yaml:2:9: error: ",
      "bad/default/push.yaml:3:11: error: ",
      "bad/default/push.yaml:4:8: error: ",
      "bad/sources.yaml:1:17: error: ",
      "bad/targets.yaml:2:9: error: ",
      "error: 5 mistakes in the rule files of bad",
    ]);
  });

  it("gives the same as JSON", async () => {
    const run = await check("bad-json", { ...GOOD, "targets.yaml": "ci: { http: 5 }\n" }, "--json");
    expect(run).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(run.stdout)).toEqual({
      ok: false,
      problems: [
        {
          file: "bad-json/targets.yaml",
          line: 1,
          column: 13,
          severity: "error",
          message: expect.any(String) as string,
        },
      ],
    });
    expect(JSON.parse((await check("good", GOOD, "--json")).stdout)).toMatchObject({
      ok: true,
      rules: 1,
      problems: [],
    });
  });

  it("says that there is no such folder", async () => {
    const run = await runSluice(["check", "--rules", "nowhere"], { cwd: dir });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/nowhere/);
  });
});

describe("check --deploy", () => {
  const FILES = {
    ...GOOD,
    "sources.yaml": "open: { kind: cloudevents, auth: none }\n",
    "targets.yaml":
      "ci: { http: http://localhost:3000/ }\naudit: { queue: NO_SUCH_QUEUE }\nsample: { http: https://hooks.example.com/x }\n",
    "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [ci, audit, sample]\n",
  };

  it("is content with what runs on this machine only when it isn't asked", async () => {
    expect(await check("local", FILES)).toMatchObject({ code: 0, stderr: "" });
  });

  it("refuses local targets and queues without a binding, and warns of placeholders and open sources", async () => {
    const run = await check("local", FILES, "--deploy");
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^local\/targets\.yaml:1:1: error: the target ci works only locally: /m);
    expect(run.stderr).toMatch(/^local\/targets\.yaml:2:1: error: .* needs the queue binding NO_SUCH_QUEUE/m);
    expect(run.stderr).toMatch(/^local\/targets\.yaml:3:1: warning: .* hooks\.example\.com, a placeholder/m);
    expect(run.stderr).toMatch(/^local\/sources\.yaml:1:1: warning: anyone may send to the source open/m);
    expect(run.stderr).toMatch(/^error: 2 mistakes/m);
  });

  it("lets warnings pass", async () => {
    const run = await check(
      "placeholder",
      { ...GOOD, "targets.yaml": "ci: { http: https://example.com/x }\n" },
      "--deploy",
    );
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/: 1 warning\n$/);
  });
});

describe("deploy", () => {
  it("deploys nothing while the rules are wrong", async () => {
    await check("no-deploy", { ...GOOD, "targets.yaml": "ci: { http: http://127.0.0.1:3000/ }\n" });
    const run = await runSluice(["deploy", "--rules", "no-deploy", "--dry-run"], { cwd: dir });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/works only locally/);
    expect(run.stdout).toBe("");
  });

  it("hands its options to wrangler", async () => {
    const outDir = join(dir, "out");
    const rules = join(import.meta.dirname, "../../rules");
    const env = { HOME: dir, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(dir, "logs"), CI: "1" };
    const run = await runSluice(["deploy", "--rules", rules, "--dry-run", "--outdir", outDir], { env });
    expect(run.stdout).toContain("--dry-run: exiting now.");
    expect(run.code).toBe(0);
  }, 30_000);
});
