/** One round of the end-to-end bench under V8's CPU profiler. */
import type { BenchTarget } from "./bench-process.ts";
import type { BenchSystem, Round, RoundOptions } from "./e2e-round.ts";
import { runRound } from "./e2e-round.ts";
import type { Profile } from "./profiler.ts";
import { takeProfile } from "./profiler.ts";

const FUNCTIONS_SHOWN = 40;
const FILES_SHOWN = 30;
/** The profiler is stopped before the load is. */
const MARGIN_SECONDS = 1;

export async function profileSystem(
  system: BenchSystem,
  target: BenchTarget,
  options: RoundOptions,
): Promise<{ readonly profile: Profile; readonly round: Round }> {
  const profiles: Profile[] = [];
  const round = await runRound(system, target, {
    ...options,
    onLoad: async ({ inspectorUrl, script }, seconds) => {
      if (inspectorUrl === undefined) throw new Error("the server has no inspector");
      profiles.push(await takeProfile(inspectorUrl, script, Math.max(1, seconds - MARGIN_SECONDS)));
    },
  });
  const [profile] = profiles;
  if (profile === undefined) throw new Error("no profile was taken");
  return { profile, round };
}

/** Shares of the thread's time, and what they are of an event's CPU time where that is known. */
export function profileLines({ functions, files }: Profile, { cpuUsPerEvent }: Round): readonly string[] {
  const idle = functions.find(({ name }) => name === "(idle)")?.self ?? 0;
  const line = (self: number, what: string) => {
    const us = cpuUsPerEvent === undefined ? "" : `${((self / (1 - idle)) * cpuUsPerEvent).toFixed(0).padStart(6)} us`;
    return `${(self * 100).toFixed(1).padStart(5)} %${us}  ${what}`;
  };
  const isWork = ({ name }: { readonly name: string }) => name !== "(idle)";
  return [
    `CPU of an event: ${cpuUsPerEvent?.toFixed(0) ?? "not known"} us; idle ${(idle * 100).toFixed(0)} %. Own time by function:`,
    ...functions
      .filter(isWork)
      .slice(0, FUNCTIONS_SHOWN)
      .map(({ name, file, self }) => line(self, `${name}  ${file}`)),
    "By file:",
    ...files.slice(0, FILES_SHOWN).map(({ file, self }) => line(file === "runtime" ? self - idle : self, file)),
  ];
}
