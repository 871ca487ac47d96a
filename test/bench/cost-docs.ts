/** `node test/bench/cost-docs.ts`: writes what is counted now into the two cost tables of docs/operations.md. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelCost } from "./cost-model.ts";
import { measureCosts } from "./cost.ts";

const PAGE = join(import.meta.dirname, "../../docs/operations.md");

export interface DocsTable {
  /** What stands above it on the page, from the beginning of a line. */
  readonly heading: string;
  readonly rows: readonly (readonly string[])[];
}

export async function costTables(): Promise<readonly DocsTable[]> {
  const costs = await measureCosts();
  const { trickle, underLoad } = await modelCost({ fanout: 2, size: 10_000, rate: 100, logDays: 14, isolates: 1 });
  const regimes = [trickle, underLoad];
  const rowOf = (name: string, read: (regime: typeof trickle) => string) => [name, ...regimes.map(read)];
  return [
    {
      heading: "## Capacity and cost",
      rows: costs.map(({ name, requests, objectRequests, rows, dollars }) =>
        [name, requests, objectRequests, rows, dollars.toFixed(2)].map(String),
      ),
    },
    {
      heading: "### A trickle and load",
      rows: [
        rowOf("accepts", ({ counted }) => counted.accepts.toFixed(2)),
        rowOf("settles", ({ counted }) => counted.settles.toFixed(2)),
        rowOf("alarms", ({ counted }) => counted.alarms.toFixed(2)),
        rowOf("rows written", ({ counted }) => counted.rowsWritten.toFixed(2)),
        rowOf("bytes stored", ({ counted }) => Math.round(counted.storedBytes).toLocaleString("en-US")),
        rowOf("$ a million", ({ dollars }) => dollars.toFixed(2)),
      ],
    },
  ];
}

/** The lines of the first table after a heading, without its titles. */
export function tableAfter(page: string, heading: string): string {
  const [, lines] = /\n\|[- |]+\|\n((?:\|.*\|\n)+)/.exec(page.slice(page.indexOf(`\n${heading}\n`))) ?? [];
  if (lines === undefined) throw new Error(`no table after ${heading}`);
  return lines;
}

export function formatRows(rows: DocsTable["rows"]): string {
  return rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

if (import.meta.main) {
  let page = await readFile(PAGE, "utf8");
  for (const { heading, rows } of await costTables()) {
    const at = page.indexOf(`\n${heading}\n`);
    page = page.slice(0, at) + page.slice(at).replace(tableAfter(page, heading), () => formatRows(rows));
  }
  await writeFile(PAGE, page);
}
