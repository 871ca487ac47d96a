/**
 * `npm run bench -- [--events N] [--senders N]`: the main job end to end on this machine. Signed GitHub payloads of about
 * 10 kB go in, one rule matches, one HTTP target gets it; the clock stops when the last one has arrived. The router is the
 * process that `npm start` runs (workerd under miniflare's API), the load and the targets are this process.
 */
import { Agent } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { createWorkspace, waitFor } from "../support/router-process.ts";
import { middlingExamples, postSigned, startCountingTarget } from "./github-load.ts";

const { values } = parseArgs({
  options: { events: { type: "string", default: "3000" }, senders: { type: "string", default: "32" } },
});
const events = Number(values.events);
const senders = Number(values.senders);

const target = await startCountingTarget();
const workspace = await createWorkspace();
await workspace.writeRules({
  "sources.yaml": "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n",
  "targets.yaml": `target: { http: "${target.url}" }\n`,
  "default/one.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [target]\n",
});
const startedAt = performance.now();
const router = await workspace.start();
const startMs = performance.now() - startedAt;

await load(500, "warm-up");
await waitFor("the warm-up", () => (target.received() >= 500 ? true : undefined), 60_000);
const before = target.received();
const loadStarted = performance.now();
const latencies = await load(events, "bench");
const acceptedMs = performance.now() - loadStarted;
await waitFor("all deliveries", () => (target.received() - before >= events ? true : undefined), 120_000);
const deliveredMs = performance.now() - loadStarted;
latencies.sort((a, b) => a - b);
const at = (share: number) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1));

console.log(
  JSON.stringify(
    {
      events,
      senders,
      acceptedPerSecond: Math.round((events / acceptedMs) * 1_000),
      deliveredPerSecond: Math.round((events / deliveredMs) * 1_000),
      acceptanceMs: { p50: at(0.5), p99: at(0.99) },
      startMs: Math.round(startMs),
      bundle: await bundleSize(),
    },
    undefined,
    2,
  ),
);
await workspace.remove();
target.close();
process.exit(0);

/** Sends so many payloads of 5 to 25 kB, each under a new id; answers how long each acceptance took. */
async function load(count: number, prefix: string): Promise<number[]> {
  const payloads = middlingExamples();
  const agent = new Agent({ keepAlive: true, maxSockets: senders });
  const times: number[] = [];
  let next = 0;
  async function sendMany(): Promise<void> {
    for (let index = next++; index < count; index = next++) {
      const payload = payloads[index % payloads.length];
      if (payload === undefined) throw new Error("no payloads");
      const sentAt = performance.now();
      const status = await postSigned(router.url, agent, payload, `${prefix}-${index}`);
      if (status !== 202) throw new Error(`refused with ${status}`);
      times.push(performance.now() - sentAt);
    }
  }
  await Promise.all(Array.from({ length: senders }, sendMany));
  agent.destroy();
  return times;
}

async function bundleSize() {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "../../src/index.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return { minifiedKib: Math.round(code.length / 1_024), gzippedKib: Math.round(gzipSync(code).length / 1_024) };
}
