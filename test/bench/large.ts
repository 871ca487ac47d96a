/**
 * `npm run bench:large`: the memory that large webhooks take. Payloads of 25 MiB go through the real router in workerd, 1
 * and 4 at once; a Worker that reads the body, verifies it and parses it as a whole is measured in the same way.
 *
 * The local runtime enforces no 128 MB, so the isolate is asked: the inspector's `Runtime.getHeapUsage`, every few milliseconds,
 * for the JavaScript heap and what its buffers hold outside of it (`backingStorageSize`). RSS is of the whole workerd process, the
 * stand-in for R2 and its buffers included.
 */
import { createHmac, randomUUID } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundleWorker } from "../../bin/local/bundle.ts";
import { readWranglerConfig } from "../../bin/local/wrangler-config.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { LARGE_BODY_BYTES_MAX } from "../../src/http/large-body.ts";
import { startServer } from "../support/http-server.ts";
import { largePush } from "../support/large-payload.ts";
import { waitFor } from "../support/router-process.ts";
import type { Inspector } from "./inspector.ts";
import { openInspector } from "./inspector.ts";

const SECRET = "github-secret-for-tests";
const SAMPLE_MS = 5;
const MB = 1_000_000;

/** What is done without claim checks: the whole body, the whole text, all objects. */
const BUFFERING = `
import { createHmac } from "node:crypto";
export default {
  async fetch(request) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    createHmac("sha256", "${SECRET}").update(bytes).digest();
    const payload = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return Response.json({ id: payload.after, bytes: bytes.length }, { status: 202 });
  },
};`;

interface Measured {
  readonly heapMb: number;
  readonly buffersMb: number;
  readonly rssMb: number;
  readonly slowestMs: number;
}

const target = await startServer((response) => response.writeHead(204).end());
const document: RulesDocument = {
  version: "bench",
  sources: [{ name: "github", kind: "github", bus: "default", entry: { secrets: ["GITHUB_WEBHOOK_SECRET"] } }],
  targets: [
    {
      name: "target",
      kind: "http",
      entry: { http: target.url },
      timeoutMs: 15_000,
      retryDelaysMs: [5_000],
      maxAgeMs: 3_600_000,
    },
  ],
  rules: [
    {
      path: "default/main",
      bus: "default",
      pattern: { data: { ref: ["refs/heads/main"], commits: { author: { name: ["Mona"] } } } },
      targets: ["target"],
      mode: "live",
    },
  ],
};

const results = {
  router: await measure(await bundleWorker(document)),
  buffering: await measure(BUFFERING),
};
console.log(JSON.stringify(results, undefined, 2));
await target.close();
process.exit(0);

async function measure(script: string): Promise<Readonly<Record<string, Measured>>> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const { compatibilityDate, compatibilityFlags } = await readWranglerConfig();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.ERROR),
      cf: false,
      inspectorPort: 0,
      handleStructuredLogs: () => {},
      resourcePersistencePath: dir,
      workers: [
        {
          name: "sluice",
          compatibilityDate,
          compatibilityFlags: [...compatibilityFlags],
          modules: [{ type: "ESModule", path: "index.mjs", contents: script }],
          bindings: {
            PARTITIONS: "4",
            GITHUB_WEBHOOK_SECRET: SECRET,
            SLUICE_LOCAL: JSON.stringify({ printUrl: target.url, startedAt: Date.now() }),
          },
          ...(script === BUFFERING
            ? {}
            : {
                durableObjects: {
                  PARTITION: { className: "Partition", useSQLite: true },
                  GATE: { className: "Gate", useSQLite: true },
                },
                r2Buckets: { BODIES: "bodies" },
              }),
        },
      ],
    }),
  );
  try {
    const url = (await miniflare.ready).origin;
    const inspector = await openInspector(String(await miniflare.getInspectorURL()), "sluice");
    await inspector.call("Runtime.enable");
    const pid = workerdPid();
    await send(url, largePush({ bytes: 2 * MB }));
    const measured: Record<string, Measured> = {};
    for (const atOnce of [1, 4]) {
      const before = target.requests.length;
      const bodies = Array.from({ length: atOnce }, (_, n) =>
        largePush({ bytes: LARGE_BODY_BYTES_MAX, repositoryId: n + 1 }),
      );
      const peak = { heap: 0, buffers: 0, rss: 0 };
      const sampling = { goesOn: true };
      const sampler = sample(inspector, pid, peak, sampling);
      const times = await Promise.all(bodies.map((body) => send(url, body)));
      if (script !== BUFFERING) {
        await waitFor("the deliveries", () => (target.requests.length >= before + atOnce ? true : undefined), 60_000);
      }
      sampling.goesOn = false;
      await sampler;
      measured[`${atOnce} at once`] = {
        heapMb: Math.round(peak.heap / MB),
        buffersMb: Math.round(peak.buffers / MB),
        rssMb: Math.round(peak.rss / MB),
        slowestMs: Math.round(Math.max(...times)),
      };
    }
    inspector.close();
    return measured;
  } finally {
    await miniflare.dispose();
    await rm(dir, { recursive: true, force: true });
  }
}

async function send(url: string, body: Buffer): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/webhooks/github`, {
    method: "POST",
    body: body as BodyInit,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    },
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`refused: ${response.status} ${text}`);
  return performance.now() - startedAt;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

async function sample(
  inspector: Inspector,
  pid: number,
  peak: { heap: number; buffers: number; rss: number },
  sampling: { readonly goesOn: boolean },
): Promise<void> {
  while (sampling.goesOn) {
    const { usedSize, backingStorageSize = 0 } = (await inspector.call("Runtime.getHeapUsage")) as HeapUsage;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    peak.heap = Math.max(peak.heap, usedSize);
    peak.buffers = Math.max(peak.buffers, backingStorageSize);
    peak.rss = Math.max(peak.rss, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
}

/** The runtime that this process has started last. */
function workerdPid(): number {
  const list = execFileSync("ps", ["-o", "pid=,ppid=,comm=", "-A"], { encoding: "utf8" });
  const own = list
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => parent === String(process.pid) && name?.startsWith("workerd") === true);
  const pid = own.at(-1)?.[0];
  if (pid === undefined) throw new Error("no workerd is running");
  return Number(pid);
}
