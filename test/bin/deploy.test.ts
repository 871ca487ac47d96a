/** `sluice deploy` with a wrangler of the test's, which writes down how it is called and answers what the test says. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { boundResources } from "../../bin/cloud-resources.ts";
import { deploy } from "../../bin/commands/deploy.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { openWrangler } from "../../bin/wrangler.ts";

const RULES = join(import.meta.dirname, "../../rules");

const CONFIG = `
name = "sluice"

[[r2_buckets]]
binding = "BODIES"
bucket_name = "sluice-bodies"

[[queues.producers]]
binding = "AUDIT"
queue = "sluice-audit"

[[queues.producers]]
binding = "AUDIT_TOO"
queue = "sluice-audit"

[[env.eu.queues.producers]]
binding = "AUDIT"
queue = "sluice-audit-eu"

[[env.eu.r2_buckets]]
binding = "BODIES"
bucket_name = "sluice-bodies"
jurisdiction = "eu"
`;

/** Answers by the start of its command line; everything else works. */
const FAKE_WRANGLER = `
const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const line = process.argv.slice(2).join(" ");
appendFileSync(join(__dirname, "calls"), line + "\\n");
const answers = JSON.parse(readFileSync(join(__dirname, "answers.json"), "utf8"));
const found = Object.entries(answers).find(([start]) => line.startsWith(start));
if (found !== undefined) {
  console.error(found[1]);
  process.exitCode = 1;
}
`;

const MISSING_QUEUE =
  '\u001b[31m✘ [ERROR] Queue "sluice-audit" does not exist. To create it, run: wrangler queues create sluice-audit\u001b[0m';
const MISSING_BUCKET = `✘ [ERROR] A request to the Cloudflare API (/accounts/a/r2/buckets/sluice-bodies) failed.

  The specified bucket does not exist. [code: 10006]`;

const dir = await mkdtemp(join(tmpdir(), "sluice-deploy-command-"));
const config = join(dir, "wrangler.toml");

