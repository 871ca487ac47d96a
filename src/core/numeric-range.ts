/** Ranges of numbers as patterns write them: `["=", 5]`, `[">", 0]` or `[">=", 0, "<", 10]`. Numbers are doubles. */
import type { Json, JsonObject, Result } from "./result.ts";
import { err, ok } from "./result.ts";
import { describe } from "./read-object.ts";

export interface NumericRange {
  readonly low?: NumericBound;
  readonly high?: NumericBound;
}

export interface NumericBound {
  readonly value: number;
  readonly inclusive: boolean;
}

const EXPECTED =
  '["=", n], one bound such as [">", n], or a low bound and then a high bound such as [">=", 0, "<", 10]';

const LOW = [">", ">="];
const HIGH = ["<", "<="];

/** All but that a low bound must be below the high one. */
export const NUMERIC_SCHEMA: JsonObject = {
  type: "array",
  items: [{ enum: ["=", ">", ">=", "<", "<="] }, { type: "number" }, { enum: HIGH }, { type: "number" }],
  additionalItems: false,
  minItems: 2,
  anyOf: [{ maxItems: 2 }, { items: [{ enum: LOW }], minItems: 4 }],
  examples: [
    [">", 0],
    [">=", 0, "<", 100],
  ],
};

/** The error says what was found and expected. */
export function parseNumericRange(value: Json): Result<NumericRange, string> {
  if (!Array.isArray(value)) return err(`expected ${EXPECTED}, found ${describe(value)}`);
  const [operator, number, secondOperator, secondNumber] = value as readonly Json[];
  if ((value.length !== 2 && value.length !== 4) || typeof number !== "number") return unexpected(value);
  if (value.length === 2) {
    if (operator === "=") return ok({ low: inclusive(number), high: inclusive(number) });
    const low = lowBound(operator, number);
    if (low !== null) return ok({ low });
    const high = highBound(operator, number);
    return high === null ? unexpected(value) : ok({ high });
  }
  if (typeof secondNumber !== "number") return unexpected(value);
  const low = lowBound(operator, number);
  const high = highBound(secondOperator, secondNumber);
  if (low === null || high === null) return unexpected(value);
  if (number >= secondNumber) {
    return err(`expected a low bound below the high bound, found ${number} and ${secondNumber}`);
  }
  return ok({ low, high });
}

function unexpected(value: readonly Json[]): Result<never, string> {
  const text = JSON.stringify(value.slice(0, 6).map((term) => (typeof term === "object" ? describe(term) : term)));
  return err(`expected ${EXPECTED}, found ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`);
}

function lowBound(operator: Json | undefined, value: number): NumericBound | null {
  if (operator !== ">" && operator !== ">=") return null;
  return { value, inclusive: operator === ">=" };
}

function highBound(operator: Json | undefined, value: number): NumericBound | null {
  if (operator !== "<" && operator !== "<=") return null;
  return { value, inclusive: operator === "<=" };
}

function inclusive(value: number): NumericBound {
  return { value, inclusive: true };
}

export function rangeContains({ low, high }: NumericRange, value: number): boolean {
  if (low !== undefined && !(value > low.value || (low.inclusive && value === low.value))) return false;
  return high === undefined || value < high.value || (high.inclusive && value === high.value);
}
