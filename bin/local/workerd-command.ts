/** Has miniflare run workerd through `run-workerd.sh`, so that a killed router takes its workerd with it. */
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const WRAPPER = join(import.meta.dirname, "run-workerd.sh");

/**
 * Sets the environment variables that miniflare and the script read; what someone has set already becomes what the script
 * runs. Where the script can't run (Windows, a file system that keeps no modes), workerd runs as it would without it.
 */
export function tieWorkerdToThisProcess(): void {
  const own = process.env["MINIFLARE_WORKERD_PATH"];
  if (process.platform === "win32" || own === WRAPPER || !isExecutable(WRAPPER)) return;
  process.env["SLUICE_WORKERD"] = own ?? workerdPath();
  process.env["MINIFLARE_WORKERD_PATH"] = WRAPPER;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The workerd that miniflare itself depends on. */
function workerdPath(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const workerd = fromMiniflare("workerd") as { readonly default: string };
  return workerd.default;
}
