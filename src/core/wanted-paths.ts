/**
 * What rules read of an event's data: for events whose payload is too large to be parsed as a whole, and is pruned to this.
 */
import { checkedPattern } from "./checked-pattern.ts";
import type { JsonPath } from "./json-path.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import type { RuleSet } from "./rule-set.ts";
import type { Transform } from "./transform.ts";
import type { WantedPath } from "./wanted-tree.ts";

const DATA = "data";

/** Where the patterns of a bus's live and shadow rules look, below the event's `data`. */
export function wantedByPatterns({ rules }: Pick<RuleSet, "rules">, bus: string): readonly WantedPath[] {
  const paths = new Set(
    rules
      .filter(({ definition }) => definition.bus === bus && definition.mode !== "off")
      .flatMap(({ definition }) => checkedPattern(definition.pattern).branches.flat())
      .map(({ path }) => path),
  );
  return [...paths].flatMap((path): readonly WantedPath[] => {
    const [first, ...names] = path.split(".");
    // A pattern compares values only; an object at its field's path is none.
    return first === DATA ? [{ names, depth: "values" }] : [];
  });
}

/** A dotted path as sources list them; whatever stands there is wanted as a whole. */
export function wantedMembers(paths: readonly string[]): readonly WantedPath[] {
  return paths.map((path) => ({ names: path.split("."), depth: "all" }));
}

/**
 * What a transform reads below the event's `data`. The error says, for the operator, why it can't be told or is the whole, and
 * what to do.
 */
export function wantedByTransform(transform: Transform): Result<readonly WantedPath[], string> {
  switch (transform.kind) {
    case "constant":
      return ok([]);
    case "jsonata":
      return err("a JSONata expression may read the whole payload; name what it needs in a template's paths instead");
    case "path":
      return wantedByJsonPaths([transform.path]);
    case "template":
      return wantedByJsonPaths([...transform.paths.values()]);
  }
}

function wantedByJsonPaths(
  paths: readonly { readonly text: string; readonly steps: JsonPath }[],
): Result<readonly WantedPath[], string> {
  const wanted: WantedPath[] = [];
  for (const { text, steps } of paths) {
    const [first, ...below] = steps;
    if (first !== undefined && (first.kind !== "member" || first.name !== DATA)) continue;
    // Steps into an array lead to all of its elements: the pruned array keeps their places.
    const names = below.flatMap((step) => (step.kind === "member" ? [step.name] : []));
    if (names.length === 0) {
      return err(`the path ${text} reads the whole payload; name the members that the target needs`);
    }
    wanted.push({ names, depth: "all" });
  }
  return ok(wanted);
}
