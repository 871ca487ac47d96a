/**
 * `npm run check`: everything that can be said about the code without running it, side by side, in seconds.
 * Prints one line per step as it ends, then what the failing ones said; exits with 1 if any failed.
 */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");
const STEP_TIMEOUT_MS = 120_000;

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface StepResult {
  readonly step: Step;
  readonly ok: boolean;
  readonly output: string;
  readonly durationMs: number;
}

const STEPS: readonly Step[] = [
  { name: "generate", command: process.execPath, args: [join(ROOT, "scripts/generate.ts"), "--check"] },
  // Folders by name: without them oxlint walks everything that .gitignore does not keep it from.
  {
    name: "oxlint",
    command: join(BIN, "oxlint"),
    args: ["--type-aware", "--deny-warnings", "src", "bin", "scripts", "test", "examples", "vitest.config.ts"],
  },
  { name: "oxfmt", command: join(BIN, "oxfmt"), args: ["--check", "."] },
  { name: "size", command: process.execPath, args: [join(ROOT, "scripts/check-size.ts")] },
  { name: "tsc", command: join(BIN, "tsc"), args: ["--noEmit", "-p", "."] },
  { name: "knip", command: join(BIN, "knip"), args: ["--no-progress", "--treat-config-hints-as-errors"] },
];

function run(step: Step): Promise<StepResult> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(step.command, step.args, {
      cwd: ROOT,
      // The tools' first lines say `env node`, which must find the Node of node_modules.
      env: { ...process.env, NO_COLOR: "1", PATH: BIN + delimiter + (process.env["PATH"] ?? "") },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: STEP_TIMEOUT_MS,
    });
    let output = "";
    const collect = (chunk: string) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const end = (ok: boolean, note = "") =>
      resolve({ step, ok, output: output + note, durationMs: performance.now() - started });
    child.once("error", (error) => end(false, `${error.message}; is everything installed (npm ci)?\n`));
    child.once("close", (code, signal) => end(code === 0, signal === null ? "" : `ended by ${signal}\n`));
  });
}

async function runAndReport(step: Step): Promise<StepResult> {
  const result = await run(step);
  const seconds = (result.durationMs / 1_000).toFixed(1);
  console.log(`${result.ok ? "ok  " : "FAIL"} ${step.name.padEnd(8)} ${seconds.padStart(5)} s`);
  return result;
}

const results = await Promise.all(STEPS.map(runAndReport));
const failed = results.filter(({ ok }) => !ok);
for (const { step, output } of failed) console.error(`\n--- ${step.name} ---\n${output.trimEnd()}`);
if (failed.length > 0) process.exitCode = 1;
