/** JSONata for those who read rules: compiles expressions as people write them, and tells what is wrong with them. */
import jsonata from "jsonata";
import { BUILT_INS } from "./jsonata-built-ins.ts";
import type { Part, ReadExpression } from "./jsonata-evaluation.ts";
import { evaluateJsonata, programOf, readExpression } from "./jsonata-evaluation.ts";
import { describeSyntax, placeOf } from "./jsonata-failure.ts";
import { nearestName } from "./read-object.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** UTF-16 code units of an expression. */
export const EXPRESSION_LENGTH_MAX = 16_384;

export interface CompiledJsonata {
  readonly text: string;
  readonly expression: () => ReadExpression;
}

/** What is handed to whoever reads rules: a Worker whose rules have no expression is built without it. */
export interface JsonataEngine {
  /** The errors are sentences without their stop, one for each mistake that can be told from the others. */
  readonly compile: (text: string) => Result<CompiledJsonata, readonly string[]>;
  readonly evaluate: typeof evaluateJsonata;
}

/** When and by which chance an expression is evaluated: the same at every attempt of a delivery. */
export interface JsonataContext {
  /** What `$now` and `$millis` say, in milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** What `$random` and `$shuffle` draw from. */
  readonly seed: string;
}

export function compileJsonata(text: string): Result<CompiledJsonata, readonly string[]> {
  if (text.length > EXPRESSION_LENGTH_MAX)
    return err([`an expression has at most ${EXPRESSION_LENGTH_MAX} characters`]);
  let expression: ReadExpression;
  try {
    expression = readExpression(jsonata, text);
  } catch (error) {
    return err([describeSyntax(error, text)]);
  }
  const mistakes = findMistakes(expression.ast(), text);
  return mistakes.length > 0 ? err(mistakes) : ok({ text, expression: () => expression });
}

/** What the package would only find when it is too late: regular expressions, and functions that nobody has defined. */
function findMistakes(tree: Part, text: string): readonly string[] {
  const defined = new Set<unknown>(BUILT_INS);
  const called: Part[] = [];
  const mistakes: string[] = [];
  const at = ({ position }: Part): string => {
    const place = placeOf(text, position);
    return place === undefined ? "" : ` at ${place}`;
  };
  for (const part of partsOf(tree)) {
    if (part.type === "regex") {
      const program = programOf(part.value);
      if (!program.ok) mistakes.push(`${program.error}${at(part)}`);
    }
    if (part.type === "function" || part.type === "partial") called.push(part["procedure"] as Part);
    if (part.type === "bind") defined.add((part["lhs"] as Part).value);
    if (part.type === "lambda") for (const { value } of part["arguments"] as readonly Part[]) defined.add(value);
    for (const name of ["focus", "index"]) if (typeof part[name] === "string") defined.add(part[name]);
  }
  for (const part of called) {
    if (part.type !== "variable" || defined.has(part.value) || part.value === "" || part.value === "$") continue;
    const nearest = nearestName(String(part.value), [...defined] as string[]);
    const hint = nearest === undefined ? "" : `; did you mean $${nearest}?`;
    mistakes.push(`there is no function $${String(part.value).slice(0, 80)}${at(part)}${hint}`);
  }
  return mistakes;
}

/** Every node of the tree once, whatever it hangs on. */
function partsOf(tree: Part): readonly Part[] {
  const seen = new Set<object>([tree]);
  for (const part of seen) {
    if (part instanceof RegExp) continue;
    for (const member of Object.values(part))
      if (typeof member === "object" && member !== null) seen.add(member as object);
  }
  return [...seen] as readonly Part[];
}

export const jsonataEngine: JsonataEngine = { compile: compileJsonata, evaluate: evaluateJsonata };
