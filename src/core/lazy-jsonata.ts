/** JSONata that is loaded with the first expression that is evaluated: starting its package takes longer than all else. */
import type { CompiledJsonata, JsonataEngine } from "./jsonata.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** For expressions that were found right before: a mistake shows only when they are evaluated. */
export function lazyJsonata(load: () => Promise<JsonataEngine>): JsonataEngine {
  // Never the promise: another request must not wait for what this one began.
  let engine: JsonataEngine | undefined;
  const compiled = new WeakMap<CompiledJsonata, Result<CompiledJsonata, readonly string[]>>();
  return {
    compile: (text) => ok({ text, expression: notLoaded }),
    async evaluate(lazy, input, context) {
      engine ??= await load();
      const expression = compiled.get(lazy) ?? engine.compile(lazy.text);
      compiled.set(lazy, expression);
      return expression.ok ? engine.evaluate(expression.value, input, context) : err(expression.error.join("; "));
    },
  };
}

function notLoaded(): never {
  throw new Error("an expression of lazyJsonata is evaluated by lazyJsonata");
}
