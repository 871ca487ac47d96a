/** Plants one bug at a time in a copy of the source and runs the simulation on the copy, in a process of its own. */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What the simulation is made of; the rest of the checkout is not copied. */
const COPIED = ["package.json", "src", "test/simulation", "test/support"];
/** A bug must show within these seeds, and the source as it is passes them. */
const SEEDS_MAX = 400;
/** One copy's run. A bug that makes the run spin takes a minute until it is seen. */
const RUN_MS_MAX = 240_000;
const RUNS_AT_ONCE = 2;
const OUTPUT_CHARS_MAX = 10_000;
/** An exception is no broken promise, but for that of a run without end. */
const THREW = /^threw: (?!.*something spins)/;
/** The row of the source as it is. */
const UNCHANGED = "(unchanged)";

export interface MutationResult {
  readonly name: string;
  /** Failed: the run ended otherwise than by a broken promise, which catches nothing. */
  readonly kind: "caught" | "passed" | "failed";
  /** The seed that broke a promise. */
  readonly seed?: number;
  /** What was broken, or all that was said. */
  readonly said: string;
}

/** Runs the source as it is, then with each mutation. Throws when a mutation no longer fits the source. */
export async function runMutations(mutations: readonly Mutation[]): Promise<readonly MutationResult[]> {
  for (const mutation of mutations) plant(await readFile(join(ROOT, "src", mutation.file), "utf8"), mutation);
  const folder = await mkdtemp(join(tmpdir(), "sluice-mutations-"));
  try {
    const runs = [undefined, ...mutations].entries();
    const results: MutationResult[] = [];
    const work = async () => {
      for (const [index, mutation] of runs) {
        results[index] = await runCopy(join(folder, String(index)), mutation);
      }
    };
    await Promise.all(Array.from({ length: RUNS_AT_ONCE }, work));
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCopy(copy: string, mutation: Mutation | undefined): Promise<MutationResult> {
  const name = mutation?.name ?? UNCHANGED;
  await mkdir(copy);
  for (const path of COPIED) await cp(join(ROOT, path), join(copy, path), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  if (mutation !== undefined) {
    const file = join(copy, "src", mutation.file);
    await writeFile(file, plant(await readFile(file, "utf8"), mutation));
  }
  const { code, output } = await runSimulation(copy);
  const [, seed, broken] = /^seed (\d+): (.*)$/m.exec(output) ?? [];
  if (code === 0) return { name, kind: "passed", said: output.trim() };
  if (code !== 1 || seed === undefined || broken === undefined || THREW.test(broken)) {
    return { name, kind: "failed", said: `ended with ${code}: ${output.trim()}` };
  }
  return { name, kind: "caught", seed: Number(seed), said: broken };
}

export function plant(text: string, { name, file, find, replace }: Mutation): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${name}: its text to find must stand exactly once in src/${file}`);
  }
  return before + replace + after;
}

function runSimulation(copy: string): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const args = [
      join(copy, "test/simulation/run.ts"),
      "--seeds",
      String(SEEDS_MAX),
      "--until-failure",
      "--processes",
      "1",
    ];
    const child = spawn(process.execPath, args, {
      cwd: copy,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (text: string) => {
      output = (output + text).slice(0, OUTPUT_CHARS_MAX);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** The simulation passes the source as it is and catches every bug. */
export function isAsExpected({ name, kind }: MutationResult): boolean {
  return kind === (name === UNCHANGED ? "passed" : "caught");
}

const SAID_CHARS_SHOWN = 100;

export function formatMutations(results: readonly MutationResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(
    ({ name, kind, seed, said }) =>
      `${name.padEnd(width)}  ${(seed === undefined ? kind : String(seed)).padStart(6)}  ${said.slice(0, SAID_CHARS_SHOWN)}`,
  );
  const caught = results.filter(({ kind }) => kind === "caught").length;
  const total = results.filter(({ name }) => name !== UNCHANGED).length;
  return [`${"mutation".padEnd(width)}    seed  what it said`, ...lines, `${caught} of ${total} caught`].join("\n");
}
