/**
 * Writes `src/generated/`: the checked rules, which kinds of sources and targets they use, and whether JSONata; into the `schemas` folder of the
 * rules, if they have one, the JSON Schemas that editors go by; and, with the project's own folder, the tables of docs/sources.md.
 * `node scripts/generate.ts [--check] [--rules DIR] [--out DIR]`; with `--check` it writes nothing and fails when what is
 * there is not what it would write.
 */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Json } from "../src/core/result.ts";
import type { Registry } from "../src/core/rule-set.ts";
import { configure } from "../src/core/rule-set.ts";
import type { RulesDocument, RunningRules } from "../src/core/rule.ts";
import { checkFolder } from "./check-folder.ts";
import { createExcerpts, formatExcerpt } from "./excerpt.ts";
import type { Problem } from "./problem.ts";
import { formatProblem } from "./problem.ts";
import { loadRegistry, renderJsonata, renderRegistry } from "./registry.ts";
import { SCHEMAS_FOLDER, hasErrors } from "./rule-files.ts";
import { ruleFileSchemas, schemaNames, schemaText } from "./schemas.ts";
import { renderSourceDocs } from "./source-docs.ts";
import { VECTORS_DIR } from "./source-vectors.ts";

const ROOT = join(import.meta.dirname, "..");
export const RULES_DIR = join(ROOT, "rules");
export const GENERATED_DIR = join(ROOT, "src/generated");
const SOURCE_DOCS = join(ROOT, "docs/sources.md");

/**
 * A list with more text than this, in characters, is written as JSON for the Worker to parse when it starts: a third of the time
 * that a literal of JavaScript takes (`npm run bench:cold -- --rules 10000` measures it).
 */
export const LITERAL_CHARS_MAX = 65_536;

/** The text of `rules.ts`: one definition a line, so that a change to a rule is a change to its line. */
export function renderRules(document: RunningRules): string {
  const list = (name: string, items: readonly unknown[]): readonly string[] => {
    if (items.length === 0) return [`  ${name}: [],`];
    const literals = items.map((item) => literal(item as Json));
    const chars = literals.reduce((sum, { length }) => sum + length, 0);
    if (chars <= LITERAL_CHARS_MAX) return [`  ${name}: [`, ...literals.map((text) => `    ${text},`), "  ],"];
    const [first = "", ...others] = items.map((item) => inTemplate(JSON.stringify(item)));
    return [`  ${name}: JSON.parse(\`[`, first, ...others.map((text) => `,${text}`), "]`),"];
  };
  return [
    "// Written by scripts/generate.ts from rules/; npm run generate writes it again.",
    'import type { RunningRules } from "../core/rule.ts";',
    "",
    "export const rules: RunningRules = {",
    `  version: ${literal(document.version)},`,
    ...list("sources", document.sources),
    ...list("targets", document.targets),
    ...list("rules", document.rules),
    "};",
    "",
  ].join("\n");
}

