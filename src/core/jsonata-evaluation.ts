/**
 * Expressions of JSONata 2.2 (https://docs.jsonata.org) as they are evaluated, by the package of that name: the language is the
 * package's; what is added are limits, regular expressions in linear time, and a clock and chance that stay the same for a delivery.
 * The package is handed in, as a Worker loads it late.
 */
import { LIST_ELEMENTS_MAX, STACK_MAX, checkSize, openBudget, weigh } from "./jsonata-budget.ts";
import type { Environment, Jsonata, Run } from "./jsonata-built-ins.ts";
import { runOf, variablesOf } from "./jsonata-built-ins.ts";
import { describeFailure } from "./jsonata-failure.ts";
import type { CompiledJsonata, JsonataContext } from "./jsonata.ts";
import type { LinearProgram } from "./linear-regex-program.ts";
import type { LinearRegex } from "./linear-regex.ts";
import { compileLinearRegex, linearRegex } from "./linear-regex.ts";
import type { Json, Result } from "./result.ts";
import { err, ok } from "./result.ts";
import { seededRandom } from "./seeded-random.ts";

/** The order-by operator keeps copies that grow with the square of the list: what it compares costs more, so that 5,000 are many. */
const COMPARISON_STEPS = 2;

/** An expression that was read. */
export interface ReadExpression {
  readonly evaluate: (input: unknown, run: Run) => Promise<unknown>;
  readonly ast: () => Part;
}

/** The package's expression, with what its types leave out. */
interface Expression {
  readonly evaluate: (input: unknown, variables: Record<string, unknown>) => Promise<unknown>;
  readonly assign: (name: symbol, value: unknown) => void;
  readonly ast: () => Part;
}

/** A node of the syntax tree. */
export interface Part {
  readonly type?: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly [name: string]: unknown;
}

/** Where the package does something with a part's value that must not begin. */
type Role = "written" | "member" | "compared";

/** Regular expressions are compiled once, where they stand in the tree. */
const programs = new WeakMap<object, Result<LinearProgram, string>>();
const roles = new WeakMap<object, Role>();

/** The error says what is wrong with it. */
export function programOf(expression: unknown): Result<LinearProgram, string> {
  // The package copies what stands before ?? through JSON, where a regular expression becomes {}.
  if (!(expression instanceof RegExp))
    return err("a regular expression can't stand before ??; give it a name first: $r := /…/");
  let program = programs.get(expression);
  if (program === undefined) programs.set(expression, (program = compileLinearRegex(expression)));
  return program;
}

/** Throws what the package throws where the text is no JSONata. */
export function readExpression(jsonata: Jsonata, text: string): ReadExpression {
  const expression = jsonata(text, { stack: STACK_MAX, sequence: LIST_ELEMENTS_MAX }) as unknown as Expression;
  expression.assign(Symbol.for("jsonata.__evaluate_entry"), enter);
  expression.assign(Symbol.for("jsonata.__evaluate_exit"), leave);
  return {
    evaluate: (input, run) => expression.evaluate(input, variablesOf(run, jsonata)),
    ast: () => expression.ast(),
  };
}

/** The package calls this before it evaluates a part. */
function enter(part: Part, input: unknown, environment: Environment): void {
  const run = runOf(environment) as StartedRun;
  if (!run.started) start(run, environment);
  run.budget.charge(roles.get(part) === "compared" ? 1 + COMPARISON_STEPS : 1);
  if (Array.isArray(input)) run.budget.charge(input.length >>> 5);
  if (part.type === "binary" && part.value === "&") {
    roles.set(part["lhs"] as Part, "written");
    roles.set(part["rhs"] as Part, "written");
  } else if (part.type === "unary" && part.value === "-") roles.set(part["expression"] as Part, "written");
  else if (part.type === "unary" && part.value === "{") markPairs(part["lhs"] as readonly Pair[]);
  else if (part.type === "transform") {
    roles.set(part["update"] as Part, "written");
    if (part["delete"] !== undefined) roles.set(part["delete"] as Part, "written");
  } else if (part.type === "path") {
    for (const step of part["steps"] as readonly Part[]) {
      if (step.type !== "sort") continue;
      for (const { expression } of step["terms"] as readonly { readonly expression: Part }[])
        roles.set(expression, "compared");
    }
  }
  if (part["group"] !== undefined) markPairs((part["group"] as { readonly lhs: readonly Pair[] }).lhs);
}

type Pair = readonly [name: Part, value: Part];

function markPairs(pairs: readonly Pair[]): void {
  for (const [name, value] of pairs) {
    roles.set(name, "written");
    roles.set(value, "member");
  }
}

/** The package calls this with what a part has come to. */
function leave(part: Part, _: unknown, environment: Environment, result: unknown): void {
  if (result === undefined || result === null) return;
  const { budget } = runOf(environment);
  checkSize(result, budget);
  if (typeof result !== "object" && typeof result !== "function") return;
  const role = roles.get(part);
  // The package makes text of it, for the result or for an error's message.
  if (role === "written" && typeof result === "object") weigh(result, budget);
  // Behind the name `then` it would be taken for a promise that nobody keeps.
  if (role === "member" && typeof result === "function") {
    budget.exceed(
      "a member of an object can't be a regular expression or a function that was handed in; wrap it: function($x){…}",
    );
  }
}

interface StartedRun extends Run {
  started: boolean;
}

/** What the package sets for each evaluation and this one needs otherwise. Before the first part; nothing is shared. */
function start(run: StartedRun, { base }: Environment): void {
  run.started = true;
  base.timestamp.setTime(run.acceptedAt);
  // A constructor, as the package calls it with `new`.
  base.RegexEngine = function engine(expression: unknown): LinearRegex {
    const program = programOf(expression);
    if (!program.ok) return run.budget.exceed(program.error);
    return linearRegex(program.value, run.budget.charge);
  };
}

/** Evaluates an expression. Never throws, and leaves the input as it is. The error is a sentence without its stop. */
export async function evaluateJsonata(
  { text, expression }: CompiledJsonata,
  input: Json,
  { acceptedAt, seed }: JsonataContext,
): Promise<Result<unknown, string>> {
  const run: StartedRun = { budget: openBudget(), acceptedAt, draw: seededRandom(seed), started: false };
  try {
    // The package writes into what it is given, such as into empty lists that it groups.
    const own: unknown = JSON.parse(JSON.stringify(input));
    return ok(await expression().evaluate(own, run));
  } catch (error) {
    return err(describeFailure(error, text, run.budget.exceeded()));
  } finally {
    run.budget.stop();
  }
}
