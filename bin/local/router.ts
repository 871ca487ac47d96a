/** Runs the router on this machine: the Worker in workerd by miniflare's API, its state in a folder. Needs no network. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { RulesDocument } from "../../src/core/rule.ts";
import { bundleWorker } from "./bundle.ts";
import { knownPort, localDataSecret, localPublicUrl } from "./local-data.ts";
import { tieWorkerdToThisProcess } from "./workerd-command.ts";
import type { WranglerConfig } from "./wrangler-config.ts";
import { readWranglerConfig } from "./wrangler-config.ts";

/** The sweep of a deployed router runs by cron, which a local run does not have. */
const SWEEP_EVERY_MS = 300_000;

/** What may change while the router runs. */
export interface RouterRules {
  readonly document: RulesDocument;
  readonly secrets: Readonly<Record<string, string>>;
  /** Queue bindings that the rules name. */
  readonly queues: readonly string[];
}

export interface RouterOptions extends RouterRules {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  /** Where the objects' SQLite files live. */
  readonly stateDir: string;
  readonly printUrl: string;
  /** Further text bindings, such as PARTITIONS. */
  readonly vars?: Readonly<Record<string, string>>;
  /** What a line of the Worker's log is given to. */
  readonly onLog: (line: string) => void;
  /** Replaces the queue consumer that prints. */
  readonly consumer?: LocalConsumer;
  /** Other Workers by the service bindings that they are called through, each one module. Without any, targets print. */
  readonly services?: Readonly<Record<string, LocalService>>;
}

export interface LocalConsumer {
  /** A module that exports `queue(batch, env)`. */
  readonly module: string;
  readonly bindings?: Readonly<Record<string, string>>;
  /** Classes of its module by the bindings that they have. */
  readonly objects?: Readonly<Record<string, string>>;
}

export interface LocalService {
  readonly module: string;
  /** The class that the binding is to; its default export without. */
  readonly entrypoint?: string;
  readonly bindings?: Readonly<Record<string, string>>;
}

export interface Router {
  readonly url: string;
  /** Goes on with other rules, at the same URL and on the same state. Requests under way are cut off. */
  readonly reload: (rules: RouterRules) => Promise<void>;
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

/** Rejects with a code of `ERR_ADDRESS_IN_USE` when the port is taken. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  const [script, config, port, dataSecret] = await Promise.all([
    bundleWorker(options.document),
    readWranglerConfig(),
    knownPort(options.port, options.host),
    localDataSecret(stateDir),
  ]);
  const log = quietLog(options.onLog);
  const vars = { PUBLIC_URL: localPublicUrl(options.host, port), DATA_SECRET: dataSecret, ...options.vars };
  const configure = (rules: RouterRules, worker: string) =>
    miniflareOptions({ ...options, ...rules, port, stateDir, vars }, worker, config, log);

  tieWorkerdToThisProcess();
  const miniflare = withoutSignalHandlers(() => new Miniflare(configure(options, script)));
  let url: URL;
  try {
    url = await miniflare.ready;
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    throw error;
  }
  const sweep = setInterval(() => {
    const swept = miniflare.getWorker("sluice").then((worker) => worker.scheduled({ cron: "*/5 * * * *" }));
    swept.catch((error: unknown) => options.onLog(`sweep failed: ${String(error)}`));
  }, SWEEP_EVERY_MS);
  sweep.unref();
  return {
    url: url.origin,
    reload: async (rules) => {
      const changed = await bundleWorker(rules.document);
      await miniflare.setOptions(configure(rules, changed));
    },
    close: async () => {
      clearInterval(sweep);
      await miniflare.dispose();
    },
  };
}

function miniflareOptions(options: RouterOptions, script: string, config: WranglerConfig, log: Log) {
  const services = Object.entries(options.services ?? {});
  const serviceName = (binding: string) => `service-${binding.toLowerCase().replaceAll("_", "-")}`;
  const queueName = (binding: string) => `local-${binding.toLowerCase().replaceAll("_", "-")}`;
  const local = JSON.stringify({ printUrl: options.printUrl, startedAt: Date.now() });
  const shared = { compatibilityDate: config.compatibilityDate, compatibilityFlags: [...config.compatibilityFlags] };
  const consumer = {
    name: "queue-consumer",
    ...shared,
    modules: [
      { type: "ESModule" as const, path: "consumer.mjs", contents: options.consumer?.module ?? PRINTING_CONSUMER },
    ],
    bindings: {
      PRINT_URL: options.printUrl,
      SLUICE_URL: options.vars?.["PUBLIC_URL"] ?? "",
      ...options.consumer?.bindings,
    },
    durableObjects: Object.fromEntries(
      Object.entries(options.consumer?.objects ?? {}).map(([name, className]) => [
        name,
        { className, useSQLite: true },
      ]),
    ),
    queueConsumers: Object.fromEntries(
      options.queues.map((binding) => [queueName(binding), { maxBatchSize: 10, maxBatchTimeout: 1 }]),
    ),
  };
  return convertV4MiniflareOptions({
    host: options.host,
    port: options.port,
    log,
    logRequests: false,
    // Otherwise miniflare asks the network what `request.cf` should be.
    cf: false,
    handleStructuredLogs: ({ message }) => {
      for (const line of stripVTControlCharacters(message).split("\n")) options.onLog(line);
    },
    resourcePersistencePath: options.stateDir,
    workers: [
      {
        name: "sluice",
        ...shared,
        modules: [{ type: "ESModule", path: "index.mjs", contents: script }],
        bindings: { ...config.vars, ...options.vars, ...options.secrets, SLUICE_LOCAL: local },
        durableObjects: {
          PARTITION: { className: "Partition", useSQLite: true },
          GATE: { className: "Gate", useSQLite: true },
        },
        r2Buckets: Object.fromEntries(config.bucketBindings.map((binding) => [binding, binding.toLowerCase()])),
        serviceBindings: Object.fromEntries(
          services.map(([binding, { entrypoint }]) => [
            binding,
            { name: serviceName(binding), ...(entrypoint === undefined ? {} : { entrypoint }) },
          ]),
        ),
        queueProducers: Object.fromEntries(
          options.queues.map((binding) => [binding, { queueName: queueName(binding) }]),
        ),
      },
      ...(options.queues.length === 0 ? [] : [consumer]),
      ...services.map(([binding, { module, bindings = {} }]) => ({
        name: serviceName(binding),
        ...shared,
        modules: [{ type: "ESModule" as const, path: "service.mjs", contents: module }],
        bindings,
      })),
    ],
  });
}

/** Miniflare's log writes to standard output, which belongs to the command. */
function quietLog(onLog: RouterOptions["onLog"]): Log {
  const log = new Log(LogLevel.ERROR);
  Object.defineProperty(log, "log", { value: (message: string) => onLog(stripVTControlCharacters(message)) });
  return log;
}

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Miniflare ends the process on a signal, at once and as a failure; what a signal means is the command's to say. */
function withoutSignalHandlers<Value>(create: () => Value): Value {
  const before = new Map(ENDING_SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  const value = create();
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) {
      if (!known.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return value;
}
