/**
 * What one evaluation of a JSONata expression may cost. Deployed Workers have no clock that moves during a computation, so
 * work is counted, not timed: one step is one evaluated part of the expression, and takes about a microsecond.
 */

/** Enough for some 50,000 small objects made of an event; an endless loop ends here after one to two seconds. */
export const STEPS_MAX = 500_000;
/** Parts under way at one time: recursion, and the members of an object, which are evaluated side by side. About 1 KiB each. */
export const STACK_MAX = 20_000;
/** Elements of any list, also of one in between and of `[1..n]`. */
export const LIST_ELEMENTS_MAX = 10_000;
/** UTF-16 code units of any text, also of one in between. */
export const TEXT_LENGTH_MAX = 1_048_576;
/** Objects and lists in one another. */
export const VALUE_DEPTH_MAX = 200;

export interface Budget {
  /** Throws when there is no room for so many more steps, and from then on. */
  readonly charge: (steps: number) => void;
  /** Throws, and ends the evaluation: what still runs beside it ends at its next step. */
  readonly exceed: (message: string) => never;
  /** Ends what still runs, after a failure. */
  readonly stop: () => void;
  /** The limit that was met, if any: the package may have wrapped its error in others. */
  readonly exceeded: () => string | undefined;
}

export function openBudget(): Budget {
  let left = STEPS_MAX;
  let exceeded: string | undefined;
  const exceed = (message: string): never => {
    exceeded ??= message;
    left = -1;
    throw new Error(message);
  };
  return {
    charge: (steps) => {
      left -= steps;
      if (left < 0)
        exceed(`it takes more than ${STEPS_MAX} steps; look for an endless loop, or do less for each element`);
    },
    exceed,
    stop: () => {
      left = -1;
      exceeded ??= "stopped";
    },
    exceeded: () => exceeded,
  };
}

/** Refuses a value that is too large; for a list, counts it. */
export function checkSize(value: unknown, budget: Budget): void {
  if (typeof value === "string") {
    budget.charge(value.length >>> 13);
    if (value.length > TEXT_LENGTH_MAX) budget.exceed(`a text in it is longer than ${TEXT_LENGTH_MAX} characters`);
  } else if (Array.isArray(value)) {
    budget.charge(value.length >>> 5);
    if (value.length > LIST_ELEMENTS_MAX) budget.exceed(`a list in it has more than ${LIST_ELEMENTS_MAX} elements`);
  }
}

/**
 * Counts everything in a value, shared parts as often as they are met, as writing it would. Refuses what would be longer than
 * TEXT_LENGTH_MAX as text.
 */
export function weigh(value: unknown, budget: Budget): void {
  // A path's result is still a list, of one.
  let length = -1;
  let counted = 0;
  const visit = (part: unknown, depth: number): void => {
    length += typeof part === "string" ? part.length : 1;
    if (length > TEXT_LENGTH_MAX) budget.exceed(`a value in it is longer than ${TEXT_LENGTH_MAX} characters as text`);
    if (++counted === 64) {
      budget.charge(16);
      counted = 0;
    }
    if (typeof part !== "object" || part === null) return;
    if (depth > VALUE_DEPTH_MAX) budget.exceed(`a value in it nests deeper than ${VALUE_DEPTH_MAX} levels`);
    if (isFunctionObject(part)) return;
    if (Array.isArray(part)) {
      for (const element of part) visit(element, depth + 1);
      return;
    }
    for (const [name, member] of Object.entries(part)) {
      length += name.length;
      visit(member, depth + 1);
    }
  };
  visit(value, 1);
  budget.charge(length >>> 7);
}

/** A lambda or a built-in function, as the package makes them; an event can only write something that looks alike. */
export function isFunctionObject(value: object): boolean {
  const own = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  if (own("_jsonata_function") === true) return typeof own("implementation") === "function";
  if (own("_jsonata_lambda") !== true) return false;
  const environment = own("environment");
  return (
    typeof environment === "object" &&
    environment !== null &&
    typeof (environment as { lookup?: unknown }).lookup === "function"
  );
}
