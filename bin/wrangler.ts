/** Runs the project's wrangler under this Node: started by its own name it takes whichever Node stands first in PATH. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

const ROOT = join(import.meta.dirname, "..");

/** A question is a few calls of Cloudflare's API. */
const ASK_TIMEOUT_MS = 120_000;
/** Of an answer; wrangler's are a few lines. */
const OUTPUT_CHARS_MAX = 100_000;

export interface WranglerAnswer {
  /** Null when it was ended. */
  readonly code: number | null;
  /** Both streams, without colours. */
  readonly output: string;
}

export interface Wrangler {
  /** Answers the exit code; the terminal is wrangler's meanwhile. */
  readonly run: (args: readonly string[]) => Promise<number | null>;
  /** Without a terminal, so that it asks nobody anything. */
  readonly ask: (args: readonly string[]) => Promise<WranglerAnswer>;
}

/** Both reject when it can't be started. `script`: another one than the project's. */
export function openWrangler(script: string = projectScript()): Wrangler {
  return {
    run: (args) =>
      new Promise((resolve, reject) => {
        // Its config and the paths in its arguments are the project's.
        const child = spawn(process.execPath, [script, ...args], { stdio: "inherit", cwd: ROOT });
        child.once("error", reject);
        child.once("exit", resolve);
      }),
    ask: (args) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [script, ...args], {
          stdio: ["ignore", "pipe", "pipe"],
          cwd: ROOT,
          timeout: ASK_TIMEOUT_MS,
        });
        let output = "";
        const hear = (text: string): void => void (output = (output + text).slice(0, OUTPUT_CHARS_MAX));
        child.stdout.setEncoding("utf8").on("data", hear);
        child.stderr.setEncoding("utf8").on("data", hear);
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, output: stripVTControlCharacters(output) }));
      }),
  };
}

function projectScript(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin: { readonly wrangler: string } };
  return join(dirname(manifest), bin.wrangler);
}
