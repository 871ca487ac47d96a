/** The import table of the design and the house rules, checked on every file; and planted mistakes that they must find. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { houseViolations, SOURCE_LINES_MAX } from "./support/house-rules.ts";
import type { SourceFile } from "./support/import-graph.ts";
import { importsOf, readSourceFiles } from "./support/import-graph.ts";
import { IMPORT_TABLE, importViolations, moduleOf } from "./support/import-table.ts";

const ROOT = join(import.meta.dirname, "..");
const files = await readSourceFiles(ROOT, ["src", "bin", "scripts"]);
const testFiles = await readSourceFiles(ROOT, ["test"]);

/** Files that the planted ones may import. */
const NEIGHBOURS: readonly SourceFile[] = [
  "src/core/event.ts",
  "src/sources/github.ts",
  "src/sources/_auth.ts",
  "src/targets/http.ts",
  "src/bus/publish.ts",
  "src/objects/partition.ts",
  "src/http/app.ts",
  "src/generated/rules.ts",
  "src/hashing.ts",
  "src/index.ts",
  "bin/sluice.ts",
  "scripts/generate.ts",
].map((path) => ({ path, text: "export const here = 1;\n" }));

function plantedImport(path: string, text: string): readonly string[] {
  return importViolations([...NEIGHBOURS.filter((file) => file.path !== path), { path, text }]);
}

describe("the scan", () => {
  it("sees every module of the table, and about as many files and imports as there are", () => {
    expect(new Set(files.map(({ path }) => moduleOf(path)))).toEqual(new Set(Object.keys(IMPORT_TABLE)));
    expect(files.length).toBeGreaterThan(80);
    expect(testFiles.length).toBeGreaterThan(30);
    const imports = files.flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(300);
    // Counted again in another way: no line that begins like an import is missed.
    const lines = files.flatMap(
      ({ text }) => text.match(/^import\b|^export (\*|\{[^}]*\}|type \{[^}]*\}) from/gm) ?? [],
    );
    expect(imports.length).toBeGreaterThanOrEqual(lines.length);
    expect(imports.filter(({ specifier }) => specifier?.startsWith(".")).length).toBeGreaterThan(200);
  });
});

describe("the project", () => {
  it("keeps to the import table", () => expect(importViolations(files)).toEqual([]));

  it("keeps to the house rules", () => expect([...files, ...testFiles].flatMap(houseViolations)).toEqual([]));
});

describe("the import table refuses", () => {
  it.each([
    ["a static import", "src/core/x.ts", 'import { here } from "../bus/publish.ts";', "core must not import bus"],
    ["an import for types", "src/core/x.ts", 'import type { X } from "../http/app.ts";', "core must not import http"],
    ["an import for its effect", "src/core/x.ts", 'import "../index.ts";', "core must not import index"],
    [
      "an import over several lines",
      "src/bus/x.ts",
      'import {\n  here,\n} from "../http/app.ts";',
      "bus must not import http",
    ],
    ["a dynamic import", "src/bus/x.ts", 'await import("../objects/partition.ts");', "bus must not import objects"],
    ["an import within a type", "src/bus/x.ts", 'type X = import("../http/app.ts").X;', "bus must not import http"],
    [
      "export … from",
      "src/http/x.ts",
      'export { here } from "../objects/partition.ts";',
      "http must not import objects",
    ],
    ["export * from", "src/objects/x.ts", 'export * from "../http/app.ts";', "objects must not import http"],
    ["require", "src/objects/x.ts", 'const x = require("node:fs");', "objects must not import the package node:fs"],
    ["a computed import", "src/http/x.ts", "await import(name);", "imports what is known only when it runs"],
    ["a missing file", "src/core/x.ts", 'import "./nowhere.ts";', "imports ./nowhere.ts, which is no file here"],
    ["a missing extension", "src/core/x.ts", 'import "./event";', "imports ./event, which is no file here"],
    ["a package in core", "src/core/x.ts", 'import { z } from "hono";', "core must not import the package hono"],
    [
      "a built-in module in core",
      "src/core/x.ts",
      'import "node:crypto";',
      "core must not import the package node:crypto",
    ],
    ["a source in a target", "src/targets/x.ts", 'import "../sources/_auth.ts";', "targets must not import sources"],
    ["a target in a source", "src/sources/x.ts", 'import "../targets/http.ts";', "sources must not import targets"],
    ["a kind in another kind", "src/sources/x.ts", 'import "./github.ts";', "imports src/sources/github.ts: kinds of"],
    [
      "a package in a source",
      "src/sources/x.ts",
      'import "cloudevents";',
      "sources must not import the package cloudevents",
    ],
    ["objects in bus", "src/bus/x.ts", 'import "../objects/partition.ts";', "bus must not import objects"],
    ["hono in objects", "src/objects/x.ts", 'import "hono/cors";', "objects must not import the package hono"],
    [
      "the platform in http",
      "src/http/x.ts",
      'import "cloudflare:workers";',
      "http must not import the package cloudflare:",
    ],
    ["sources in http", "src/http/x.ts", 'import "../sources/github.ts";', "http must not import sources"],
    ["bus in generated", "src/generated/x.ts", 'import "../bus/publish.ts";', "generated must not import bus"],
    ["a package in hashing", "src/hashing.ts", 'import "hono";', "hashing must not import the package hono"],
    ["bus in bin", "bin/x.ts", 'import "../src/bus/publish.ts";', "bin must not import bus"],
    ["bin in scripts", "scripts/x.ts", 'import "../bin/sluice.ts";', "scripts must not import bin"],
    ["a module of no name", "src/plugins/x.ts", "", "belongs to no module of the import table"],
    ["a file beside index.ts", "src/x.ts", "", "belongs to no module of the import table"],
  ])("%s", (_what, path, text, message) => {
    const violations = plantedImport(path, text);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
    expect(violations[0]).toMatch(new RegExp(`^${path}:`));
  });

  it.each([
    ["src/core/x.ts", "fetch", "await fetch(url);"],
    ["src/core/x.ts", "Date", "const year = new Date(0);"],
    ["src/core/x.ts", "Date", "const now = Date.now();"],
    ["src/core/x.ts", "crypto", "const { subtle } = crypto;"],
    ["src/core/x.ts", "Math.random", "const dice = Math.random();"],
    ["src/core/x.ts", "Math.random", 'const dice = Math["random"]();'],
    ["src/core/x.ts", "bare Math", "const { random } = Math;"],
    ["src/core/x.ts", "setTimeout", "setTimeout(() => {}, 1);"],
    ["src/core/x.ts", "console", 'console.log("here");'],
    ["src/core/x.ts", "process", "const { env } = process;"],
    ["src/core/x.ts", "globalThis", "globalThis.fetch(url);"],
    ["src/core/x.ts", "fetch", "const io = { fetch };"],
    ["src/core/x.ts", "performance", "const text = `${performance.now()}`;"],
    ["src/sources/x.ts", "crypto", "crypto.subtle.verify(a, b, c, d);"],
    ["src/sources/x.ts", "Date.now", "const now = Date.now();"],
    ["src/targets/x.ts", "fetch", "await fetch(url);"],
    ["src/targets/x.ts", "new Date()", "const now = new Date();"],
    ["src/bus/x.ts", "bare Date", "const ports = { now: Date };"],
  ])("in %s the global %s: %s", (path, name, text) => {
    expect(plantedImport(path, text)).toEqual([
      `${path}:1: ${moduleOf(path)} must not use the global ${name}: what it gives comes in as an argument`,
    ]);
  });
});

