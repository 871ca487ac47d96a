/** What the package throws, as sentences for people: the code, the place in the expression, and nothing of the event. */
import { LIST_ELEMENTS_MAX, STACK_MAX } from "./jsonata-budget.ts";

const DETAIL_LENGTH_MAX = 400;

/** What the package throws: objects of its own, and now and then an Error of JavaScript's. */
interface Thrown {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly position?: unknown;
  readonly value?: unknown;
  readonly value2?: unknown;
  readonly error?: unknown;
}

/** Where the lists' and the stack's limits are the package's own. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  D1011: `more than ${STACK_MAX} parts of it are under way at one time; look for a recursion without an end`,
  D2014: `a list in it has more than ${LIST_ELEMENTS_MAX} elements`,
  D2015: `a list in it has more than ${LIST_ELEMENTS_MAX} elements`,
};

/** `line 2, column 5`, of the token that the offset ends. */
export function placeOf(expression: string, position: unknown): string | undefined {
  if (typeof position !== "number" || !Number.isInteger(position) || position < 0) return undefined;
  const before = expression.slice(0, Math.max(0, position - 1));
  const line = before.split("\n").length;
  return `line ${line}, column ${before.length - before.lastIndexOf("\n")}`;
}

/** Why an expression is no JSONata. */
export function describeSyntax(error: unknown, expression: string): string {
  if (error instanceof RangeError) return "the expression nests too deeply";
  const { code, message, position } = asThrown(error);
  if (error instanceof SyntaxError) return `a regular expression in it is wrong: ${text(message)}`;
  const place = placeOf(expression, position);
  return `${text(message).replace(/\.$/, "")}${codeIn(code)}${place === undefined ? "" : ` at ${place}`}`;
}

/** Why an evaluation failed. `exceeded` is the limit that it met, whatever was thrown then. */
export function describeFailure(error: unknown, expression: string, exceeded: string | undefined): string {
  const thrown = asThrown(error);
  const place = placeOf(expression, thrown.position);
  const at = place === undefined ? "" : ` at ${place}`;
  if (exceeded !== undefined) return `the expression was stopped${at}: ${exceeded}`;
  if (error instanceof RangeError) return `the expression needs more stack or memory than there is${at}`;
  if (error instanceof Error && thrown.code === undefined)
    return `the expression can't be evaluated${at}: a value is not what a function expects`;
  return `the expression failed${at}: ${meaning(thrown)}`.slice(0, DETAIL_LENGTH_MAX);
}

function meaning({ code, message, value, value2, error }: Thrown): string {
  if (code === "D3120") return "the text that $eval got is no JSONata (D3120)";
  if (code === "D3121") return `in what $eval evaluates (D3121): ${meaning(innermost(error))}`;
  const own = typeof code === "string" && Object.hasOwn(OWN_WORDS, code) ? OWN_WORDS[code] : undefined;
  if (own !== undefined) return `${own}${codeIn(code)}`;
  // $error and $assert say what their author wants to say.
  const said = text(message);
  if (code === "D3137" || code === "D3141") return `${said}${codeIn(code)}`;
  return `${withoutValue(withoutValue(said, value), value2).replace(/\.$/, "")}${codeIn(code)}`;
}

function innermost(error: unknown): Thrown {
  let thrown = asThrown(error);
  while (thrown.code === "D3121") thrown = asThrown(thrown.error);
  return thrown;
}

/** The package's messages quote values, which are the event's. */
function withoutValue(message: string, value: unknown): string {
  if (typeof value !== "string" && (typeof value !== "object" || value === null)) return message;
  const kind = typeof value === "string" ? "a string" : Array.isArray(value) ? "a list" : "an object";
  try {
    return message.replaceAll(JSON.stringify(value), () => kind);
  } catch {
    return message.slice(0, 80);
  }
}

function asThrown(error: unknown): Thrown {
  return typeof error === "object" && error !== null ? error : {};
}

function text(message: unknown): string {
  return typeof message === "string" && message !== "" ? message : "it can't be read";
}

function codeIn(code: unknown): string {
  return typeof code === "string" && /^[SDT]\d{4}$/.test(code) ? ` (${code})` : "";
}