/** What may not stand between backticks as it is. */
function inTemplate(text: string): string {
  return text.replace(/[\\`]|\$\{/g, "\\$&");
}

/** JSON as a TypeScript literal. In a literal the plain name `__proto__` would set the prototype, a computed one does not. */
function literal(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(literal).join(", ")}]`;
  // Configurations may have members without a value.
  const given = Object.entries(value).filter(([, member]) => (member as Json | undefined) !== undefined);
  const members = given.map(([name, member]) => {
    const key = name === "__proto__" ? '["__proto__"]' : JSON.stringify(name);
    return `${key}: ${literal(member)}`;
  });
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** The texts of `src/generated/`, by file name: the rules, and of the kinds and JSONata what they use. */
export function renderGenerated(document: RulesDocument, registry: Registry): Readonly<Record<string, string>> {
  const kinds = (used: readonly { readonly kind: string }[]) => [...new Set(used.map(({ kind }) => kind))].toSorted();
  return {
    "sources.ts": renderRegistry("sources", kinds(document.sources)),
    "targets.ts": renderRegistry("targets", kinds(document.targets)),
    "jsonata.ts": renderJsonata(document),
    "rules.ts": renderRules(configure(document, registry)),
  };
}

function inFolder(dir: string): (file: readonly [name: string, text: string]) => readonly [path: string, text: string] {
  return ([name, text]) => [join(dir, name), text];
}

/** The schemas for the folder, by file name; none when the folder is not there. */
async function renderSchemas(dir: string, document: RulesDocument): Promise<readonly (readonly [string, string])[]> {
  const info = await stat(dir).catch(() => undefined);
  if (info?.isDirectory() !== true) return [];
  const schemas = ruleFileSchemas(await loadRegistry(), schemaNames(document));
  return Object.entries(schemas).map(([name, schema]) => [name, schemaText(schema)]);
}

/** None where the page or the tests were taken away, or what is written is not the project's own. */
async function renderDocs(outDir: string): Promise<readonly (readonly [path: string, text: string])[]> {
  const isWhole = outDir === GENERATED_DIR && (await stat(VECTORS_DIR).catch(() => undefined)) !== undefined;
  const page = isWhole ? await readIfThere(SOURCE_DOCS) : undefined;
  return page === undefined ? [] : [[SOURCE_DOCS, await renderSourceDocs(page, await loadRegistry())]];
}

export interface Generation {
  /** The document, when the rules have no errors. */
  readonly document: RulesDocument | undefined;
  readonly problems: readonly Problem[];
  /** The generated files that were not up to date: written, or only found when checking. */
  readonly changed: readonly string[];
}

/** Reads the rules and brings the generated files up to date; with errors nothing is written. */
export async function generate(options: {
  readonly rulesDir: string;
  readonly outDir: string;
  readonly checkOnly: boolean;
}): Promise<Generation> {
  const registry = await loadRegistry();
  const { document, problems } = await checkFolder(options.rulesDir, registry);
  if (hasErrors(problems)) return { document: undefined, problems, changed: [] };
  const generated = renderGenerated(document, registry);
  const schemasDir = join(options.rulesDir, SCHEMAS_FOLDER);
  const schemas = await renderSchemas(schemasDir, document);
  const files = [
    ...Object.entries(generated).map(inFolder(options.outDir)),
    ...schemas.map(inFolder(schemasDir)),
    ...(await renderDocs(options.outDir)),
  ];
  const changed: string[] = [];
  for (const [file, text] of files) {
    // Left alone when it is right, so that watchers see only true changes.
    if ((await readIfThere(file)) === text) continue;
    changed.push(file);
    if (options.checkOnly) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { document, problems, changed };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The command line. Answers the exit code: 0, 1 for wrong rules or outdated files, 2 for wrong arguments. */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const parsed = parseOptions(args);
  if (typeof parsed === "string") {
    print(parsed);
    print("usage: node scripts/generate.ts [--check] [--rules DIR] [--out DIR]");
    return 2;
  }
  const cwd = process.cwd();
  const result = await generate(parsed);
  const excerpts = createExcerpts();
  for (const problem of result.problems) {
    print(formatProblem(problem, cwd));
    const excerpt = excerpts(problem);
    if (excerpt !== undefined) print(formatExcerpt(excerpt));
  }
  if (result.document === undefined) {
    const errors = result.problems.filter(({ severity }) => severity === "error").length;
    print(`${errors} ${errors === 1 ? "error" : "errors"}; nothing was written`);
    return 1;
  }
  for (const file of result.changed) {
    print(parsed.checkOnly ? `${relative(cwd, file)} is not up to date` : `wrote ${relative(cwd, file)}`);
  }
  if (parsed.checkOnly && result.changed.length > 0) {
    print("run npm run generate");
    return 1;
  }
  return 0;
}

function parseOptions(args: readonly string[]): Parameters<typeof generate>[0] | string {
  try {
    const options = { check: { type: "boolean" }, rules: { type: "string" }, out: { type: "string" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return {
      rulesDir: values.rules === undefined ? RULES_DIR : resolve(values.rules),
      outDir: values.out === undefined ? GENERATED_DIR : resolve(values.out),
      checkOnly: values.check ?? false,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

// Imported by the command line and by tests; run only as a script of its own.
if (import.meta.main) process.exitCode = await main(process.argv.slice(2), console.log);
