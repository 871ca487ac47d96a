/**
 * The built-in functions of JSONata, as the package has them, but counted and bounded; and those that would be different at
 * the next attempt ($now, $millis, $random, $shuffle) made of what stays the same for a delivery. Signatures, parameters and
 * errors are the package's own.
 */
import type jsonata from "jsonata";
import type { Budget } from "./jsonata-budget.ts";
import { TEXT_LENGTH_MAX, checkSize, isFunctionObject, weigh } from "./jsonata-budget.ts";
import type { DrawRandom } from "./seeded-random.ts";

/** `$sort` copies as it merges: the work and the memory grow with the square of the length. */
export const SORTED_ELEMENTS_MAX = 4_096;
/** Pictures of numbers and times. */
export const PICTURE_LENGTH_MAX = 256;
/** Digits or words that a picture reads. */
export const PARSED_LENGTH_MAX = 100;
/** Text that `$eval` reads as an expression, and how many `?:` and `??` it may have: the parser doubles them. */
export const EVALUATED_LENGTH_MAX = 1_024;
export const EVALUATED_DEFAULTS_MAX = 8;

/** The package. */
export type Jsonata = typeof jsonata;

/** What belongs to one evaluation. */
export interface Run {
  readonly budget: Budget;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly draw: DrawRandom;
}

/** The package's scope of variables. `base` is the evaluation's own. */
export interface Environment {
  readonly base: EvaluationBase;
  readonly lookup: (name: string) => unknown;
}

export interface EvaluationBase extends Environment {
  /** What a time picture takes from now, where it says only a part. */
  readonly timestamp: { readonly setTime: (timeMs: number) => unknown };
  RegexEngine: unknown;
}

/** What the package hands to a built-in function as `this`. */
interface Focus {
  readonly environment: Environment;
  readonly createSequence: () => unknown[];
}

type Implementation = (this: Focus, ...given: unknown[]) => unknown;
interface Definition {
  readonly implementation: Implementation;
  readonly signature: object;
}

/** Where a run stands among the variables. No expression can write a name with a space behind its `$`. */
const RUN = " run";

export function runOf(environment: Environment): Run {
  return environment.base.lookup(RUN) as Run;
}

// prettier-ignore
export const BUILT_INS = [
  "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone", "contains", "count",
  "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl", "encodeUrlComponent", "error", "eval", "exists", "filter",
  "floor", "formatBase", "formatInteger", "formatNumber", "fromMillis", "join", "keys", "length", "lookup", "lowercase", "map",
  "match", "max", "merge", "millis", "min", "not", "now", "number", "pad", "parseInteger", "power", "random", "reduce", "replace",
  "reverse", "round", "shuffle", "sift", "single", "sort", "split", "spread", "sqrt", "string", "substring", "substringAfter",
  "substringBefore", "sum", "toMillis", "trim", "type", "uppercase", "zip",
] as const;
type BuiltIn = (typeof BUILT_INS)[number];

/** They look at each character, or copy it. */
const BY_CHARACTER: ReadonlySet<BuiltIn> = new Set(["length", "pad", "replace", "split", "substring"]);
/** They walk through lists in lists. */
const DEEP: ReadonlySet<BuiltIn> = new Set(["boolean", "distinct", "keys", "lookup", "merge", "not", "spread"]);

const lengthOf = (value: unknown): number => (typeof value === "string" || Array.isArray(value) ? value.length : 0);

function picture(run: Run, [value, written]: readonly unknown[]): void {
  // The package would look for the digits of Infinity for ever.
  if (value === Infinity || value === -Infinity) {
    throw Object.assign(new Error(`Number out of range: ${value}`), { code: "D1001" });
  }
  if (lengthOf(written) > PICTURE_LENGTH_MAX) {
    run.budget.exceed(`a picture in it is longer than ${PICTURE_LENGTH_MAX} characters`);
  }
}

function timePicture(run: Run, given: readonly unknown[]): void {
  picture(run, given);
  const widths = typeof given[1] === "string" ? given[1].split(",").slice(1) : [];
  if (widths.some((text) => /\d{4}/.test(text.split("]", 1)[0] ?? "")))
    run.budget.exceed("a width in a time picture has at most 3 digits");
}

