/**
 * Reads and checks a folder of rules: `sources.yaml`, `targets.yaml` and `<bus>/<rule>.yaml|.yml|.json`. Everything that is
 * wrong is reported at once, each with file, line and column.
 */
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, nearestName } from "../src/core/read-object.ts";
import type { Json, JsonObject, Mistake } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import type { Registry } from "../src/core/rule-set.ts";
import type { RuleDefinition, RulesDocument, SourceDefinition, TargetDefinition } from "../src/core/rule.ts";
import { checkFile, readBytes } from "./checked-file.ts";
import { orderWarnings } from "./order-warnings.ts";
import { ownHostProblems, readOwnHosts } from "./own-hosts.ts";
import type { Problem } from "./problem.ts";
import { compareProblems, fileProblem } from "./problem.ts";
import { draftRule, readRule } from "./read-rule.ts";
import { readSource } from "./read-source.ts";
import { readTarget } from "./read-target.ts";
import { loadRegistry } from "./registry.ts";
import { NAME_RULE, isName } from "./rule-name.ts";
import type { RuleText } from "./rule-text.ts";

export const RULES_MAX = 20_000;
/** Sources and targets, each. */
export const ENTRIES_MAX = 1_000;

const VERSION_HEX_CHARS = 12;
/** How many files are open at a time. */
const FILES_AT_ONCE = 64;

const RULE_FILE = /\.(?:yaml|yml|json)$/;
const TEST_FILE = /\.test\.(?:yaml|yml|json)$/;
export const SCHEMAS_FOLDER = "schemas";
/** In a bus: files that test cases name as their events. */
const EVENTS = "events";

export interface RulesRead {
  /** Whatever could be read; complete only when no problem is an error. */
  readonly document: RulesDocument;
  /** Sorted by file and place. `file` begins with the folder's path as it was given. */
  readonly problems: readonly Problem[];
  /** What could be read of rules with mistakes, to look for more of them. */
  readonly drafts: readonly RuleDefinition[];
  /** The rules' files, by the rules' paths. */
  readonly files: ReadonlyMap<string, string>;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}

/**
 * Reads the folder. Throws only for what no file in it can cause. `wranglerToml` is the file that says where the router
 * itself is reached, the project's own unless told.
 */
export async function readRules(dir: string, registry?: Registry, wranglerToml?: string): Promise<RulesRead> {
  const kinds = registry ?? (await loadRegistry());
  const problems: Problem[] = [];
  const listing = await listFolder(dir, problems);
  if (listing === undefined) return { document: withVersion([], [], []), problems, drafts: [], files: new Map() };

  const sources = await readEntries(join(dir, "sources.yaml"), problems, (name, value, mistakes) =>
    readSource(name, value, kinds.sources, mistakes),
  );
  const targets = await readEntries(join(dir, "targets.yaml"), problems, (name, value, mistakes) =>
    readTarget(name, value, kinds.targets, mistakes),
  );
  const rules: RuleDefinition[] = [];
  const drafts: RuleDefinition[] = [];
  if (listing.rules.length > RULES_MAX) {
    problems.push(fileProblem(dir, `a folder has at most ${RULES_MAX} rules, found ${listing.rules.length}`));
  } else {
    for (let at = 0; at < listing.rules.length; at += FILES_AT_ONCE) {
      const files = listing.rules.slice(at, at + FILES_AT_ONCE);
      const texts = await Promise.all(files.map(async ({ file }) => ({ file, bytes: await readBytes(file) })));
      for (const [index, { file, bytes }] of texts.entries()) {
        const { bus, name } = files[index] as RuleFile;
        const rule = checkFile(file, bytes, problems, (value, mistakes, { locate }) => {
          const read = readRule(bus, name, value, targets.names, mistakes);
          for (const warning of read === undefined ? [] : orderWarnings(read, targets.definitions)) {
            problems.push({ file, ...locate(warning), message: warning.message, severity: "warning" });
          }
          const draft = read === undefined ? draftRule(bus, name, value, targets.names) : undefined;
          if (draft !== undefined) drafts.push(draft);
          return read;
        });
        if (rule !== undefined) rules.push(rule);
      }
    }
  }
  const busNames = new Set(listing.rules.map(({ bus }) => bus));
  for (const { bus, name } of sources.definitions) {
    if (busNames.has(bus)) continue;
    const message = `the bus ${bus} has no rules: events of ${name} go nowhere${hintOf(bus, [...busNames])}`;
    problems.push({ file: sources.file, ...sources.locate({ path: [name], at: "key" }), message, severity: "warning" });
  }
  for (const { name, kind, entry } of targets.definitions) {
    const bus = kind === "bus" ? ownMember(entry, "bus") : undefined;
    if (typeof bus !== "string" || busNames.has(bus)) continue;
    const message = `the bus ${bus} has no rules: events sent to ${name} go nowhere${hintOf(bus, [...busNames])}`;
    const place = targets.locate({ path: [name, "bus"] });
    // A bus that nothing else names is a slip of the pen; one with a source may be about to get its rules.
    const isNamed = sources.definitions.some((source) => source.bus === bus);
    problems.push({ file: targets.file, ...place, message, severity: isNamed ? "warning" : "error" });
  }
  const own = await readOwnHosts(wranglerToml);
  const locateKind = ({ name, kind }: TargetDefinition) => ({
    file: targets.file,
    ...targets.locate({ path: [name, kind] }),
  });
  problems.push(...own.problems, ...ownHostProblems(targets.definitions, kinds.targets, own.hosts, locateKind));
  const used = new Set(rules.flatMap((rule) => rule.targets));
  // While rules are wrong, nobody knows what they would have used.
  if (!hasErrors(problems)) {
    for (const { name } of targets.definitions) {
      if (used.has(name)) continue;
      const place = targets.locate({ path: [name], at: "key" });
      problems.push({ file: targets.file, ...place, message: `no rule uses the target ${name}`, severity: "warning" });
    }
  }
  const document = withVersion(sources.definitions, targets.definitions, rules);
  const files = new Map(listing.rules.map(({ bus, name, file }) => [`${bus}/${name}`, file]));
  return { document, problems: problems.toSorted(compareProblems), drafts, files };
}

