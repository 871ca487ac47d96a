/** Processes of the benches' own and what they cost: the load generator, the target, and CPU time of any process. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TargetCount, TargetQuestion } from "./bench-target.ts";
import type { LoadOrder, LoadResult } from "./load-generator.ts";

/** Linux counts CPU time in hundredths of a second wherever this runs (`getconf CLK_TCK`). */
const TICK_US = 10_000;
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

export interface BenchTarget {
  readonly url: string;
  readonly ask: (question: TargetQuestion) => Promise<TargetCount>;
  readonly close: () => void;
}

export async function startBenchTarget(): Promise<BenchTarget> {
  const child = start("bench-target.ts");
  const { port } = await answerOf<{ readonly port: number }>(child);
  let last: Promise<unknown> = Promise.resolve();
  return {
    url: `http://127.0.0.1:${port}/hook`,
    // One question at a time: answers have no numbers.
    ask: (question) => {
      const asked = last.then(() => {
        const answer = answerOf<TargetCount>(child);
        child.send(question);
        return answer;
      });
      last = asked.catch(() => undefined);
      return asked;
    },
    close: () => child.kill(),
  };
}

export interface RunningLoad {
  /** When the signatures are ready and the first request goes out. */
  readonly started: Promise<void>;
  readonly result: Promise<LoadResult>;
}

export function runLoad(order: LoadOrder): RunningLoad {
  const child = start("load-generator.ts");
  const started = answerOf<"ready">(child).then(() => undefined);
  const result = started.then(() => answerOf<LoadResult>(child)).finally(() => child.kill());
  child.send(order);
  return { started, result };
}

/** CPU time of a process and of its threads in microseconds; undefined where there is no /proc. */
export async function cpuUs(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name, in brackets, may have blanks.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) * TICK_US;
}

function start(file: string): ChildProcess {
  return fork(join(import.meta.dirname, file), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a process of the bench ended"));
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.removeListener("exit", onExit);
      resolve(answer as Answer);
    });
  });
}
