import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
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
  return runSluice(["check", "--rules", name, ...args], { cwd: dir, env: { SECRET: "set" } });
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
    const said = run.stderr.trimEnd().split("\n");
    const lines = said.filter((line) => !/^ {2,}(?:\d+ )?\|/.test(line));
    expect(said.slice(0, 3)).toEqual([
      expect.stringMatching(/^bad\/default\/push\.yaml:2:9: error: .*; write \["com\.github\.push"\]$/),
      "    2 |   type: com.github.push",
      "      |         ^",
    ]);
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
          code: "rule-file",
          message: expect.any(String) as string,
          excerpt: "    1 | ci: { http: 5 }\n      |             ^",
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

describe("what check finds in rules that are right one by one", () => {
  const FILES = {
    ...GOOD,
    "default/push.yaml":
      "pattern:\n  type: [com.github.push]\n  data:\n    reff: [refs/heads/main]\n    forced: ['true']\ntargets: [ci]\n",
  };
  const WARNED = {
    ...GOOD,
    "default/push.yaml": "pattern: { type: [com.github.push], data: { reff: [a] } }\ntargets: [ci]\n",
  };

  it("is shown with its code, the line and a caret", async () => {
    const run = await check("found", FILES);
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(
      [
        "found/default/push.yaml:4:5: warning: no event of com.github.push has data.reff; did you mean data.ref? [unknown-field]",
        "    4 |     reff: [refs/heads/main]",
        "      |     ^",
        'found/default/push.yaml:5:14: error: in an event of com.github.push, data.forced is true or false: "true" is never met; write true without quotes [never-matches]',
        "    5 |     forced: ['true']",
        "      |              ^",
        "error: 1 mistake in the rule files of found",
        "",
      ].join("\n"),
    );
    const { problems } = JSON.parse((await check("found", FILES, "--json")).stdout) as {
      readonly problems: readonly { readonly code: string }[];
    };
    expect(problems.map(({ code }) => code)).toEqual(["unknown-field", "never-matches"]);
  });

  it("lets warnings pass, but not with --strict", async () => {
    expect((await check("warned", WARNED)).code).toBe(0);
    const strict = await check("warned", WARNED, "--strict");
    expect(strict).toMatchObject({ code: 1, stdout: "" });
    expect(strict.stderr).toMatch(/\nerror: 1 warning in the rule files of warned, and --strict lets none pass\n$/);
    const asJson = await check("warned", WARNED, "--strict", "--json");
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ ok: false, problems: [{ severity: "warning" }] });
    expect((await check("good", GOOD, "--strict")).code).toBe(0);
  });

  it("never shows a secret that was pasted into a file", async () => {
    const run = await check("pasted", {
      ...GOOD,
      "sources.yaml": "github:\n  kind: github\n  secrets:\n    - hunter-2-hunter\n    - 5\n",
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^ {4}4 \| {5}- …$/m);
    expect(run.stderr).not.toContain("hunter");
  });

  it("is listed in the documentation, code by code", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/rules.md"), "utf8");
    const codes = await Promise.all(
      ["scripts/analysis", "bin"].map(async (folder) => {
        const dir = join(import.meta.dirname, "../..", folder);
        const files = (await readdir(dir)).filter((name) => name.endsWith(".ts"));
        const texts = await Promise.all(files.map((name) => readFile(join(dir, name), "utf8")));
        return texts.flatMap((text) => [...text.matchAll(/\bcode: "([a-z-]+)"/g)].map((match) => match[1] ?? ""));
      }),
    );
    const all = [...new Set(codes.flat())];
    expect(all).toContain("unknown-field");
    expect(all).toContain("open-source");
    expect(all.filter((code) => !page.includes(`\n| \`${code}\` |`))).toEqual([]);
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
    expect(run.stderr).toContain('[[queues.producers]], binding = "NO_SUCH_QUEUE", queue = "sluice-no-such-queue"');
    expect(run.stderr).toMatch(/^local\/targets\.yaml:2:1: warning: events over 128 kB .* PUBLIC_URL.* DATA_SECRET/m);
    expect(run.stderr).toMatch(/^local\/targets\.yaml:3:1: warning: .* hooks\.example\.com, a placeholder/m);
    expect(run.stderr).toMatch(/^local\/sources\.yaml:1:1: warning: anyone may send to the source open/m);
    expect(run.stderr).toMatch(/^error: 2 mistakes/m);
  });

  it("refuses a service without a binding, and says what to add", async () => {
    const run = await check(
      "service",
      {
        ...GOOD,
        "targets.yaml": "ci: { service: NO_SUCH_SERVICE, method: handle }\n",
      },
      "--deploy",
    );
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^service\/targets\.yaml:1:1: error: .* needs the service binding NO_SUCH_SERVICE/m);
    expect(run.stderr).toContain('[[services]], binding = "NO_SUCH_SERVICE"');
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
