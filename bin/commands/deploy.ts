/** `sluice deploy`: checks the rules, writes the generated files and hands over to wrangler. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { GENERATED_DIR, generate } from "../../scripts/generate.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { checkRules, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";

export interface DeployOptions {
  readonly rules: string;
}

const ROOT = join(import.meta.dirname, "../..");

export async function deploy(args: readonly string[], options: DeployOptions, terminal: Terminal): Promise<ExitCode> {
  const { problems, document } = await checkRules(options.rules, true);
  sayProblems(problems, terminal);
  if (document === undefined) return terminal.fail(rulesFailure(options.rules, problems));
  const { changed } = await generate({ rulesDir: resolve(options.rules), outDir: GENERATED_DIR, checkOnly: false });
  const state = changed.length === 0 ? "up to date" : "written";
  terminal.say(`Rules ${document.version}: ${document.rules.length} rules, src/generated/ ${state}`);
  return runWrangler(["deploy", ...args], terminal);
}

/** Runs wrangler under this Node: started by its own name it takes whichever Node stands first in PATH. */
function runWrangler(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  return new Promise((done) => {
    // Its config and the paths in its arguments are the project's.
    const child = spawn(process.execPath, [wranglerScript(), ...args], { stdio: "inherit", cwd: ROOT });
    child.once("error", (error) => done(terminal.fail({ message: `wrangler can't be started: ${error.message}` })));
    child.once("exit", (code) => done(code === 0 ? EXIT_OK : EXIT_FAILURE));
  });
}

function wranglerScript(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin: { readonly wrangler: string } };
  return join(dirname(manifest), bin.wrangler);
}
