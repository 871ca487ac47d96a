/**
 * The kinds of sources and targets: one file in `src/sources/` or `src/targets/` is one kind, named like its file. Files that
 * begin with _ are helpers.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { jsonataEngine } from "../src/core/jsonata.ts";
import type { AnySource, AnyTarget, Registry } from "../src/core/rule-set.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { RulesDocument } from "../src/core/rule.ts";

const SOURCE_ROOT = join(import.meta.dirname, "../src");

const KIND = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** The kinds in a folder of `src/`, sorted. */
export async function listKinds(folder: "sources" | "targets", root = SOURCE_ROOT): Promise<readonly string[]> {
  const files = await readdir(join(root, folder));
  const kinds = files.filter((file) => file.endsWith(".ts") && !file.startsWith("_")).map((file) => file.slice(0, -3));
  const wrong = kinds.find((kind) => !KIND.test(kind));
  if (wrong !== undefined) throw new Error(`src/${folder}/${wrong}.ts: a kind's name is lower-case words joined by -`);
  return kinds.toSorted();
}

/** Loads every kind from its file, so that what the generator checks never depends on what it wrote before. */
export async function loadRegistry(): Promise<Registry> {
  const sources = await loadKinds<AnySource>("sources");
  return { sources, targets: await loadKinds<AnyTarget>("targets"), jsonata: jsonataEngine };
}

async function loadKinds<Kind extends { readonly kind: string }>(
  folder: "sources" | "targets",
): Promise<Readonly<Record<string, Kind>>> {
  const loaded: Record<string, Kind> = {};
  for (const kind of await listKinds(folder)) {
    const file = join(SOURCE_ROOT, folder, `${kind}.ts`);
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: Kind };
    if (module.default?.kind !== kind) throw new Error(`src/${folder}/${kind}.ts must default-export the kind ${kind}`);
    loaded[kind] = module.default;
  }
  return loaded;
}

/** The text of `src/generated/sources.ts` or `targets.ts`, with these kinds. */
export function renderRegistry(folder: "sources" | "targets", kinds: readonly string[]): string {
  const names = kinds.map((kind) => ({
    kind,
    variable: kind.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
  }));
  const imports = names.map(({ kind, variable }) => `import ${variable} from "../${folder}/${kind}.ts";`);
  const members = names.map(({ kind, variable }) => (kind === variable ? kind : `"${kind}": ${variable}`));
  return [
    "// Written by scripts/generate.ts; npm run generate writes it again.",
    ...imports,
    "",
    `export const ${folder} = { ${members.join(", ")} } as const;`,
    "",
  ].join("\n");
}

/** The text of `src/generated/jsonata.ts`: the engine where a rule has an expression, as it is a fifth of a Worker with it. */
export function renderJsonata({ rules }: Pick<RulesDocument, "rules">): string {
  const isUsed = rules.some(({ transform }) => isJsonObject(transform) && Object.hasOwn(transform, "jsonata"));
  const lines = isUsed
    ? ['import { checkedJsonata } from "../core/checked-jsonata.ts";', "", "export const jsonata = checkedJsonata;"]
    : ["export const jsonata = undefined;"];
  return ["// Written by scripts/generate.ts; npm run generate writes it again.", ...lines, ""].join("\n");
}
