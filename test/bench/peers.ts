/**
 * `npm run bench:peers`: the same job on others' software, in turn with Sluice, under the same load: a signed GitHub webhook in, a
 * filter on its body, one HTTP target. What a peer lacks is printed with its figures. A peer that can't be installed is left out.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { tableLines } from "../../bin/table.ts";
import { createTerminal } from "../../bin/terminal.ts";
import type { LoadOptions } from "./bench-options.ts";
import { addLoadOptions } from "./bench-options.ts";
import { startBenchTarget } from "./bench-process.ts";
import { sluiceSystem } from "./bench-systems.ts";
import type { BenchSystem, Round } from "./e2e-round.ts";
import { runRound } from "./e2e-round.ts";
import type { SystemSummary } from "./e2e-report.ts";
import { summarise } from "./e2e-report.ts";
import { nodeRedSystem } from "./peer-node-red.ts";
import { webhookSystem } from "./peer-webhook.ts";
import { BENCH_SECRETS } from "./workerd-runner.ts";

const WARM_UP_SECONDS = 2;

interface Peer {
  readonly system: BenchSystem;
  readonly forwards: boolean;
  /** What it does of the job, and what not. */
  readonly does: string;
}

const DOES = {
  sluice:
    "stores the event before it answers, accepts it once, evaluates 100 rules, keeps a log, retries, records each attempt",
  nodeRed:
    "verifies, filters, forwards. Stores nothing: what it holds is lost when it stops, a failed request is not repeated, a repeat is forwarded again",
  matching: "verifies, matches and answers; the last condition fails, so nothing is run. Forwards and stores nothing",
  running: "verifies, matches, answers and starts a process for each event. Forwards and stores nothing",
};

const options = addLoadOptions(new Command("bench:peers"), { seconds: 5, rounds: 3 })
  .description("The same job on Node-RED and adnanh's webhook, beside Sluice, in the same run.")
  .usage("[options]      (npm run bench:peers -- [options])")
  .addHelpText(
    "after",
    `
Node-RED comes from npm (280 packages), webhook from its Debian package unless it is on the PATH; both go into a temporary
folder that is removed at the end.

Examples:
  npm run bench:peers
  npm run bench:peers -- --seconds 2 --rounds 1 --json`,
  )
  .parse()
  .opts<LoadOptions>();
const terminal = createTerminal(process);
const dir = await mkdtemp(join(tmpdir(), "sluice-peers-"));
const target = await startBenchTarget();
try {
  process.exitCode = await compare(await findPeers());
} finally {
  target.close();
  await rm(dir, { recursive: true, force: true });
}

async function findPeers(): Promise<readonly Peer[]> {
  const secret = BENCH_SECRETS.GITHUB_WEBHOOK_SECRET;
  const peers: Peer[] = [
    { system: sluiceSystem(1, { runtime: "workerd" }), forwards: true, does: DOES.sluice },
    {
      system: { ...sluiceSystem(1, { runtime: "miniflare" }), name: "Sluice under miniflare, as npm start" },
      forwards: true,
      does: `the same, behind miniflare's proxy`,
    },
  ];
  terminal.say("installing Node-RED into a temporary folder ...");
  const nodeRed = await nodeRedSystem(dir, secret);
  if (nodeRed.ok) peers.push({ system: nodeRed.value, forwards: true, does: DOES.nodeRed });
  else terminal.say(`left out: Node-RED can't be installed: ${nodeRed.error}`);
  for (const runs of [false, true]) {
    const webhook = await webhookSystem(dir, secret, { runs });
    if (webhook.ok) {
      peers.push({ system: webhook.value, forwards: false, does: runs ? DOES.running : DOES.matching });
    } else if (!runs) terminal.say(`left out: webhook can't be installed: ${webhook.error}`);
  }
  return peers;
}

async function compare(peers: readonly Peer[]): Promise<number> {
  const { seconds, rounds, senders } = options;
  const measured = peers.map((peer) => ({ ...peer, rounds: [] as Round[] }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { system, forwards, rounds: done } of measured) {
      terminal.progress(`round ${round} of ${rounds}: ${system.name}`);
      const result = await runRound(system, target, { senders, seconds, warmUpSeconds: WARM_UP_SECONDS, forwards });
      done.push(result);
      if (result.problem !== undefined) terminal.say(`${system.name}: ${result.problem.split("\r\n")[0]}`);
    }
  }
  terminal.progress(null);
  const rows = measured.map(({ system, forwards, does, rounds: done }) => ({
    ...summarise({ name: system.name, rounds: done }),
    forwards,
    does,
  }));
  const [sluice] = rows;
  if (sluice === undefined) throw new Error("nothing measured");
  const shown = rows.map((row) => ({ ...row, ratios: ratiosOf(row, sluice, row.forwards) }));
  if (options.json === true) terminal.print(JSON.stringify({ seconds, rounds, senders, peers: shown }, null, 2));
  else showTable(shown);
  return sluice.missing > 0 ? 1 : 0;
}

interface Ratios {
  readonly accepted: number;
  /** Null where nothing is forwarded. */
  readonly delivered: number | null;
}

/** Sluice's figures over the peer's. */
function ratiosOf(peer: SystemSummary, sluice: SystemSummary, forwards: boolean): Ratios {
  return {
    accepted: sluice.acceptedPerSecond / peer.acceptedPerSecond,
    delivered: forwards ? sluice.eventsPerSecond / peer.eventsPerSecond : null,
  };
}

type Row = SystemSummary & { readonly forwards: boolean; readonly does: string; readonly ratios: Ratios };

function showTable(rows: readonly Row[]): void {
  const columns = [
    { title: "", value: ({ name }: Row) => name },
    { title: "answered/s", value: (row: Row) => row.acceptedPerSecond.toFixed(0) },
    { title: "delivered/s", value: (row: Row) => (row.forwards ? row.eventsPerSecond.toFixed(0) : "-") },
    { title: "p50 ms", value: (row: Row) => row.p50Ms.toFixed(1) },
    { title: "p99 ms", value: (row: Row) => row.p99Ms.toFixed(1) },
    { title: "CPU us/event", value: (row: Row) => row.cpuUsPerEvent?.toFixed(0) ?? "-" },
    { title: "missing", value: (row: Row) => (row.forwards ? String(row.missing) : "-") },
    { title: "Sluice answers", value: ({ ratios }: Row) => `${ratios.accepted.toFixed(2)} x` },
    {
      title: "delivers",
      value: ({ ratios }: Row) => (ratios.delivered === null ? "-" : `${ratios.delivered.toFixed(2)} x`),
    },
  ];
  for (const line of tableLines(rows, columns, { width: terminal.width, paint: terminal.paint })) terminal.print(line);
  terminal.print("");
  for (const { name, does } of rows) terminal.print(`${name}: ${does}.`);
}
