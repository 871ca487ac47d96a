/**
 * The rules document, compiled: what every request and every delivery looks things up in. The document was checked when it
 * was generated, so a mistake found here is a bug and throws.
 */
import { checkedPattern } from "./checked-pattern.ts";
import { checkedTransform } from "./checked-transform.ts";
import type { JsonataEngine } from "./jsonata.ts";
import type { Matcher } from "./matcher.ts";
import { compileMatcher } from "./matcher.ts";
import { once } from "./once.ts";
import type { JsonObject, Mistake, Result } from "./result.ts";
import { formatPath } from "./result.ts";
import type {
  RuleDefinition,
  RuleMode,
  RulesDocument,
  Running,
  RunningRules,
  SourceDefinition,
  TargetDefinition,
} from "./rule.ts";
import type { RunningSource, Source } from "./source.ts";
import type { RunningTarget, Target } from "./target.ts";
import type { Transform } from "./transform.ts";

export interface CompiledSource {
  readonly definition: Running<SourceDefinition>;
  readonly source: RunningSource<unknown>;
  readonly config: unknown;
}

export interface CompiledTarget {
  readonly definition: Running<TargetDefinition>;
  readonly target: RunningTarget<unknown>;
  readonly config: unknown;
}

export interface CompiledRule {
  readonly definition: RuleDefinition;
  /** Undefined when targets get the payload as it was received. */
  readonly transform: Transform | undefined;
}

export interface RuleSet {
  /** The document's version. */
  readonly version: string;
  readonly source: (name: string) => CompiledSource | undefined;
  readonly target: (name: string) => CompiledTarget | undefined;
  /** By its path, `<bus>/<name>`, whatever its mode. */
  readonly rule: (path: string) => CompiledRule | undefined;
  /** The live rules of the bus whose pattern the event meets, in the order of their paths. */
  readonly match: (bus: string, view: JsonObject) => readonly CompiledRule[];
  /** The same of its shadow rules. */
  readonly matchShadow: (bus: string, view: JsonObject) => readonly CompiledRule[];
  /** Every bus that has a source or a rule, in order. */
  readonly buses: readonly string[];
  readonly sources: readonly CompiledSource[];
  readonly targets: readonly CompiledTarget[];
  /** `<rule> <target>` of every live rule and each of its targets. */
  readonly pairs: readonly string[];
  /** In the order of their paths. */
  readonly rules: readonly CompiledRule[];
}

/** A source whose configuration is known only to itself. A registry of different sources is a record of these. */
export type AnySource = Omit<Source<never>, "parse"> & Pick<Source<unknown>, "parse">;
export type AnyTarget = Omit<Target<never>, "parse"> & Pick<Target<unknown>, "parse">;

/** The sources and targets there are, by kind. */
export interface Registry {
  readonly sources: Readonly<Record<string, AnySource>>;
  readonly targets: Readonly<Record<string, AnyTarget>>;
  readonly jsonata?: JsonataEngine | undefined;
}

/** Those that the rules use, as a deployed Worker has them: `src/generated/sources.ts` and `targets.ts`. */
export interface RunningRegistry {
  readonly sources: Readonly<Record<string, RunningSource<never>>>;
  readonly targets: Readonly<Record<string, RunningTarget<never>>>;
  /** `src/generated/jsonata.ts`: none where no rule has an expression. */
  readonly jsonata?: JsonataEngine | undefined;
}

/** Reads the entries of a checked document: what the generator writes. Throws where the document was not checked. */
export function configure(document: RulesDocument, registry: Registry): RunningRules {
  const sources = document.sources.map(({ entry, ...definition }) => {
    const what = `source ${definition.name}`;
    return { ...definition, config: valueOf(kindOf(registry.sources, definition.kind, what).parse(entry), what) };
  });
  const targets = document.targets.map(({ entry, ...definition }) => {
    const what = `target ${definition.name}`;
    return { ...definition, config: valueOf(kindOf(registry.targets, definition.kind, what).parse(entry), what) };
  });
  return { ...document, sources, targets };
}

/** Compiles a checked document, entries and all: for the command line and tests. */
export function compileRules(document: RulesDocument, registry: Registry): RuleSet {
  return compileRunning(configure(document, registry), registry);
}

