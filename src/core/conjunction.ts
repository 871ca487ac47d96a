/** A pattern as it is read: the conditions that hold together, and the choices between others. */
import type { Field } from "./pattern.ts";
import type { PathStep } from "./result.ts";

/** An object of the pattern with the objects below it: all fields, and one object of each `$or`. */
export interface Conjunction {
  readonly fields: Field[];
  readonly ors: { readonly at: readonly PathStep[]; readonly choices: readonly Conjunction[] }[];
}

/** Every `$or` multiplied out: what has to hold together, for each way to choose. */
export function expand({ fields, ors }: Conjunction): readonly (readonly Field[])[] {
  let branches: readonly (readonly Field[])[] = [fields];
  for (const { choices } of ors) {
    const expanded = choices.flatMap(expand);
    branches = branches.flatMap((branch) => expanded.map((choice) => [...branch, ...choice]));
  }
  return branches;
}
