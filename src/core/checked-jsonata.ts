/**
 * JSONata for expressions that `jsonataEngine` has found right: those of the generated rules. The package is started with the first
 * expression that is evaluated; imported in the ordinary way, it would be started, and take longer than all else, with each isolate.
 */
import type { Jsonata } from "./jsonata-built-ins.ts";
import type { ReadExpression } from "./jsonata-evaluation.ts";
import { evaluateJsonata, readExpression } from "./jsonata-evaluation.ts";
import type { JsonataEngine } from "./jsonata.ts";
import { lazyJsonata } from "./lazy-jsonata.ts";
import { ok } from "./result.ts";

export const checkedJsonata: JsonataEngine = lazyJsonata(async () => engineOf((await import("jsonata")).default));

/** Reads each expression when it is first evaluated. */
function engineOf(jsonata: Jsonata): JsonataEngine {
  return {
    compile(text) {
      let expression: ReadExpression | undefined;
      return ok({ text, expression: () => (expression ??= readExpression(jsonata, text)) });
    },
    evaluate: evaluateJsonata,
  };
}
