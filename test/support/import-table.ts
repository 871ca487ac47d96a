/** Which module may import what, as a table, and the check of files against it. */
import type { SourceFile } from "./import-graph.ts";
import { globalsUsedIn, importsOf, isOwnFile, packageOf, resolveImport } from "./import-graph.ts";

interface ModuleRule {
  /** Other modules; a module may always import itself. */
  readonly modules: readonly string[];
  readonly packages: readonly string[] | "any";
  /** Names of globals as `globalsUsedIn` takes them. */
  readonly noGlobals?: readonly string[];
  /** Each file is a kind of its own, and shares nothing but helpers, `_name.ts`. */
  readonly kinds?: true;
}

const ANY_MATH = ["Math.random", "Math.[…]", "bare Math"];
const TIMERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"];
const IO = [
  "fetch",
  "crypto",
  "console",
  "process",
  "globalThis",
  "self",
  "WebSocket",
  "caches",
  ...TIMERS,
  ...ANY_MATH,
];
/** For who may format a time that was handed in, but not ask what time it is. */
const CLOCK = ["Date.now", "Date.[…]", "bare Date", "new Date()", "performance"];
const NO_GLOBALS_OF_CORE = [...IO, "Date", "performance"];
const NO_GLOBALS_OF_PORT_USERS = [...IO, ...CLOCK];

export const IMPORT_TABLE: Readonly<Record<string, ModuleRule>> = {
  core: { modules: [], packages: ["jsonata"], noGlobals: NO_GLOBALS_OF_CORE },
  sources: { modules: ["core"], packages: [], noGlobals: NO_GLOBALS_OF_PORT_USERS, kinds: true },
  targets: { modules: ["core"], packages: [], noGlobals: NO_GLOBALS_OF_PORT_USERS, kinds: true },
  bus: { modules: ["core"], packages: [], noGlobals: NO_GLOBALS_OF_PORT_USERS },
  objects: { modules: ["core", "bus"], packages: ["cloudflare:workers", "node:zlib"] },
  http: { modules: ["core", "bus"], packages: ["hono", "cloudevents"] },
  generated: { modules: ["core", "sources", "targets"], packages: [] },
  hashing: { modules: ["core"], packages: ["node:crypto"] },
  "r2-body-store": { modules: ["bus"], packages: [] },
  index: {
    modules: ["core", "sources", "targets", "bus", "objects", "http", "generated", "hashing", "r2-body-store"],
    packages: ["cloudflare:workers"],
  },
  bin: { modules: ["core", "sources", "targets", "generated", "hashing", "scripts"], packages: "any" },
  scripts: { modules: ["core", "sources", "targets", "generated", "hashing"], packages: "any" },
};

/** `core` of `src/core/event.ts`, `index` of `src/index.ts`, `bin` of everything in `bin`. */
export function moduleOf(path: string): string | undefined {
  const [top = "", second = "", ...rest] = path.split("/");
  const name = top === "src" ? (rest.length === 0 ? second.replace(/\.ts$/, "") : second) : top;
  return Object.hasOwn(IMPORT_TABLE, name) ? name : undefined;
}

export function importViolations(files: readonly SourceFile[]): readonly string[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap((file) => {
    const module = moduleOf(file.path);
    const rule = module === undefined ? undefined : IMPORT_TABLE[module];
    if (module === undefined || rule === undefined) return [`${file.path}: belongs to no module of the import table`];
    const mistakes = importsOf(file).map(({ line, specifier }) => ({
      line,
      mistake: mistakeOf({ from: file.path, module, rule, specifier, paths }),
    }));
    const globals = globalsUsedIn(file, rule.noGlobals ?? []).map(({ line, name }) => ({
      line,
      mistake: `${module} must not use the global ${name}: what it gives comes in as an argument`,
    }));
    return [...mistakes, ...globals]
      .filter(({ mistake }) => mistake !== undefined)
      .map(({ line, mistake }) => `${file.path}:${line}: ${mistake}`);
  });
}

interface Question {
  readonly from: string;
  readonly module: string;
  readonly rule: ModuleRule;
  readonly specifier: string | null;
  readonly paths: ReadonlySet<string>;
}

function mistakeOf({ from, module, rule, specifier, paths }: Question): string | undefined {
  if (specifier === null) return from.startsWith("src/") ? "imports what is known only when it runs" : undefined;
  if (!isOwnFile(specifier)) {
    const name = packageOf(specifier);
    if (rule.packages === "any" || rule.packages.includes(name)) return undefined;
    return `${module} must not import the package ${name}`;
  }
  const path = resolveImport(from, specifier);
  if (!paths.has(path)) return `imports ${specifier}, which is no file here (extension included)`;
  const to = moduleOf(path);
  if (to === module) {
    const isHelper = path.split("/").at(-1)?.startsWith("_") === true;
    return rule.kinds && !isHelper ? `imports ${path}: kinds of ${module} share only helpers, _name.ts` : undefined;
  }
  if (to !== undefined && rule.modules.includes(to)) return undefined;
  return `${module} must not import ${to ?? path}`;
}
