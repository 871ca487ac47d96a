/** Bundles the Worker for a local run, with the rules of any folder in the place of the generated ones. */
import type { RulesDocument } from "../../src/core/rule.ts";
import { buildWorker } from "../../scripts/worker-bundle.ts";

/** The Worker as one module, as `wrangler deploy` would build it but for the rules. */
export async function bundleWorker(document: RulesDocument): Promise<string> {
  return (await buildWorker(document, { minify: false })).text;
}
