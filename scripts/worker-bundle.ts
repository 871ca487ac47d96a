/** Bundles the Worker as `wrangler deploy` does, with the rules of any document in the place of the generated ones. */
import { basename, dirname, join } from "node:path";
import type { Metafile } from "esbuild";
import { build } from "esbuild";
import type { RulesDocument } from "../src/core/rule.ts";
import { renderGenerated } from "./generate.ts";
import { loadRegistry } from "./registry.ts";

const ROOT = join(import.meta.dirname, "..");

export interface WorkerBundle {
  /** One ES module. */
  readonly text: string;
  /** What each file has in it: esbuild's report, paths relative to the root of the project. */
  readonly report: Metafile["outputs"][string];
}

/** `minify`: as it is uploaded; else for people to read, with a source map in it. */
export async function buildWorker(
  document: RulesDocument,
  { minify, entry = "src/index.ts" }: { readonly minify: boolean; readonly entry?: string },
): Promise<WorkerBundle> {
  const generated = renderGenerated(document, await loadRegistry());
  const result = await build({
    entryPoints: [join(ROOT, entry)],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2024",
    platform: "browser",
    // `workerd` is also what leaves the readers of rule files out (package.json, imports).
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    minify,
    sourcemap: minify ? false : "inline",
    logLevel: "silent",
    plugins: [
      {
        name: "rules",
        setup(pluginBuild) {
          pluginBuild.onLoad({ filter: /[\\/]src[\\/]generated[\\/]\w+\.ts$/ }, ({ path }) => ({
            contents: generated[basename(path)] ?? "",
            loader: "ts",
            resolveDir: dirname(path),
          }));
        },
      },
    ],
  });
  const [output] = result.outputFiles;
  const [report] = Object.values(result.metafile.outputs);
  if (output === undefined || report === undefined) throw new Error("esbuild wrote nothing");
  return { text: output.text, report };
}
