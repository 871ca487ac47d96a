/** The package and what Sluice makes of it, side by side: the same results and the same errors, for every function and operator. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import jsonata from "jsonata";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isFunctionObject } from "../../src/core/jsonata-budget.ts";
import { BUILT_INS } from "../../src/core/jsonata-built-ins.ts";
import { evaluateJsonata } from "../../src/core/jsonata-evaluation.ts";
import { compileJsonata } from "../../src/core/jsonata.ts";
import type { Json } from "../../src/core/result.ts";

interface Cases {
  readonly input: Json;
  readonly functions: Readonly<Record<string, readonly string[]>>;
  readonly operators: Readonly<Record<string, readonly string[]>>;
}

const cases = JSON.parse(await readFile(join(import.meta.dirname, "jsonata/cases.json"), "utf8")) as Cases;
const source = await readFile(createRequire(import.meta.url).resolve("jsonata"), "utf8");

const ACCEPTED_AT = Date.parse("2026-03-01T09:30:00.250Z");

/** What the language has besides functions: every kind of part of the package's parser, by the names of its documentation. */
const OPERATORS =
  "path predicate index wildcard descendant parent order-by group-by map filter chain conditional elvis coalesce bind range " +
  "transform regex lambda partial positional-variable context-variable root concat arithmetic comparison boolean in array " +
  "object block literal syntax";

type Answer = { readonly result: string } | { readonly error: string };

/** A result as text: functions by their kind, and undefined apart from null. */
function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null && isFunctionObject(value)) return "a function";
  return value === undefined ? "undefined" : JSON.stringify(value);
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "string" ? code : "";
}

async function bare(expression: string): Promise<Answer> {
  try {
    return { result: shown(await jsonata(expression).evaluate(structuredClone(cases.input))) };
  } catch (error) {
    return { error: codeOf(error) };
  }
}

async function wrapped(expression: string): Promise<Answer> {
  const compiled = compileJsonata(expression);
  const codeIn = (text: string): string => /\(([SDT]\d{4})\)/.exec(text)?.[1] ?? "";
  // A function that nobody defines is refused before it is called.
  if (!compiled.ok)
    return { error: compiled.error[0]?.startsWith("there is no function") ? "T1006" : codeIn(compiled.error.join()) };
  const made = await evaluateJsonata(compiled.value, cases.input, { acceptedAt: ACCEPTED_AT, seed: "seed" });
  return made.ok ? { result: shown(made.value) } : { error: codeIn(made.error) };
}

// The package reads the clock; the wrapper is told the time.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: ACCEPTED_AT });
});
afterAll(() => {
  vi.useRealTimers();
});

describe("the cases", () => {
  it("are there for every function that the package registers", () => {
    const registered = [
      ...source.matchAll(/staticFrame\.bind\('(\w+)'/g),
      ...source.matchAll(/environment\.bind\('(\w+)'/g),
    ].map(([, name]) => name);
    expect(registered).toContain("formatInteger");
    expect(registered).toContain("now");
    expect(new Set(Object.keys(cases.functions))).toEqual(new Set(registered));
    expect(new Set(BUILT_INS)).toEqual(new Set(registered));
    for (const [name, expressions] of Object.entries(cases.functions)) {
      expect(expressions.filter((expression) => expression.includes(`$${name}`)).length, name).toBeGreaterThan(0);
    }
  });

  it("are there for every operator", () => {
    expect(Object.keys(cases.operators).toSorted()).toEqual(OPERATORS.split(" ").toSorted());
  });

  it("have results of every kind, and errors", async () => {
    const all = [...Object.values(cases.functions), ...Object.values(cases.operators)].flat();
    const answers = await Promise.all(all.map(bare));
    const errors = new Set(answers.flatMap((answer) => ("error" in answer ? [answer.error] : [])));
    expect(all.length).toBeGreaterThan(300);
    expect(errors.size).toBeGreaterThan(40);
    expect(answers.filter((answer) => "result" in answer && answer.result !== "undefined").length).toBeGreaterThan(220);
  });
});

describe.each(Object.entries({ ...cases.functions, ...cases.operators }))("%s", (_, expressions) => {
  it.each(expressions)("%s is the same", async (expression) => {
    expect(await wrapped(expression)).toEqual(await bare(expression));
  });
});
