/** How large a bundle of the Worker is, of what it is made, and what to say where it is over its budget. */
import { gzipSync } from "node:zlib";
import type { WorkerBundle } from "./worker-bundle.ts";

/** What a bundle weighs. `gzipBytes`: by zlib's default level, as wrangler counts. */
export interface BundleSize {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Minified bytes by part: a folder of `src/`, or a package. */
  readonly parts: Readonly<Record<string, number>>;
}

const PARTS_SHOWN = 8;
/** A part that has grown by less is not worth a line. */
const GROWTH_BYTES_MIN = 200;

export function measureBundle(name: string, { text, report }: WorkerBundle): BundleSize {
  const parts: Record<string, number> = {};
  for (const [file, { bytesInOutput }] of Object.entries(report.inputs)) {
    const part = partOf(file);
    parts[part] = (parts[part] ?? 0) + bytesInOutput;
  }
  return { name, bytes: Buffer.byteLength(text), gzipBytes: gzipSync(text).length, parts };
}

/** `src/core` of `src/core/event.ts`, `hono` of anything in that package. */
function partOf(file: string): string {
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
  return inPackage ?? file.split("/").slice(0, 2).join("/");
}

/** `name: 117.7 KB gzipped, 345.6 KB minified: src/core 107.2, src/targets 52.5, …` (1 KB is 1,000 bytes). */
export function sizeLine({ name, bytes, gzipBytes, parts }: BundleSize): string {
  const largest = sorted(parts).slice(0, PARTS_SHOWN);
  const shown = largest.map(([part, size]) => `${part} ${inKb(size)}`).join(", ");
  return `${name}: ${inKb(gzipBytes)} KB gzipped, ${inKb(bytes)} KB minified: ${shown}`;
}

/**
 * What is wrong where a bundle weighs more than `gzipBytesMax`: by how much, what has grown since `before` (the parts when it was
 * last recorded) and what to do; undefined where nothing is.
 */
export function sizeProblem(
  { name, gzipBytes, parts }: BundleSize,
  gzipBytesMax: number,
  before: Readonly<Record<string, number>>,
): string | undefined {
  if (gzipBytes <= gzipBytesMax) return undefined;
  const growth = sorted(
    Object.fromEntries(Object.entries(parts).map(([part, size]) => [part, size - (before[part] ?? 0)])),
  ).filter(([, grown]) => grown >= GROWTH_BYTES_MIN);
  const grown = growth.map(([part, by]) => `${part} by ${inKb(by)} KB`).join(", ");
  return [
    `${name} has ${gzipBytes} bytes gzipped, ${gzipBytes - gzipBytesMax} over the budget of ${gzipBytesMax} (BUNDLE_GZIP_BYTES_MAX).`,
    grown === "" ? "No part has grown since it was recorded." : `Grown, minified, since it was recorded: ${grown}.`,
    "What only the build needs (readers, messages, schemas) belongs in a file that is imported as #entry/…; a kind that no rule",
    "uses weighs nothing. `node scripts/check-size.ts --files` lists every file.",
  ].join("\n");
}

function sorted(parts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(parts).toSorted(([, a], [, b]) => b - a);
}

function inKb(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}