function parsed(run: Run, given: readonly unknown[]): void {
  timePicture(run, given);
  const [value, written] = given;
  if (typeof written !== "string") return;
  const length = lengthOf(value);
  if (length > PARSED_LENGTH_MAX) {
    run.budget.exceed(`a text that a picture reads is longer than ${PARSED_LENGTH_MAX} characters`);
  }
  // The package makes a regular expression of the picture, and tries all ways to cut what nothing separates.
  const borders = written.match(/\](?=[0-9A-Za-z]*\[)/g)?.length ?? 0;
  let ways = 1;
  for (let border = 1; border <= borders; border++) ways *= Math.max(1, (length - border + 1) / border);
  run.budget.charge(20 + Math.floor(ways / 100));
}

function writtenOut(run: Run, [value]: readonly unknown[]): void {
  if (typeof value === "object") weigh(value, run.budget);
}

/** Checks before a function works, where it would be too late afterwards. */
const CHECKS: Readonly<Partial<Record<BuiltIn, (run: Run, given: readonly unknown[]) => void>>> = {
  clone: writtenOut,
  string: writtenOut,
  formatInteger: picture,
  formatNumber: picture,
  fromMillis: timePicture,
  now: (run, given) => timePicture(run, [0, given[0]]),
  parseInteger: parsed,
  toMillis: parsed,
  eval: ({ budget }, [text]) => {
    if (typeof text !== "string") return;
    budget.charge(100 + 4 * text.length);
    if (text.length > EVALUATED_LENGTH_MAX) budget.exceed(`$eval reads at most ${EVALUATED_LENGTH_MAX} characters`);
    if ((text.match(/\?[:?]/g) ?? []).length > EVALUATED_DEFAULTS_MAX) {
      budget.exceed(`$eval reads at most ${EVALUATED_DEFAULTS_MAX} times ?: or ??`);
    }
  },
  join: ({ budget }, [texts, separator]) => {
    if (!Array.isArray(texts)) return;
    const length = texts.reduce<number>((sum, text) => sum + lengthOf(text) + lengthOf(separator), 0);
    if (length > TEXT_LENGTH_MAX + lengthOf(separator)) checkSize(" ".repeat(TEXT_LENGTH_MAX + 1), budget);
  },
  pad: ({ budget }, [, width, char]) => {
    if (typeof width !== "number") return;
    const padding = Math.abs(width) * Math.max(1, lengthOf(char));
    if (!(padding <= TEXT_LENGTH_MAX)) budget.exceed(`$pad makes at most ${TEXT_LENGTH_MAX} characters`);
  },
  sort: ({ budget }, [list]) => {
    const length = lengthOf(list);
    if (length > SORTED_ELEMENTS_MAX) budget.exceed(`$sort sorts at most ${SORTED_ELEMENTS_MAX} elements`);
    budget.charge((length * Math.ceil(Math.log2(length + 1))) >>> 1);
  },
  // It copies what it has for each element.
  spread: ({ budget }, [list]) => budget.charge((lengthOf(list) ** 2) >>> 9),
  zip: ({ budget }, lists) => {
    const shortest = Math.min(...lists.map(lengthOf));
    budget.charge(lists.length * shortest);
  },
};

/** Functions that are not the package's. */
const REPLACEMENTS: Readonly<
  Partial<Record<BuiltIn, (run: Run, focus: Focus, given: readonly unknown[], known: Originals) => unknown>>
> = {
  millis: ({ acceptedAt }) => acceptedAt,
  now: ({ acceptedAt }, focus, given, { fromMillis }) => fromMillis.implementation.apply(focus, [acceptedAt, ...given]),
  random: ({ draw }) => draw(),
  shuffle: ({ draw }, _, [list]) => {
    if (!Array.isArray(list) || list.length <= 1) return list;
    const shuffled: unknown[] = [];
    for (const [index, element] of list.entries()) {
      const other = Math.floor(draw() * (index + 1));
      shuffled[index] = shuffled[other];
      shuffled[other] = element;
    }
    return shuffled;
  },
  // The package compares each with each: seconds for some thousand objects.
  distinct: (_, focus, [list]) => {
    if (!Array.isArray(list) || list.length <= 1) return list;
    const found = new Map<unknown, unknown>();
    for (const element of list) {
      const key = identity(element);
      if (!found.has(key)) found.set(key, element);
    }
    const results = Object.hasOwn(list, "sequence") ? focus.createSequence() : [];
    for (const element of found.values()) results.push(element);
    return results;
  },
};

