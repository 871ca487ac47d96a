/** `wrangler deploy --dry-run`: everything of a deployment but the upload, without a network or a login. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rules } from "../../src/generated/rules.ts";

const ROOT = join(import.meta.dirname, "../..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
/**
 * Start-up time grows with it; a dependency that slips in shows here first. JSONata and its regular expressions are more than half
 * of it; wrangler uploads it with comments, 233 kB, and minified it would be 155 KiB.
 */
const BUNDLE_GZIP_BYTES_MAX = 256 * 1_024;
const DRY_RUN_TIMEOUT_MS = 60_000;

const scratch = await mkdtemp(join(tmpdir(), "sluice-deploy-"));
const outDir = join(scratch, "out");
let output = "";
let bundle = "";

beforeAll(async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [WRANGLER, "deploy", "--dry-run", "--outdir", outDir],
    {
      cwd: ROOT,
      // A home of its own: no login, no settings and no cache of whoever runs the tests.
      env: {
        PATH: process.env["PATH"],
        HOME: scratch,
        XDG_CONFIG_HOME: join(scratch, "config"),
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_LOG_PATH: join(scratch, "logs"),
        CI: "1",
        NO_COLOR: "1",
      },
      timeout: DRY_RUN_TIMEOUT_MS,
    },
  );
  output = stdout + stderr;
  bundle = await readFile(join(outDir, "index.js"), "utf8");
}, DRY_RUN_TIMEOUT_MS);

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe("a dry run of the deployment", () => {
  it("builds one module that holds the generated rules and the objects' classes", async () => {
    expect(output).toContain("--dry-run: exiting now.");
    expect((await readdir(outDir)).filter((name) => /\.m?js$/.test(name))).toEqual(["index.js"]);
    expect(bundle.includes(`version:"${rules.version}"`)).toBe(true);
    for (const name of ["Partition", "Gate", "Dispatch"])
      expect(/export\{(.*)\}/.exec(bundle)?.[1]).toContain(` as ${name}`);
  });

  it("lists the bindings that the Worker needs, and warns of nothing", () => {
    for (const binding of ["env.PARTITION", "env.GATE", "env.PARTITIONS", "env.VERSION", "env.BODIES"])
      expect(output).toContain(binding);
    expect(output).not.toMatch(/warning|deprecated/i);
  });

  it("stays within the budget for its size", () => {
    const bytes = gzipSync(bundle).length;
    expect(bytes).toBeLessThan(BUNDLE_GZIP_BYTES_MAX);
    expect(bytes).toBeGreaterThan(10 * 1_024);
  });

  it("makes no code out of text, which the platform refuses", () => {
    // A method of that name, as RE2 has one, is none.
    expect(bundle).not.toMatch(/(?<![.\w$])eval\s*\((?![^()]*\)\s*\{)/);
    expect(bundle).not.toMatch(/\bnew\s+Function\s*\(/);
  });
});
