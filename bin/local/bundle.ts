/** Bundles the Worker for a local run, with the rules of any folder in the place of the generated ones. */
import { dirname, join } from "node:path";
import { build } from "esbuild";
import type { RulesDocument } from "../../src/core/rule.ts";
import { renderRules } from "../../scripts/generate.ts";

const ENTRY = join(import.meta.dirname, "../../src/index.ts");

/** The Worker as one module, as `wrangler deploy` would build it but for the rules. */
export async function bundleWorker(document: RulesDocument): Promise<string> {
  const result = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    sourcemap: "inline",
    logLevel: "silent",
    plugins: [
      {
        name: "rules",
        setup(pluginBuild) {
          pluginBuild.onLoad({ filter: /[\\/]src[\\/]generated[\\/]rules\.ts$/ }, ({ path }) => ({
            contents: renderRules(document),
            loader: "ts",
            resolveDir: dirname(path),
          }));
        },
      },
    ],
  });
  const output = result.outputFiles[0];
  if (output === undefined) throw new Error("esbuild wrote nothing");
  return output.text;
}
