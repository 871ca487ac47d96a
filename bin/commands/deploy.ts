/** `sluice deploy`: checks the rules, writes the generated files, sees to queues and bucket, and hands over to wrangler. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { TomlError, parse } from "smol-toml";
import { GENERATED_DIR, generate } from "../../scripts/generate.ts";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import { boundResources, createMissing, describeResource } from "../cloud-resources.ts";
import type { CloudResource } from "../cloud-resources.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { checkRules, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import type { Wrangler } from "../wrangler.ts";
import { openWrangler } from "../wrangler.ts";

export interface DeployOptions {
  readonly rules: string;
}

const ROOT = join(import.meta.dirname, "../..");

/** `wrangler` and `config`, a file, are the project's but in tests. */
export async function deploy(
  args: readonly string[],
  options: DeployOptions,
  terminal: Terminal,
  wrangler: Wrangler = openWrangler(),
  config: string = join(ROOT, "wrangler.toml"),
): Promise<ExitCode> {
  const { problems, document } = await checkRules(options.rules, true);
  sayProblems(problems, terminal);
  if (document === undefined) return terminal.fail(rulesFailure(options.rules, problems));
  const { changed } = await generate({ rulesDir: resolve(options.rules), outDir: GENERATED_DIR, checkOnly: false });
  const state = changed.length === 0 ? "up to date" : "written";
  terminal.say(`Rules ${document.version}: ${document.rules.length} rules, src/generated/ ${state}`);
  try {
    const ready = await prepareCloud(readWranglerArgs(args), config, wrangler, terminal);
    if (!ready.ok) return terminal.fail(ready.error);
    return (await wrangler.run(["deploy", ...args])) === 0 ? EXIT_OK : EXIT_FAILURE;
  } catch (error) {
    return terminal.fail({ message: `wrangler can't be started: ${(error as Error).message}` });
  }
}

interface WranglerArgs {
  readonly isDryRun: boolean;
  readonly environment: string | undefined;
  readonly config: string | undefined;
  /** Options that say where and as whom: those of every command. */
  readonly shared: readonly string[];
}

/** What of wrangler's options changes where a deployment goes; the others are its own. */
function readWranglerArgs(args: readonly string[]): WranglerArgs {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      "dry-run": { type: "boolean" },
      env: { type: "string", short: "e" },
      config: { type: "string", short: "c" },
      profile: { type: "string" },
      "env-file": { type: "string", multiple: true },
    },
  });
  const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const environment = textOf(values.env);
  const config = textOf(values.config);
  const profile = textOf(values.profile);
  const envFiles = (values["env-file"] ?? []).flatMap((file) => textOf(file) ?? []);
  return {
    isDryRun: values["dry-run"] === true,
    environment,
    config,
    shared: [
      ...(environment === undefined ? [] : ["--env", environment]),
      ...(config === undefined ? [] : ["--config", config]),
      ...(profile === undefined ? [] : ["--profile", profile]),
      ...envFiles.flatMap((file) => ["--env-file", file]),
    ],
  };
}

/** A dry run needs no network and no login, so it only says what there is to look for. */
async function prepareCloud(
  { isDryRun, environment, config, shared }: WranglerArgs,
  ownConfig: string,
  wrangler: Wrangler,
  terminal: Terminal,
): Promise<Result<null, Failure>> {
  const read = await readResources(config === undefined ? ownConfig : resolve(ROOT, config), environment);
  if (!read.ok) return read;
  if (!isDryRun) return createMissing(read.value, shared, wrangler, terminal);
  for (const resource of read.value) {
    terminal.say(`Would look for ${describeResource(resource)}, and create it if it is missing`);
  }
  return ok(null);
}

async function readResources(
  file: string,
  environment: string | undefined,
): Promise<Result<readonly CloudResource[], Failure>> {
  // Wrangler reads JSON, too, and says itself what is wrong with its file.
  if (!file.endsWith(".toml")) return ok([]);
  try {
    return ok(boundResources(parse(await readFile(file, "utf8")), environment));
  } catch (error) {
    if (error instanceof TomlError) {
      const [line = ""] = error.message.split("\n", 1);
      return err({ message: `${printable(file)}:${error.line}:${error.column}: expected TOML: ${line}` });
    }
    return err({
      message: `${printable(file)} can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`,
    });
  }
}