beforeEach(async () => {
  await writeFile(join(dir, "wrangler.cjs"), FAKE_WRANGLER);
  await writeFile(config, CONFIG);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** `failing`: what wrangler says where it fails, by the start of the command. */
async function run(failing: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  await writeFile(join(dir, "calls"), "");
  await writeFile(join(dir, "answers.json"), JSON.stringify(failing));
  let said = "";
  const stream = { write: (text: string) => ((said += text), true) };
  const fake = { stdin: process.stdin, env: {}, cwd: () => dir, stdout: stream, stderr: stream };
  const terminal = createTerminal(fake as unknown as NodeJS.Process);
  const code = await deploy(args, { rules: RULES }, terminal, openWrangler(join(dir, "wrangler.cjs")), config);
  const calls = (await readFile(join(dir, "calls"), "utf8")).trimEnd().split("\n");
  return { code, said, calls };
}

describe("a deployment", () => {
  it("looks for each queue and bucket, and creates none that is there", async () => {
    const { code, said, calls } = await run();
    expect(calls).toEqual(["queues info sluice-audit", "r2 bucket info sluice-bodies", "deploy"]);
    expect(said).toContain("The queue sluice-audit is there\nThe R2 bucket sluice-bodies is there\n");
    expect(code).toBe(0);
  });

  it("creates what is missing before it deploys, and says so", async () => {
    const { code, said, calls } = await run({ "queues info": MISSING_QUEUE, "r2 bucket info": MISSING_BUCKET });
    expect(calls).toEqual([
      "queues info sluice-audit",
      "queues create sluice-audit",
      "r2 bucket info sluice-bodies",
      "r2 bucket create sluice-bodies",
      "deploy",
    ]);
    expect(said).toContain("Created the queue sluice-audit\nCreated the R2 bucket sluice-bodies\n");
    expect(code).toBe(0);
  });

  it("takes a bucket that can't be looked at but is there for there", async () => {
    const { code, said } = await run({
      "r2 bucket info": "✘ [ERROR] internal error",
      "r2 bucket create": "The bucket you tried to create already exists, and you own it. [code: 10004]",
    });
    expect(said).toContain("The R2 bucket sluice-bodies is there\n");
    expect(code).toBe(0);
  });

  it("only says what there is to look for in a dry run", async () => {
    const { code, said, calls } = await run({}, ["--dry-run", "--outdir", "out"]);
    expect(calls).toEqual(["deploy --dry-run --outdir out"]);
    expect(said).toContain("Would look for the queue sluice-audit, and create it if it is missing\n");
    expect(said).toContain("Would look for the R2 bucket sluice-bodies, and create it if it is missing\n");
    expect(code).toBe(0);
  });

  it("looks where it deploys to", async () => {
    const { calls } = await run({}, ["-e", "eu", "--profile", "work", "--minify"]);
    expect(calls).toEqual([
      "queues info sluice-audit-eu --env eu --profile work",
      "r2 bucket info sluice-bodies --jurisdiction eu --env eu --profile work",
      "deploy -e eu --profile work --minify",
    ]);
  });

  it("fails when wrangler's deploy does", async () => {
    expect((await run({ deploy: "no" })).code).toBe(1);
  });

  it("says where a config that is no TOML is wrong", async () => {
    await writeFile(config, "name = \n");
    const { code, said, calls } = await run();
    expect(said).toMatch(/wrangler\.toml:1:\d+: expected TOML/);
    expect([code, calls]).toEqual([1, [""]]);
  });
});

describe("a deployment that can't have what it needs", () => {
  const ERROR = "✘ [ERROR] A request to the Cloudflare API (/accounts/a/x) failed.\n\n  ";
  it.each([
    [
      "a login",
      "queues info",
      "✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.",
      /npx wrangler login/,
    ],
    [
      "an account",
      "queues info",
      "✘ [ERROR] More than one account available: set CLOUDFLARE_ACCOUNT_ID",
      /account_id in wrangler/,
    ],
    ["a permission", "queues info", `${ERROR}Authentication error [code: 10000]`, /needs the permission Queues: Edit/],
    [
      "a permission",
      "r2 bucket info",
      `${ERROR}Authentication error [code: 10000]`,
      /Workers R2 Storage: Edit.*remove the lines/s,
    ],
    [
      "R2",
      "r2 bucket info",
      `${ERROR}Please enable R2 through the Cloudflare Dashboard. [code: 10042]`,
      /Enable R2 in the dashboard.*remove the lines of \[\[r2_buckets\]\]/s,
    ],
  ])("for want of %s stops before it deploys and names the way out (%s)", async (_, command, output, expected) => {
    const { code, said, calls } = await run({ [command]: output });
    expect(said).toMatch(expected);
    expect(code).toBe(1);
    expect(calls).not.toContain("deploy");
    expect(calls.filter((call) => call.includes("create"))).toEqual([]);
  });

  it("shows what wrangler said where nothing else is known", async () => {
    const { code, said, calls } = await run({ "queues ": `${ERROR}Something new\u0007 [code: 77777]` });
    expect(said).toContain("the queue sluice-audit could not be created: Something new");
    expect(said).toContain("[code: 77777]");
    expect(said).toContain("npx wrangler queues create sluice-audit");
    expect(said).not.toContain("\u0007");
    expect(code).toBe(1);
    expect(calls).toEqual(["queues info sluice-audit", "queues create sluice-audit"]);
  });
});

describe("what wrangler.toml binds", () => {
  it("is nothing where it has no queues and buckets, or is not as wrangler wants it", () => {
    for (const odd of [
      {},
      { queues: 1, r2_buckets: "x" },
      { queues: { producers: [null, { queue: 3 }, { queue: "--x" }] } },
    ]) {
      expect(boundResources(odd, undefined)).toEqual([]);
    }
    expect(boundResources({}, "__proto__")).toEqual([]);
  });
});
