/** Runs the router on this machine: the Worker in workerd by miniflare's API, its state in a folder. Needs no network. */
import { mkdir } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { RulesDocument } from "../../src/core/rule.ts";
import { bundleWorker } from "./bundle.ts";
import { readWranglerConfig } from "./wrangler-config.ts";

/** The sweep of a deployed router runs by cron, which a local run does not have. */
const SWEEP_EVERY_MS = 300_000;

export interface RouterOptions {
  readonly document: RulesDocument;
  readonly port: number;
  readonly host: string;
  /** Where the objects' SQLite files live. */
  readonly stateDir: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Queue bindings that the rules name. */
  readonly queues: readonly string[];
  readonly printUrl: string;
  /** Further text bindings, such as PARTITIONS. */
  readonly vars?: Readonly<Record<string, string>>;
  /** What a line of the Worker's log is given to. */
  readonly onLog: (line: string) => void;
  /** Replaces the queue consumer that prints; a module that exports `queue(batch, env)`. */
  readonly consumerModule?: string;
}

export interface Router {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const PRINTING_CONSUMER = `export default {
  async queue(batch, env) {
    for (const message of batch.messages) {
      await fetch(env.PRINT_URL, { method: "POST", body: message.body, headers: { "content-type": "queue " + batch.queue } });
      message.ack();
    }
  },
};`;

export async function startRouter(options: RouterOptions): Promise<Router> {
  const stateDir = isAbsolute(options.stateDir) ? options.stateDir : resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  const [script, config] = await Promise.all([bundleWorker(options.document), readWranglerConfig()]);
  const queueName = (binding: string) => `local-${binding.toLowerCase().replaceAll("_", "-")}`;
  const local = JSON.stringify({ printUrl: options.printUrl, startedAt: Date.now() });
  const shared = { compatibilityDate: config.compatibilityDate, compatibilityFlags: [...config.compatibilityFlags] };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: options.host,
      port: options.port,
      log: new Log(LogLevel.ERROR),
      handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) => {
        forwardLines(stdout, options.onLog);
        forwardLines(stderr, options.onLog);
      },
      defaultPersistRoot: stateDir,
      workers: [
        {
          name: "sluice",
          ...shared,
          modules: [{ type: "ESModule", path: "index.mjs", contents: script }],
          bindings: { ...config.vars, ...options.vars, ...options.secrets, SLUICE_LOCAL: local },
          durableObjects: { PARTITION: { className: "Partition", useSQLite: true } },
          queueProducers: Object.fromEntries(options.queues.map((binding) => [binding, { queueName: queueName(binding) }])),
        },
        ...(options.queues.length === 0
          ? []
          : [
              {
                name: "queue-consumer",
                ...shared,
                modules: [
                  { type: "ESModule" as const, path: "consumer.mjs", contents: options.consumerModule ?? PRINTING_CONSUMER },
                ],
                bindings: { PRINT_URL: options.printUrl },
                queueConsumers: Object.fromEntries(
                  options.queues.map((binding) => [queueName(binding), { maxBatchSize: 10, maxBatchTimeout: 1 }]),
                ),
              },
            ]),
      ],
    }),
  );
  const url = (await miniflare.ready).origin;
  const worker = await miniflare.getWorker("sluice");
  const sweep = setInterval(() => {
    worker.scheduled({ cron: "*/5 * * * *" }).catch((error: unknown) => options.onLog(`sweep failed: ${String(error)}`));
  }, SWEEP_EVERY_MS);
  sweep.unref();
  return {
    url,
    close: async () => {
      clearInterval(sweep);
      await miniflare.dispose();
    },
  };
}

function forwardLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}
