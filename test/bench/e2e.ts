/**
 * `npm run bench:e2e`: Sluice with everything on beside the yardstick (`yardstick/worker.ts`), in alternating rounds, on the same
 * runtime, under the same load: signed GitHub webhooks of about 10 kB, each new, over kept connections, one real HTTP target.
 * The clock stops when the last event has arrived. Exits with 1 when one does not arrive.
 */
import { Command } from "commander";
import { createTerminal } from "../../bin/terminal.ts";
import type { LoadOptions } from "./bench-options.ts";
import { addLoadOptions, number, runtimeOption } from "./bench-options.ts";
import { startBenchTarget } from "./bench-process.ts";
import { RULES } from "./bench-rules.ts";
import type { Runtime } from "./bench-systems.ts";
import { sluiceSystem, yardstickSystem } from "./bench-systems.ts";
import type { Round } from "./e2e-round.ts";
import { runRound } from "./e2e-round.ts";
import { goalLines, goalsOf, summarise, summaryTable } from "./e2e-report.ts";
import { profileLines, profileSystem } from "./e2e-profile.ts";

const GROUP_MS = 2;
const WARM_UP_SECONDS = 2;
const PARTITIONS_DEFAULT = 4;
const RULES_MAX = 10_000;

interface Options extends LoadOptions {
  readonly runtime: Runtime;
  readonly rules: number;
  readonly profile?: true;
}

const command = addLoadOptions(new Command("bench:e2e"), { seconds: 10, rounds: 3 })
  .description("Events per second from the webhook to the target, beside a minimal Worker, in the same run.")
  .usage("[options]      (npm run bench:e2e -- [options])")
  .addOption(runtimeOption())
  .addOption(number("--rules <n>", "rules of which one matches each event", RULES_MAX, RULES))
  .option("--profile", "one round of Sluice under the CPU profiler instead: functions and files by their time")
  .addHelpText(
    "after",
    `
Examples:
  npm run bench:e2e
  npm run bench:e2e -- --seconds 3 --rounds 1
  npm run bench:e2e -- --runtime miniflare --json
  npm run bench:e2e -- --profile`,
  );
const options = command.parse().opts<Options>();
const terminal = createTerminal(process);
const target = await startBenchTarget();
try {
  process.exitCode = options.profile === true ? await showProfile() : await compare();
} finally {
  target.close();
}

async function compare(): Promise<number> {
  const { runtime, rules, seconds, rounds, senders } = options;
  const plain = yardstickSystem(0, { runtime });
  const grouping = yardstickSystem(GROUP_MS, { runtime });
  const sluice = sluiceSystem(1, { runtime, rules });
  const spread = sluiceSystem(PARTITIONS_DEFAULT, { runtime, rules });
  const measured = [plain, grouping, sluice, spread].map((system) => ({ system, rounds: [] as Round[] }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { system, rounds: done } of measured) {
      terminal.progress(`round ${round} of ${rounds}: ${system.name}`);
      const result = await runRound(system, target, { senders, seconds, warmUpSeconds: WARM_UP_SECONDS });
      done.push(result);
      if (result.problem !== undefined) terminal.say(`${system.name}: ${result.problem.split("\r\n")[0]}`);
    }
  }
  terminal.progress(null);
  const summaries = measured.map(({ system, rounds: done }) => summarise({ name: system.name, rounds: done }));
  const [ofPlain, ofGrouping, ofSluice] = summaries;
  if (ofPlain === undefined || ofGrouping === undefined || ofSluice === undefined) throw new Error("nothing measured");
  const goals = goalsOf(ofSluice, ofPlain, ofGrouping);
  if (options.json === true) {
    terminal.print(JSON.stringify({ runtime, rules, seconds, rounds, senders, systems: summaries, goals }, null, 2));
  } else {
    terminal.print(`${runtime}, ${rules} rules, ${senders} connections, median of ${rounds} rounds of ${seconds} s`);
    for (const line of summaryTable(summaries, terminal.width)) terminal.print(line);
    for (const line of goalLines(goals)) terminal.print(line);
  }
  const lost = summaries.filter(({ missing }) => missing > 0);
  for (const { name, missing } of lost) terminal.say(`${name}: ${missing} accepted events did not arrive`);
  return lost.length > 0 || summaries.some(({ accepted }) => accepted === 0) ? 1 : 0;
}

async function showProfile(): Promise<number> {
  const { runtime, rules, seconds, senders } = options;
  const system = sluiceSystem(1, { runtime, rules, inspector: true });
  const { profile, round } = await profileSystem(system, target, { senders, seconds, warmUpSeconds: WARM_UP_SECONDS });
  if (options.json === true) terminal.print(JSON.stringify({ round, profile }, null, 2));
  else for (const line of profileLines(profile, round)) terminal.print(line);
  return 0;
}
