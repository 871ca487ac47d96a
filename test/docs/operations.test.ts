import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { costTables, formatRows, tableAfter } from "../bench/cost-docs.ts";

const ROOT = join(import.meta.dirname, "../..");
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
};
/** Units that constants are written in. */
const NAMED: Readonly<Record<string, number>> = { SECOND_MS: 1_000, MINUTE_MS: 60_000, HOUR_MS: 3_600_000 };

const page = await readFile(join(ROOT, "docs/operations.md"), "utf8");
const tableRows = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "));
const limits = tableRows(/\n## Limits\n([^]*?)\n## /.exec(page)?.[1] ?? "")
  .filter(([name]) => name !== "limit")
  .map(([name = "", number = "", constant = "", file = "", , test = ""]) => ({
    name,
    number,
    constant: unquoted(constant),
    file: unquoted(file),
    test: unquoted(test),
  }));

function unquoted(cell: string): string {
  return /^`([^`]+)`$/.exec(cell)?.[1] ?? `not in code quotes: ${cell}`;
}

function plain(text: string): string {
  return text.replaceAll("_", "").toLowerCase();
}

/** `1 MiB`, `1.5 s`, `20,000`. */
function readNumber(text: string): number {
  const [, digits = "", unit = ""] = /^([\d,.]+)(?: (\S+))?$/.exec(text) ?? [];
  return Number(digits.replaceAll(",", "")) * (UNITS[unit] ?? Number.NaN);
}

/** What a file says of a constant, or of a member of one: products of numbers and of names of units. */
function valueIn(source: string, constant: string): number {
  const text = new RegExp(`(?:const ${constant} = |^ {2}${constant}: )([^;,\\n]+)[;,]`, "m").exec(source)?.[1] ?? "";
  return text.split(" * ").reduce((product, factor) => {
    return product * (NAMED[factor] ?? Number(factor.replaceAll("_", "") || "NaN"));
  }, 1);
}

describe("the limits in docs/operations.md", () => {
  it("are all there are rows for", () => {
    expect(limits.length).toBeGreaterThan(60);
    expect(new Set(limits.map(({ constant }) => constant)).size).toBe(limits.length);
  });

  it.each(limits)("tell the truth: $name", async ({ number, constant, file, test }) => {
    expect(valueIn(await readFile(join(ROOT, file), "utf8"), constant)).toBe(readNumber(number));
    // Its test is one of this very limit: it names it, as the constant or as the setting that takes its place.
    expect(plain(await readFile(join(ROOT, test), "utf8"))).toContain(plain(constant));
  });
});

describe("the costs in docs/operations.md", () => {
  it("are what is counted now; node test/bench/cost-docs.ts writes them", async () => {
    const tables = await costTables();
    expect(tables.map(({ rows }) => rows.length)).toEqual([12, 6]);
    for (const { heading, rows } of tables) expect(tableAfter(page, heading)).toBe(formatRows(rows));
  });
});
