import { appendFile, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LITERAL_CHARS_MAX, RULES_DIR, main, renderRules } from "../../scripts/generate.ts";
import { listKinds, loadRegistry, renderJsonata, renderRegistry } from "../../scripts/registry.ts";
import type { Json } from "../../src/core/result.ts";
import type { RunningRules } from "../../src/core/rule.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-generate-"));
  await cp(RULES_DIR, join(dir, "rules"), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await main(["--rules", join(dir, "rules"), "--out", join(dir, "out"), ...args], (line) =>
    lines.push(line),
  );
  return { code, lines };
}

describe("generating", () => {
  it("writes four files, and nothing the second time", async () => {
    expect((await run()).lines).toHaveLength(4);
    const before = await stat(join(dir, "out/rules.ts"));
    expect(await run()).toEqual({ code: 0, lines: [] });
    expect((await stat(join(dir, "out/rules.ts"))).mtimeMs).toBe(before.mtimeMs);
    expect(await readFile(join(dir, "out/sources.ts"), "utf8")).toContain('import github from "../sources/github.ts";');
  });
  it("only checks with --check: writes nothing and fails until it is up to date", async () => {
    const first = await run("--check");
    expect(first.code).toBe(1);
    expect(first.lines.at(-1)).toBe("run npm run generate");
    await expect(stat(join(dir, "out"))).rejects.toThrow();
    await run();
    expect((await run("--check")).code).toBe(0);
    await writeFile(join(dir, "rules/default/push.yaml"), "pattern: { type: [other] }\ntargets: [printer]\n");
    const changed = await run("--check");
    expect(changed.code).toBe(1);
    expect(changed.lines).toHaveLength(2);
    expect(changed.lines[0]).toMatch(/rules\.ts is not up to date$/);
  });
  it("writes nothing when a rule is wrong, and says where", async () => {
    await writeFile(join(dir, "rules/default/push.yaml"), "pattern: { type: [a] }\ntargets: [prnter]\n");
    const { code, lines } = await run();
    expect(code).toBe(1);
    expect(lines[0]).toMatch(
      /rules\/default\/push\.yaml:2:11: error: unknown target "prnter"; did you mean "printer"\?/,
    );
    expect(lines[1]).toBe("    2 | targets: [prnter]\n      |           ^");
    expect(lines[2]).toBe("1 error; nothing was written");
    await expect(stat(join(dir, "out"))).rejects.toThrow();
  });
  it("writes the schemas into the folder for them, with the names of the targets, and knows when they are old", async () => {
    const schemasWritten = async () => (await run()).lines.filter((line) => /^wrote .*schemas/.test(line));
    expect(await schemasWritten()).toEqual([]);
    await appendFile(join(dir, "rules/targets.yaml"), "another: { queue: Q }\n");
    const checked = await run("--check");
    expect(checked.code).toBe(1);
    expect(checked.lines.filter((line) => /schemas.*is not up to date$/.test(line))).toHaveLength(1);
    expect(await schemasWritten()).toEqual([expect.stringMatching(/rules\/schemas\/rule\.json$/)]);
    expect(await readFile(join(dir, "rules/schemas/rule.json"), "utf8")).toContain('"another"');
    expect((await run("--check")).code).toBe(0);
  });
  it("writes no schemas where there is no folder for them", async () => {
    await rm(join(dir, "rules/schemas"), { recursive: true });
    expect((await run()).code).toBe(0);
    await expect(stat(join(dir, "rules/schemas"))).rejects.toThrow();
    await mkdir(join(dir, "rules/schemas"));
    expect((await run()).lines.filter((line) => /^wrote .*schemas/.test(line))).toHaveLength(4);
  });
  it("refuses unknown arguments", async () => expect((await run("--chek")).code).toBe(2));
});

describe("what is written", () => {
  const pattern = JSON.parse(
    '{"__proto__": ["a"], "a": {"__proto__": [null, 1, true, "\\u2028\\"`${x}\\n\\\\"]}}',
  ) as Json;
  const documentOf = (paths: readonly string[]): RunningRules => ({
    version: "v",
    sources: [],
    targets: [{ name: "t", kind: "queue", config: {}, timeoutMs: 1, retryDelaysMs: [], maxAgeMs: 2 }],
    rules: paths.map((path) => ({ path, bus: "b", pattern, targets: ["t"], mode: "live" })),
  });
  const evaluated = async (text: string) => {
    const code = text.replace(/^import .*$/m, "").replace("rules: RunningRules", "rules");
    return ((await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { rules: RunningRules }).rules;
  };
  it("is the document again, names like __proto__ included", async () => {
    const document = documentOf(["b/r"]);
    expect(JSON.stringify(await evaluated(renderRules(document)))).toBe(JSON.stringify(document));
  });
  it("is a literal as long as it is small, and JSON beyond, one definition a line in both", async () => {
    const line =
      renderRules(documentOf([""]))
        .split("\n")
        .find((text) => text.includes('"path"')) ?? "";
    const indentAndComma = 5;
    const fill = LITERAL_CHARS_MAX - 2 * (line.length - indentAndComma);
    const [small, large] = [documentOf(["", "x".repeat(fill)]), documentOf(["y", "x".repeat(fill)])];
    const lines = [small, large].map((document) => renderRules(document).split("\n"));
    const heads = lines.map((each) => each.filter((text) => text.startsWith("  rules:")));
    expect(heads).toEqual([["  rules: ["], ["  rules: JSON.parse(`["]]);
    for (const each of lines) expect(each.filter((text) => text.includes('"path"')).length).toBe(2);
    for (const document of [small, large]) {
      expect(JSON.stringify(await evaluated(renderRules(document)))).toBe(JSON.stringify(document));
    }
  });
  it("imports kinds with a - under a name that TypeScript takes", () => {
    expect(renderRegistry("sources", ["github", "standard-webhooks"])).toContain(
      [
        'import github from "../sources/github.ts";',
        'import standardWebhooks from "../sources/standard-webhooks.ts";',
        "",
        'export const sources = { github, "standard-webhooks": standardWebhooks } as const;',
      ].join("\n"),
    );
  });
  it("has JSONata where a rule has an expression, whatever its mode", () => {
    const rule = { path: "a/b", bus: "a", pattern: {}, targets: [] };
    const text = (...transforms: Json[]) =>
      renderJsonata({ rules: transforms.map((transform) => ({ ...rule, transform, mode: "off" })) });
    expect(text({ path: "$.data" }, { jsonata: "data" })).toContain("jsonata = checkedJsonata;");
    expect(text({ path: "$.data" }, { constant: { jsonata: "data" } })).toContain("jsonata = undefined;");
    expect(text()).not.toContain("import");
  });
  it("has every kind under its own name, and no helpers", async () => {
    const registry = await loadRegistry();
    expect(Object.keys(registry.sources)).toEqual(await listKinds("sources"));
    expect(await listKinds("sources")).toContain("github");
    expect(await listKinds("targets")).toContain("http");
    for (const [kind, source] of Object.entries(registry.sources)) expect(source.kind).toBe(kind);
  });
});
