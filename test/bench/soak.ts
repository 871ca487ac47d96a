/**
 * `npm run soak -- [--events N] [--rate R] [--senders N]`: a busy hour of one rule, one target and a hundred repositories (25
 * events a second, 90,000 in all), in a row and as fast as it goes; `--rate` slows it down to so many a second. Looks at the
 * router's memory and state as it goes. Exits with 1 when memory grows, or when an event does not arrive.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { GithubExample } from "../support/github-examples.ts";
import { createWorkspace, waitFor } from "../support/router-process.ts";
import { middlingExamples, postSigned, startCountingTarget } from "./github-load.ts";
import type { SoakSample } from "./soak-table.ts";
import { soakTable, soakVerdict } from "./soak-table.ts";

const EVENTS_MAX = 10_000_000;
const RATE_MAX = 100_000;
const SENDERS_MAX = 256;
const REPOSITORIES = 100;
const SAMPLE_MS = 3_000;
const ROW_MS = 30_000;
const REFUSED_WAIT_MS = 1_000;
const END_TIMEOUT_MS = 300_000;

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "90000" },
    rate: { type: "string" },
    senders: { type: "string", default: "32" },
  },
});
const events = readNumber("events", values.events, EVENTS_MAX);
const rate = values.rate === undefined ? Number.POSITIVE_INFINITY : readNumber("rate", values.rate, RATE_MAX);
const senders = readNumber("senders", values.senders, SENDERS_MAX);

const examples = middlingExamples();
const agent = new Agent({ keepAlive: true, maxSockets: senders });
const target = await startCountingTarget();
const workspace = await createWorkspace();
await workspace.writeRules({
  "sources.yaml": "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n",
  "targets.yaml": `target: { http: "${target.url}" }\n`,
  "default/one.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [target]\n",
});
const router = await workspace.start();
let accepted = 0;
let refused = 0;
let steady = false;
try {
  const startedAt = performance.now();
  const samples: SoakSample[] = [];
  let over = false;
  const sampling = sampleUntil(() => over, startedAt, samples);
  await load();
  const acceptedMs = performance.now() - startedAt;
  await waitFor("all deliveries", () => (target.received() >= events ? true : undefined), END_TIMEOUT_MS);
  const deliveredMs = performance.now() - startedAt;
  over = true;
  await sampling;
  const verdict = soakVerdict(samples);
  ({ steady } = verdict);
  const perSecond = (ms: number) => ((events / ms) * 1_000).toFixed(0);
  console.log(
    [
      ...soakTable(samples, ROW_MS),
      "",
      `${events} events accepted in ${(acceptedMs / 1_000).toFixed(0)} s (${perSecond(acceptedMs)} a second), ` +
        `delivered in ${(deliveredMs / 1_000).toFixed(0)} s (${perSecond(deliveredMs)} a second), ${refused} times 503`,
      verdict.line,
    ].join("\n"),
  );
} finally {
  await workspace.remove();
  agent.destroy();
  target.close();
}
process.exit(steady ? 0 : 1);

function readNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`expected a whole number from 1 to ${max} as --${name}`);
  process.exit(1);
}

async function load(): Promise<void> {
  const startedAt = performance.now();
  let next = 0;
  async function sendMany(): Promise<void> {
    for (let index = next++; index < events; index = next++) {
      const early = startedAt + (index / rate) * 1_000 - performance.now();
      if (early > 0) await sleep(early);
      await sendUntilAccepted(payloadAt(index), `soak-${index}`);
    }
  }
  await Promise.all(Array.from({ length: senders }, sendMany));
}

async function sendUntilAccepted(payload: GithubExample, id: string): Promise<void> {
  for (;;) {
    const status = await postSigned(router.url, agent, payload, id);
    if (status === 202) break;
    if (status !== 503) throw new Error(`refused with ${status}`);
    refused += 1;
    await sleep(REFUSED_WAIT_MS);
  }
  accepted += 1;
}

/** The repository decides over the partition. */
function payloadAt(index: number): GithubExample {
  const example = examples[index % examples.length];
  if (example === undefined) throw new Error("there are examples");
  const payload = JSON.parse(example.body) as { readonly repository?: object };
  const repository = { ...payload.repository, id: 1 + (index % REPOSITORIES) };
  return { event: example.event, body: JSON.stringify({ ...payload, repository }) };
}

async function sampleUntil(isOver: () => boolean, startedAt: number, samples: SoakSample[]): Promise<void> {
  for (let last = false; !last;) {
    last = isOver();
    samples.push({
      elapsedMs: performance.now() - startedAt,
      accepted,
      delivered: target.received(),
      rssBytes: await workerdRss(router.pid),
      stateBytes: await folderBytes(join(workspace.dir, "state")),
    });
    console.error(soakTable(samples.slice(-1), ROW_MS).at(-1));
    if (!last) await sleep(SAMPLE_MS);
  }
}

/** Of the workerd processes in the router's process group: `VmRSS` in proc(5). */
async function workerdRss(group: number): Promise<number> {
  let bytes = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is looked at.
    const [line = "", status = ""] = await Promise.all(
      ["stat", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    const [, name, fields = ""] = /^\d+ \((.*)\) (.*)/s.exec(line) ?? [];
    if (name !== "workerd" || Number(fields.split(" ")[2]) !== group) continue;
    bytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
  }
  if (bytes === 0) throw new Error("no workerd process to look at: this needs the /proc of Linux");
  return bytes;
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += file?.size ?? 0;
  }
  return bytes;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
