import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatProblem } from "../../scripts/problem.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { readRules } from "../../scripts/rule-files.ts";
import { renderSourceDocs } from "../../scripts/source-docs.ts";
import { SOURCE_PAGES } from "../../scripts/source-pages.ts";
import { SOURCE_SETUP } from "../../scripts/source-setup.ts";
import { codeBlocksOf } from "./code-blocks.ts";

const page = await readFile(join(import.meta.dirname, "../../docs/sources.md"), "utf8");
const registry = await loadRegistry();
const described = Object.entries(registry.sources).flatMap(([kind, source]) => ("description" in source ? [kind] : []));
const entries = (await codeBlocksOf("sources.md")).filter(({ text }) => text.startsWith("# rules/sources.yaml\n"));

const dir = await mkdtemp(join(tmpdir(), "sluice-sources-"));
afterAll(() => rm(dir, { recursive: true }));

async function read(name: string, text: string): Promise<Awaited<ReturnType<typeof readRules>>> {
  await mkdir(join(dir, name, "rules"), { recursive: true });
  await writeFile(join(dir, name, "rules/sources.yaml"), text);
  await writeFile(join(dir, name, "rules/targets.yaml"), "");
  return readRules(join(dir, name, "rules"));
}

describe("docs/sources.md", () => {
  it("is up to date: else run npm run generate", async () => {
    expect(await renderSourceDocs(page, registry)).toBe(page);
  });

  it("says of every vendor how it is set up, and of none that isn't there", () => {
    expect(Object.keys(SOURCE_SETUP).toSorted()).toEqual(described.toSorted());
    expect(Object.keys(SOURCE_PAGES).toSorted()).toEqual(described.toSorted());
  });

  it.each(described)("has a row, a section and an example for %s", (kind) => {
    const row = page.split("\n").find((line) => line.startsWith(`| [\`${kind}\`](#${kind}) |`)) ?? "";
    // No cell but the handshake's is empty.
    const cells = row.split(" | ");
    expect(cells).toHaveLength(10);
    expect(cells.filter((cell, at) => at !== 7 && cell.trim() === "")).toEqual([]);
    const section = page.split(`\n### ${kind}\n`)[1]?.split("\n### ")[0] ?? "";
    expect(section).toContain(`${kind}: { kind: ${kind}, `);
    expect(section).toMatch(/^An event: `type` `\S+`/m);
  });

  it.each(entries.map(({ text }, index) => ({ text, index })))(
    "shows entries that are right ($index)",
    async (each) => {
      const { document, problems } = await read(`${each.index}`, each.text);
      expect(problems.filter(({ severity }) => severity === "error").map((one) => formatProblem(one, dir))).toEqual([]);
      expect(document.sources.length).toBeGreaterThan(0);
    },
  );

  it("would notice an entry that is wrong", async () => {
    const { problems } = await read("wrong", "shop: { kind: xero, secret: [A] }\n");
    expect(problems.map((one) => formatProblem(one, dir)).join("\n")).toContain('unknown key "secret"');
  });

  it("shows an entry for every vendor", () => {
    const shown = entries.flatMap(({ text }) => [...text.matchAll(/kind: ([a-z0-9-]+)/g)].map(([, kind]) => kind));
    expect(described.filter((kind) => !shown.includes(kind))).toEqual([]);
  });
});
