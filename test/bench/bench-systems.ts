/** What the end-to-end benches compare: Sluice and the yardstick, on plain workerd or under miniflare. */
import { join } from "node:path";
import { build } from "esbuild";
import { benchDocument } from "./bench-rules.ts";
import type { BenchServer, BenchSystem } from "./e2e-round.ts";
import { startMiniflare } from "./miniflare-runner.ts";
import type { WorkerdOptions } from "./workerd-runner.ts";
import { BENCH_SECRETS, sluiceOptions, startWorkerd } from "./workerd-runner.ts";

export const RUNTIMES = ["workerd", "miniflare"] as const;
export type Runtime = (typeof RUNTIMES)[number];

const SECRET = BENCH_SECRETS.GITHUB_WEBHOOK_SECRET;
const YARDSTICK = join(import.meta.dirname, "yardstick/worker.ts");

export interface SystemOptions {
  readonly runtime: Runtime;
  readonly inspector?: boolean;
}

export function sluiceSystem(
  partitions: number,
  { runtime, inspector = false, rules, fanOut }: SystemOptions & { readonly rules?: number; readonly fanOut?: number },
): BenchSystem {
  return {
    name: partitions === 1 ? "Sluice" : `Sluice, ${partitions} partitions`,
    path: "/webhooks/github",
    secret: SECRET,
    start: async (targetUrl) => {
      const document = benchDocument(targetUrl, {
        ...(rules === undefined ? {} : { rules }),
        ...(fanOut === undefined ? {} : { fanOut }),
      });
      return startOn(runtime, { ...(await sluiceOptions(document, { partitions })), inspector });
    },
  };
}

/** `groupMs`: how long its object gathers arrivals for one commit; 0 for one commit each. */
export function yardstickSystem(groupMs: number, { runtime, inspector = false }: SystemOptions): BenchSystem {
  return {
    name: groupMs === 0 ? "yardstick" : `yardstick, grouping ${groupMs} ms`,
    path: "/",
    secret: SECRET,
    start: async (targetUrl) =>
      startOn(runtime, {
        script: await bundleYardstick(),
        bindings: { SECRET, TARGET_URL: targetUrl, GROUP_MS: String(groupMs) },
        objects: { OUTBOX: "Outbox" },
        inspector,
      }),
  };
}

async function startOn(runtime: Runtime, options: WorkerdOptions): Promise<BenchServer> {
  const running = await (runtime === "workerd" ? startWorkerd(options) : startMiniflare(options));
  return { ...running, script: options.script };
}

async function bundleYardstick(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [YARDSTICK],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*", "node:*"],
  });
  return outputFiles[0]?.text ?? "";
}
