/**
 * Secrets for a local run: the environment first, then `.dev.vars` (the file that wrangler reads too). What neither has is
 * made up, random, and written there, so that the first run works and the next one knows the same secrets.
 */
import { randomBytes } from "node:crypto";
import { appendFile, chmod, readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { Failure } from "../failure.ts";

export const DEV_VARS_FILE = ".dev.vars";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface DevVars {
  readonly values: Readonly<Record<string, string>>;
  /** Names that were just made up. */
  readonly added: readonly string[];
  /** Why they could not be written; absent when they were. */
  readonly notWritten?: string;
}

/** The file's variables; none when there is no file. */
async function readDevVars(
  file: string,
): Promise<Result<{ readonly text: string; readonly stored: Environment }, Failure>> {
  try {
    const text = await readFile(file, "utf8");
    return ok({ text, stored: parseEnv(text) });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return ok({ text: "", stored: {} });
    return err({ message: `${file} can't be read (${code ?? "unknown reason"})` });
  }
}

/**
 * A secret's value: the environment's, else the file's. An empty variable in the environment counts as a decision: the
 * secret is not set.
 */
export async function findSecret(
  name: string,
  env: Environment,
  file: string = DEV_VARS_FILE,
): Promise<Result<string | undefined, Failure>> {
  const fromEnv = ownValue(env, name);
  if (fromEnv !== undefined) return ok(fromEnv === "" ? undefined : fromEnv);
  const read = await readDevVars(file);
  if (!read.ok) return read;
  const value = ownValue(read.value.stored, name);
  return ok(value === "" ? undefined : value);
}

function ownValue(variables: Environment, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

/** Values for all names, made up where there is none. */
export async function resolveDevVars(
  names: readonly string[],
  env: Environment,
  file: string = DEV_VARS_FILE,
): Promise<Result<DevVars, Failure>> {
  const read = await readDevVars(file);
  if (!read.ok) return read;
  const { text, stored } = read.value;
  const values: Record<string, string> = {};
  const added: string[] = [];
  for (const name of new Set(names)) {
    const known = ownValue(env, name) ?? ownValue(stored, name);
    if (known === undefined) added.push(name);
    // Hexadecimal digits, so many that they are base64 as well: some vendors' keys have to be the one or the other.
    values[name] = known ?? randomBytes(32).toString("hex");
  }
  if (added.length === 0) return ok({ values, added });
  const lines = added.map((name) => `${name}="${values[name]}"\n`).join("");
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  try {
    await appendFile(file, `${separator}# Made up for local runs by \`npm start\`\n${lines}`, { mode: 0o600 });
    await chmod(file, 0o600);
    return ok({ values, added });
  } catch (error) {
    return ok({ values, added, notWritten: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}