function hintOf(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

interface RuleFile {
  readonly file: string;
  readonly bus: string;
  readonly name: string;
}

async function listFolder(
  dir: string,
  problems: Problem[],
): Promise<{ readonly rules: readonly RuleFile[] } | undefined> {
  const entries = await listEntries(dir);
  if (entries === undefined) {
    problems.push(fileProblem(dir, "there is no such folder"));
    return undefined;
  }
  for (const file of ["sources.yaml", "targets.yaml"]) {
    if (entries.some((entry) => entry.name === file)) continue;
    problems.push(fileProblem(join(dir, file), `there is no ${file}; an empty one will do`));
  }
  const rules: RuleFile[] = [];
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === SCHEMAS_FOLDER) continue;
      if (isName(entry.name)) rules.push(...(await listBus(path, entry.name, problems)));
      else problems.push(fileProblem(path, `a folder is a bus, and a bus is named in ${NAME_RULE}`));
    } else if (entry.name !== "sources.yaml" && entry.name !== "targets.yaml") {
      problems.push(...strayFile(path, entry.name));
    }
  }
  return { rules };
}

function strayFile(path: string, name: string): readonly Problem[] {
  if (name.endsWith(".md")) return [];
  const other = /^(sources|targets)\.(?:yml|json)$/.exec(name)?.[1];
  if (other !== undefined) return [fileProblem(path, `this file is not read: name it ${other}.yaml`)];
  if (!RULE_FILE.test(name)) return [fileProblem(path, "this file is not read", "warning")];
  return [fileProblem(path, `this file is not read: a rule stands in its bus's folder, as in default/${name}`)];
}

async function listBus(dir: string, bus: string, problems: Problem[]): Promise<readonly RuleFile[]> {
  const byName = new Map<string, RuleFile>();
  for (const entry of (await listEntries(dir)) ?? []) {
    const file = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== EVENTS) problems.push(fileProblem(file, "a bus has no folders: its rules stand side by side"));
      continue;
    }
    if (TEST_FILE.test(entry.name) || entry.name.endsWith(".md")) continue;
    if (!RULE_FILE.test(entry.name)) {
      problems.push(fileProblem(file, "this file is not read: rules end in .yaml, .yml or .json", "warning"));
      continue;
    }
    const name = entry.name.replace(RULE_FILE, "");
    const twin = byName.get(name);
    if (!isName(name)) problems.push(fileProblem(file, `a rule's file is named in ${NAME_RULE}`));
    else if (twin !== undefined)
      problems.push(fileProblem(file, `the rule ${bus}/${name} is also in ${basename(twin.file)}`));
    else byName.set(name, { file, bus, name });
  }
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What stands in a folder, sorted, less hidden files; undefined when there is no such folder. */
async function listEntries(dir: string): Promise<readonly Dirent[] | undefined> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith(".")).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

interface Entries<Definition> {
  readonly file: string;
  readonly definitions: readonly Definition[];
  /** Every name in the file, those of wrong entries too; undefined when nobody knows them. */
  readonly names: readonly string[] | undefined;
  readonly locate: RuleText["locate"];
}

async function readEntries<Definition>(
  file: string,
  problems: Problem[],
  read: (name: string, value: Json, mistakes: Mistake[]) => Definition | undefined,
): Promise<Entries<Definition>> {
  let names: readonly string[] | undefined;
  let locate: RuleText["locate"] = () => ({ line: 1, column: 1 });
  const bytes = await readBytes(file);
  // That it is missing was said when the folder was listed.
  if (bytes.reason === "missing") return { file, definitions: [], names, locate };
  const definitions = checkFile(file, bytes, problems, (value, mistakes, text) => {
    locate = text.locate;
    const entries: JsonObject | null = value === null ? {} : isJsonObject(value) ? value : null;
    if (entries === null) {
      mistakes.push({ path: [], message: `expected names with an entry each, found ${describe(value)}` });
      return undefined;
    }
    names = Object.keys(entries);
    if (names.length > ENTRIES_MAX) {
      mistakes.push({ path: [], message: `expected at most ${ENTRIES_MAX} entries, found ${names.length}` });
      return undefined;
    }
    return names.toSorted().flatMap((name) => read(name, entries[name] as Json, mistakes) ?? []);
  });
  return { file, definitions: definitions ?? [], names, locate };
}

/**
 * The version is a hash of the definitions as they stand, order of members included: a template's order is the order of
 * what it sends, and under one version a retry sends the same bytes.
 */
function withVersion(
  sources: readonly SourceDefinition[],
  targets: readonly TargetDefinition[],
  rules: readonly RuleDefinition[],
): RulesDocument {
  const sorted = rules.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash("sha256").update(JSON.stringify({ sources, targets, rules: sorted }));
  return { version: hash.digest("hex").slice(0, VERSION_HEX_CHARS), sources, targets, rules: sorted };
}
