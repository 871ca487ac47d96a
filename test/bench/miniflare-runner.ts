/** Runs a Worker by miniflare's API, as `npm start` does: what benches compare plain workerd with. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { readWranglerConfig } from "../../bin/local/wrangler-config.ts";
import type { RunningWorkerd, WorkerdOptions } from "./workerd-runner.ts";
import { STATE_ROOT, folderBytes } from "./workerd-runner.ts";

export async function startMiniflare(options: WorkerdOptions): Promise<RunningWorkerd> {
  await mkdir(STATE_ROOT, { recursive: true });
  const dir = await mkdtemp(join(STATE_ROOT, "run-"));
  const stateDir = options.stateDir ?? dir;
  const { compatibilityDate, compatibilityFlags } = await readWranglerConfig();
  const before = new Set(workerdPids());
  const startedAt = performance.now();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.ERROR),
      cf: false,
      handleStructuredLogs: ({ message }) => options.onLog?.(message),
      resourcePersistencePath: stateDir,
      ...(options.inspector === true ? { inspectorPort: 0 } : {}),
      workers: [
        {
          name: "main",
          compatibilityDate,
          compatibilityFlags: [...compatibilityFlags],
          modules: [{ type: "ESModule", path: "worker.mjs", contents: options.script }],
          bindings: { ...options.bindings },
          durableObjects: Object.fromEntries(
            Object.entries(options.objects ?? {}).map(([name, className]) => [name, { className, useSQLite: true }]),
          ),
        },
      ],
    }),
  );
  const url = (await miniflare.ready).origin;
  const pid = workerdPids().find((candidate) => !before.has(candidate));
  if (pid === undefined) throw new Error("miniflare started no workerd");
  return {
    url,
    pid,
    startedAt,
    inspectorUrl:
      options.inspector === true ? String(await miniflare.getInspectorURL()).replace(/^ws/, "http") : undefined,
    stateDir,
    stateBytes: () => folderBytes(stateDir),
    stop: async () => {
      await miniflare.dispose();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Runtimes that this process has started. */
function workerdPids(): readonly number[] {
  return execFileSync("ps", ["-o", "pid=,ppid=,comm=", "-A"], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => parent === String(process.pid) && name?.startsWith("workerd") === true)
    .map(([pid]) => Number(pid));
}
