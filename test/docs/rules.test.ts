import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatProblem } from "../../scripts/problem.ts";
import { DEFAULT_RETRY_DELAYS_MS } from "../../src/core/retry.ts";
import { readRules } from "../../scripts/rule-files.ts";
import { codeBlocksOf } from "./code-blocks.ts";

const blocks = await codeBlocksOf("rules.md");
const dir = await mkdtemp(join(tmpdir(), "sluice-docs-"));
afterAll(() => rm(dir, { recursive: true }));

for (const { language, text } of blocks) {
  const file = language === "json" ? "rules/shop/orders.json" : /^# (rules\/\S+)/.exec(text)?.[1];
  if (file === undefined) continue;
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), text);
}
const { document, problems } = await readRules(join(dir, "rules"));

describe("docs/rules.md", () => {
  it("shows files that together are right, but for the one that is wrong", () => {
    const shown = blocks.filter(({ language }) => language === "text").at(-1)?.text ?? "";
    expect(problems.map((problem) => formatProblem(problem, dir))).toEqual(shown.trim().split("\n"));
    expect(document.rules.map(({ path }) => path)).toEqual([
      "default/chat",
      "default/deploy-on-main",
      "default/ledger",
      "default/mirror",
      "shop/orders",
    ]);
    expect(document.sources.map(({ name }) => name)).toEqual(["events", "github", "shop"]);
    expect(document.targets.map(({ name }) => name)).toEqual(["audit", "ci", "orders"]);
  });
  it("shows orders, limits and replays that mean what the page says of them", () => {
    expect(document.rules.map(({ order }) => order)).toEqual([
      undefined,
      undefined,
      { by: "sequence", onFailure: { kind: "block" }, gapWaitMs: 30_000 },
      { by: "key", onFailure: { kind: "skip-after", failures: 3 }, gapWaitMs: 0 },
      undefined,
    ]);
    expect(document.targets.map(({ limits }) => limits)).toEqual([
      undefined,
      { rate: { limit: 50, periodMs: 1_000, burst: 10 }, concurrency: 4 },
      undefined,
    ]);
    expect(document.sources.find(({ name }) => name === "github")?.entry).toMatchObject({ replays: "refuse" });
  });
  it("shows one rule that only records, with a transform that other rules could have", () => {
    const shadows = document.rules.filter(({ mode }) => mode === "shadow");
    expect(shadows.map(({ path, targets }) => [path, targets])).toEqual([["default/chat", ["ci"]]]);
  });
  it("gives the default retries", () => {
    expect(DEFAULT_RETRY_DELAYS_MS.map((delayMs) => delayMs / 1_000)).toEqual([
      5, 30, 300, 1_800, 7_200, 18_000, 36_000, 36_000,
    ]);
  });
});