/** Equal for values that are equal in depth: the order of an object's members does not matter. */
function identity(value: unknown): unknown {
  if (typeof value === "object" && value !== null && !isFunctionObject(value)) return `o${canonicalText(value)}`;
  return typeof value === "string" ? `s${value}` : value;
}

function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  if (isFunctionObject(value)) return "function";
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalText((value as Record<string, unknown>)[name])}`);
  return `{${members.join()}}`;
}

type Originals = Readonly<Record<BuiltIn, Definition>>;

/** The package's own definitions, which it shows to nobody but a scope. */
function originalsOf(jsonata: Jsonata): Originals {
  const scopes: Environment[] = [];
  const probe = jsonata("1") as unknown as {
    readonly assign: (name: symbol, value: unknown) => void;
    readonly evaluate: () => Promise<unknown>;
  };
  probe.assign(Symbol.for("jsonata.__createFrame_push"), (scope: Environment) => scopes.push(scope));
  void probe.evaluate();
  const scope = scopes[0] as Environment;
  return Object.fromEntries(BUILT_INS.map((name) => [name, scope.lookup(name)])) as Record<BuiltIn, Definition>;
}

/** A definition that counts. Frozen with all it holds: an expression can get at it and write into it (`| … | … |`). */
function counted(name: BuiltIn, known: Originals): Definition {
  const { implementation, signature } = known[name];
  const check = CHECKS[name];
  const replacement = REPLACEMENTS[name];
  const byCharacter = BY_CHARACTER.has(name);
  const isDeep = DEEP.has(name);
  const afterwards = (run: Run, made: unknown): unknown => {
    run.budget.charge(lengthOf(made) >>> 5);
    checkSize(made, run.budget);
    return made;
  };
  const countedFunction = function (this: Focus, ...given: unknown[]): unknown {
    const run = runOf(this.environment);
    let steps = 1;
    for (const value of given) {
      if (typeof value === "string") steps += value.length >>> (byCharacter ? 5 : 7);
      else if (Array.isArray(value)) {
        steps += value.length >>> 8;
        if (isDeep) weigh(value, run.budget);
      }
    }
    run.budget.charge(steps);
    check?.(run, given);
    const made = replacement === undefined ? implementation.apply(this, given) : replacement(run, this, given, known);
    if (!(made instanceof Promise)) return afterwards(run, made);
    return made.then((value: unknown) => afterwards(run, value), name === "eval" ? forgetMessage : undefined);
  };
  // The package reads the names of the parameters from the text of a function, and their number from its length.
  Object.defineProperties(countedFunction, {
    length: { value: implementation.length },
    toString: { value: () => Function.prototype.toString.call(implementation) },
  });
  return { implementation: Object.freeze(countedFunction), signature: Object.freeze(signature) };
}

/** Each `$eval` around another quotes its error's message, and so the quotes in it: twice as long every time. */
function forgetMessage(error: unknown): never {
  if (typeof error === "object" && error !== null) Object.assign(error, { value: undefined });
  throw error;
}

/** Of the package, which is one and the same for all expressions. */
let countedDefinitions: readonly (readonly [BuiltIn, Definition])[] | undefined;

/** The variables that an evaluation begins with. New for each: the package writes into definitions. */
export function variablesOf(run: Run, jsonata: Jsonata): Record<string, unknown> {
  countedDefinitions ??= countAll(originalsOf(jsonata));
  const variables: Record<string, unknown> = { [RUN]: run };
  for (const [name, { implementation, signature }] of countedDefinitions) {
    variables[name] = { _jsonata_function: true, implementation, signature };
  }
  return variables;
}

function countAll(known: Originals): readonly (readonly [BuiltIn, Definition])[] {
  return BUILT_INS.map((name) => [name, counted(name, known)] as const);
}