describe("the import table allows", () => {
  it.each([
    [
      "what only looks like an import",
      "src/core/x.ts",
      '// import "hono";\nconst text = `import "hono"; from "hono"`;',
    ],
    [
      "what only looks like a global",
      "src/core/x.ts",
      "/* fetch() */ const a = 'Date.now()'; io.fetch(a.crypto, { Date: 1 });",
    ],
    [
      "a type named like a global",
      "src/core/x.ts",
      "interface Io { readonly fetch: typeof fetch; at(time: Date): void }",
    ],
    ["other members of Math", "src/core/x.ts", "const most = Math.max(1, 2);"],
    ["formatting a time that was handed in", "src/sources/x.ts", "const text = new Date(now).toISOString();"],
    ["a helper of the folder", "src/sources/x.ts", 'import { here } from "./_auth.ts";'],
    ["a part of an allowed package", "src/http/x.ts", 'import { cors } from "hono/cors";'],
    ["scripts in bin", "bin/x.ts", 'import "../scripts/generate.ts";\nimport "commander";\nawait import(name);'],
  ])("%s", (_what, path, text) => expect(plantedImport(path, text)).toEqual([]));
});

describe("the house rules refuse", () => {
  const long = (lines: number) => `export const x = 1;${"\n".repeat(lines)}`;
  it.each([
    ["an enum", "src/core/x.ts", "export enum Colour { Red }", "an enum"],
    ["a class", "src/core/x.ts", "export class Thing {}", "a class"],
    ["a class without a name", "src/http/x.ts", "export const thing = class {};", "a class"],
    ["a barrel", "src/core/x.ts", 'export * from "./a.ts";\nexport { b } from "./b.ts";', "only hands on the exports"],
    ["an index.ts in a folder", "src/core/index.ts", "export const x = 1;", "only src/ has an index.ts"],
    ["camelCase", "src/core/ruleSet.ts", "", "not in kebab-case"],
    ["snake_case in a folder's name", "test/rule_set/x.ts", "", "a folder not in kebab-case"],
    ["a folder named utils", "src/utils/x.ts", "", "named after nothing"],
    ["a file named utils", "scripts/utils.ts", "", "named after nothing"],
    ["a long file", "src/core/x.ts", long(SOURCE_LINES_MAX + 1), `${SOURCE_LINES_MAX + 1} lines`],
    ["a focused test", "test/x.test.ts", 'it.only("x", () => {});', "a test marked .only"],
    ["a skipped group", "test/x.test.ts", 'describe.skip("x", () => {});', "a test marked .skip"],
    ["a skipped table", "test/x.test.ts", 'it.skip.each([1])("x", () => {});', "a test marked .skip"],
    ["a test to be written", "test/x.test.ts", 'const x = 1;\ntest.todo("x");', "a test marked .todo"],
    ["a mark with an empty comment", "test/x.test.ts", '//\nit.skip("x", () => {});', "a test marked .skip"],
  ])("%s", (_what, path, text, message) => {
    const violations = houseViolations({ path, text });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  it.each([
    ["the platform's classes", "src/objects/partition.ts", "export class Partition extends DurableObject {}"],
    ["a file of the longest length", "src/core/x.ts", long(SOURCE_LINES_MAX)],
    ["a long generated file", "src/generated/rules.ts", long(SOURCE_LINES_MAX + 1)],
    [
      "a skipped test with a reason",
      "test/x.test.ts",
      '// The platform has no such limit here.\nit.skip("x", () => {});',
    ],
    ["members called only", "test/x.test.ts", "rules.only(1); list.skip;"],
    ["what only looks like a mark", "test/x.test.ts", 'const text = "it.only(1)"; // describe.skip'],
  ])("but not %s", (_what, path, text) => expect(houseViolations({ path, text })).toEqual([]));
});
