/** The parts of wrangler.toml that a local run shares with a deployed one, so that both run under the same flags. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";

const FILE = join(import.meta.dirname, "../../wrangler.toml");

export interface WranglerConfig {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  /** Queue producer bindings. */
  readonly queueBindings: readonly string[];
  /** Bindings of R2 buckets. */
  readonly bucketBindings: readonly string[];
  /** Bindings to other Workers. */
  readonly serviceBindings: readonly string[];
}

interface WranglerToml {
  readonly compatibility_date: string;
  readonly compatibility_flags?: readonly string[];
  readonly vars?: Readonly<Record<string, string>>;
  readonly r2_buckets?: readonly { readonly binding: string }[];
  readonly services?: readonly { readonly binding: string }[];
  readonly queues?: { readonly producers?: readonly { readonly binding: string }[] };
}

export async function readWranglerConfig(): Promise<WranglerConfig> {
  const config = parse(await readFile(FILE, "utf8")) as unknown as WranglerToml;
  return {
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags ?? [],
    vars: config.vars ?? {},
    queueBindings: (config.queues?.producers ?? []).map((producer) => producer.binding),
    bucketBindings: (config.r2_buckets ?? []).map((bucket) => bucket.binding),
    serviceBindings: (config.services ?? []).map((service) => service.binding),
  };
}
