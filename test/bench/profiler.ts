/**
 * CPU profiles of a running Worker over the inspector: where the time of its one thread goes, by function, by file and by layer.
 * What the runtime does outside of JavaScript (sockets, SQLite, serialising, the disk) is `(program)` and `(idle)`, or counts to
 * the function that called it.
 */
import { openInspector } from "./inspector.ts";

/** How often the stack is looked at. */
const SAMPLE_US = 200;
/** The comment that esbuild writes over what comes from a file. */
const FILE_COMMENT = /^\/\/ ((?:\.\.\/)*[\w@./-]+\.[mc]?[jt]s)$/;

export interface ProfiledFunction {
  readonly name: string;
  readonly file: string;
  /** Shares of the profile's time, 0 to 1. */
  readonly self: number;
}

export interface Profile {
  readonly seconds: number;
  readonly functions: readonly ProfiledFunction[];
  readonly files: readonly { readonly file: string; readonly self: number }[];
}

/** One node of the tree that V8's profiler answers with. https://chromedevtools.github.io/devtools-protocol/v8/Profiler/ */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface RawProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Profiles the first Worker of the inspector at `inspectorUrl`; `script` is what it runs, for the files' names. */
export async function takeProfile(inspectorUrl: string, script: string, seconds: number): Promise<Profile> {
  const { call, close } = await openInspector(inspectorUrl, "main");
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await call("Profiler.start");
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { profile: raw } = (await call("Profiler.stop")) as { readonly profile: RawProfile };
  close();
  return readProfile(raw, script);
}

/** Self times by function and by file, the most first. */
export function readProfile(raw: RawProfile, script: string): Profile {
  const files = filesByLine(script);
  const selfUs = new Map<number, number>();
  for (const [index, id] of raw.samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (raw.timeDeltas[index] ?? 0));
  }
  const totalUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  const functions = new Map<string, { name: string; file: string; self: number }>();
  for (const { id, callFrame } of raw.nodes) {
    const self = (selfUs.get(id) ?? 0) / totalUs;
    if (self === 0) continue;
    const name = callFrame.functionName === "" ? `(line ${callFrame.lineNumber + 1})` : callFrame.functionName;
    const file = callFrame.url === "" ? "runtime" : (files[callFrame.lineNumber] ?? callFrame.url);
    const key = `${name}\n${file}`;
    const known = functions.get(key);
    if (known === undefined) functions.set(key, { name, file, self });
    else known.self += self;
  }
  const sorted = [...functions.values()].toSorted((a, b) => b.self - a.self);
  const byFile = Map.groupBy(sorted, ({ file }) => file);
  return {
    seconds: (raw.endTime - raw.startTime) / 1_000_000,
    functions: sorted,
    files: [...byFile]
      .map(([file, list]) => ({ file, self: list.reduce((sum, { self }) => sum + self, 0) }))
      .toSorted((a, b) => b.self - a.self),
  };
}

/** The source file of each line of a bundle. */
function filesByLine(script: string): readonly string[] {
  let file = "bundle";
  return script.split("\n").map((line) => (file = FILE_COMMENT.exec(line)?.[1] ?? file));
}
