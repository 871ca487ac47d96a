/**
 * Secrets for a local run: the environment first, then `.dev.vars` (the file that wrangler reads too). What neither has is
 * made up, random, and written there, so that the first run works and the next one knows the same secrets.
 */
import { randomBytes } from "node:crypto";
import { appendFile, chmod, readFile } from "node:fs/promises";
import { parseEnv } from "node:util";

export const DEV_VARS_FILE = ".dev.vars";

export interface DevVars {
  readonly values: Readonly<Record<string, string>>;
  /** Names that were just made up and written. */
  readonly added: readonly string[];
}

export async function readDevVars(file: string = DEV_VARS_FILE): Promise<Readonly<Record<string, string>>> {
  try {
    return parseEnv(await readFile(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return {};
    throw error;
  }
}

/** Values for all names. An empty variable in the environment counts as a decision: the secret is not set. */
export async function resolveDevVars(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  file: string = DEV_VARS_FILE,
): Promise<DevVars> {
  const stored = await readDevVars(file);
  const values: Record<string, string> = {};
  const added: string[] = [];
  for (const name of new Set(names)) {
    const known = env[name] ?? stored[name];
    if (known === undefined) added.push(name);
    values[name] = known ?? randomBytes(24).toString("base64url");
  }
  if (added.length > 0) {
    const lines = added.map((name) => `${name}="${values[name]}"\n`).join("");
    await appendFile(file, `# Made up for local runs by \`npm start\`\n${lines}`, { mode: 0o600 });
    await chmod(file, 0o600);
  }
  return { values, added };
}