/** Compiles a document that `scripts/generate.ts` wrote. Throws when it could not have. */
export function compileRunning(document: RunningRules, registry: RunningRegistry): RuleSet {
  const sources = document.sources.map((definition): CompiledSource => {
    const source = kindOf(registry.sources, definition.kind, `source ${definition.name}`) as RunningSource<unknown>;
    return { definition, source, config: definition.config };
  });
  const targets = document.targets.map((definition): CompiledTarget => {
    const target = kindOf(registry.targets, definition.kind, `target ${definition.name}`) as RunningTarget<unknown>;
    return { definition, target, config: definition.config };
  });
  const rules = document.rules.toSorted(byPath).map((definition): CompiledRule => {
    const { transform } = definition;
    if (transform === undefined) return { definition, transform };
    const compiled = once(() => checkedTransform(transform, registry.jsonata));
    return {
      definition,
      get transform() {
        return compiled();
      },
    };
  });

  const sourcesByName = indexBy(sources, ({ definition }) => definition.name);
  const targetsByName = indexBy(targets, ({ definition }) => definition.name);
  const rulesByPath = indexBy(rules, ({ definition }) => definition.path);
  for (const { definition } of rules) {
    const unknown = definition.targets.find((name) => !targetsByName.has(name));
    if (unknown !== undefined) throw new Error(`rule ${definition.path}: there is no target ${unknown}`);
  }
  const live = compileBuses(rules, "live");
  const shadow = compileBuses(rules, "shadow");
  const busNames = new Set([...sources, ...rules].map(({ definition }) => definition.bus));

  return {
    version: document.version,
    source: (name) => sourcesByName.get(name),
    target: (name) => targetsByName.get(name),
    rule: (path) => rulesByPath.get(path),
    match: (bus, view) => matchOn(live.get(bus)?.(), view),
    matchShadow: (bus, view) => matchOn(shadow.get(bus)?.(), view),
    buses: [...busNames].toSorted(),
    sources,
    targets,
    pairs: rules
      .filter(({ definition }) => definition.mode === "live")
      .flatMap(({ definition }) => definition.targets.map((target) => `${definition.path} ${target}`)),
    rules,
  };
}

interface CompiledBus {
  readonly rules: readonly CompiledRule[];
  readonly matcher: Matcher;
}

function matchOn(bus: CompiledBus | undefined, view: JsonObject): readonly CompiledRule[] {
  // The matcher answers ascending indexes, and the rules of a bus stand in the order of their paths.
  return bus === undefined ? [] : bus.matcher.match(view).map((index) => bus.rules[index] as CompiledRule);
}

function compileBuses(rules: readonly CompiledRule[], mode: RuleMode): ReadonlyMap<string, () => CompiledBus> {
  const wanted = rules.filter(({ definition }) => definition.mode === mode);
  const buses = new Map<string, () => CompiledBus>();
  for (const [bus, members] of Map.groupBy(wanted, ({ definition }) => definition.bus)) {
    const compiled = once((): CompiledBus => {
      const patterns = members.map(({ definition }) => checkedPattern(definition.pattern));
      return { rules: members, matcher: compileMatcher(patterns) };
    });
    buses.set(bus, compiled);
  }
  return buses;
}

/** Code units, not a language's order: the same on every machine. */
function byPath(a: RuleDefinition, b: RuleDefinition): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function kindOf<Kind>(kinds: Readonly<Record<string, Kind>>, kind: string, what: string): Kind {
  const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (found === undefined) throw new Error(`${what}: there is no kind ${kind}`);
  return found;
}

function valueOf<Value>(result: Result<Value, readonly Mistake[]>, what: string): Value {
  if (result.ok) return result.value;
  const mistakes = result.error.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  throw new Error(`${what} is wrong; generate the rules again\n${mistakes.join("\n")}`);
}

function indexBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): ReadonlyMap<string, Item> {
  const index = new Map<string, Item>();
  for (const item of items) {
    const name = nameOf(item);
    if (index.has(name)) throw new Error(`${name} is there twice`);
    index.set(name, item);
  }
  return index;
}
