/**
 * Runs a Worker on plain workerd, without miniflare or wrangler between: what benches measure. A text config, one socket, Durable
 * Objects with SQLite on the real disk, outbound requests to this machine allowed. No queues, no R2, no version metadata.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { bundleWorker } from "../../bin/local/bundle.ts";
import { readWranglerConfig } from "../../bin/local/wrangler-config.ts";
import type { RulesDocument } from "../../src/core/rule.ts";

const START_TIMEOUT_MS = 10_000;
const ERROR_CHARS_SHOWN = 4_000;
/** Not /tmp, which is memory on some machines: a commit must reach a disk. */
export const STATE_ROOT = join(import.meta.dirname, "../../node_modules/.cache/sluice-bench");

export const BENCH_SECRETS = {
  GITHUB_WEBHOOK_SECRET: "github-secret-for-benches",
  ADMIN_TOKEN: "admin-token-for-benches",
};

export interface WorkerdOptions {
  /** One ES module, bundled. */
  readonly script: string;
  /** Text bindings: vars and secrets. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Classes of Durable Objects by their bindings. */
  readonly objects?: Readonly<Record<string, string>>;
  /** Opens the inspector, for `openProfiler`. */
  readonly inspector?: boolean;
  /** What the Worker writes to its console; dropped when absent. */
  readonly onLog?: (line: string) => void;
  /** State that is kept between two runs; without, a folder that is removed at the end. */
  readonly stateDir?: string;
}

export interface RunningWorkerd {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** When it was started, by `performance.now()`. */
  readonly startedAt: number;
  /** `http://host:port` of the inspector, when it was asked for. */
  readonly inspectorUrl: string | undefined;
  /** The folder with the objects' SQLite files. */
  readonly stateDir: string;
  /** Sizes of all SQLite files together. */
  readonly stateBytes: () => Promise<number>;
  /** Ends the process and removes the state, unless its folder was given. */
  readonly stop: () => Promise<void>;
}

/** Sluice as it is deployed, with these rules and `PARTITIONS` partitions, everything on but R2, queues and version metadata. */
export async function sluiceOptions(
  document: RulesDocument,
  { partitions = 1, printUrl = "http://127.0.0.1:1/" }: { partitions?: number; printUrl?: string } = {},
): Promise<WorkerdOptions> {
  return {
    script: await bundleWorker(document),
    bindings: {
      ...BENCH_SECRETS,
      PARTITIONS: String(partitions),
      SLUICE_LOCAL: JSON.stringify({ printUrl, startedAt: Date.now() }),
    },
    objects: { PARTITION: "Partition", GATE: "Gate" },
  };
}

/** Rejects with what workerd wrote when it does not start. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  await mkdir(STATE_ROOT, { recursive: true });
  const dir = await mkdtemp(join(STATE_ROOT, "run-"));
  const stateDir = options.stateDir ?? join(dir, "state");
  await mkdir(stateDir, { recursive: true });
  await writeFile(join(dir, "worker.mjs"), options.script);
  await writeFile(join(dir, "config.capnp"), await configText(options, stateDir));
  const startedAt = performance.now();
  const child = spawn(workerdPath(), commandLine(options.inspector === true), {
    cwd: dir,
    stdio: ["ignore", options.onLog === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const endWithParent = () => void child.kill("SIGKILL");
  process.once("exit", endWithParent);
  const errors: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (errors.join("\n").length < ERROR_CHARS_SHOWN) errors.push(line);
      options.onLog?.(line);
    });
  }
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => options.onLog?.(line));
  const ended = once(child, "exit");
  const stop = async () => {
    process.removeListener("exit", endWithParent);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const ports = await readPorts(child.stdio[3] as Readable, options.inspector === true, ended);
    const { pid } = child;
    if (pid === undefined) throw new Error("workerd has no process id");
    return {
      url: `http://127.0.0.1:${ports.http}`,
      pid,
      startedAt,
      inspectorUrl: ports.inspector === undefined ? undefined : `http://127.0.0.1:${ports.inspector}`,
      stateDir,
      stateBytes: () => folderBytes(stateDir),
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`workerd did not start: ${errors.join("\n") || String(error)}`, { cause: error });
  }
}

function commandLine(inspector: boolean): readonly string[] {
  return [
    "serve",
    "--experimental",
    "--control-fd=3",
    ...(inspector ? ["--inspector-addr=127.0.0.1:0"] : []),
    "config.capnp",
  ];
}

/** workerd's config in Cap'n Proto's text form, whose strings take JSON's escapes for ASCII. */
async function configText({ bindings = {}, objects = {} }: WorkerdOptions, stateDir: string): Promise<string> {
  const { compatibilityDate, compatibilityFlags } = await readWranglerConfig();
  const texts = Object.entries(bindings).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`);
  const classes = [...new Set(Object.values(objects))];
  const namespaces = classes.map(
    (name) => `(className = ${quoted(name)}, uniqueKey = "bench-${name}", enableSql = true)`,
  );
  const objectBindings = Object.entries(objects).map(
    ([name, className]) => `(name = ${quoted(name)}, durableObjectNamespace = ${quoted(className)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    (name = "disk", disk = (path = ${quoted(stateDir)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  compatibilityDate = ${quoted(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quoted).join(", ")}],
  bindings = [${[...texts, ...objectBindings].join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}

/** A text of printable ASCII between quotation marks. */
function quoted(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error("a binding's text may only have printable ASCII");
  return JSON.stringify(text);
}

interface Ports {
  readonly http: number;
  readonly inspector: number | undefined;
}

/** workerd writes a line of JSON to its control descriptor for each port that it listens on. */
async function readPorts(control: Readable, wantsInspector: boolean, ended: Promise<unknown>): Promise<Ports> {
  let http: number | undefined;
  let inspector: number | undefined;
  const listening = (async () => {
    for await (const line of createInterface({ input: control })) {
      const { event, port } = JSON.parse(line) as { readonly event: string; readonly port?: number };
      if (event === "listen") http = port;
      if (event === "listen-inspector") inspector = port;
      if (http !== undefined && (inspector !== undefined || !wantsInspector)) return { http, inspector };
    }
    throw new Error("it closed its control descriptor");
  })();
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no port within ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS).unref();
  });
  const gone = ended.then(() => {
    throw new Error("it ended");
  });
  return Promise.race([listening, late, gone]);
}

/** The binary that wrangler runs too. */
function workerdPath(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  return (fromMiniflare("workerd") as { readonly default: string }).default;
}

export async function folderBytes(dir: string): Promise<number> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
