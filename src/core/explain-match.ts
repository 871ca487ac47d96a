/** Why an event meets a pattern, or the first reason that it does not, in words. */
import { describeAlternative, describeValue, listWords } from "./explain-words.ts";
import type { EventPaths } from "./explain-paths.ts";
import type { BranchTrace, FieldTrace, PatternTracer } from "./pattern-trace.ts";
import { formatPath, isJsonObject, ownMember } from "./result.ts";

export type MatchExplanation =
  | { readonly matched: true; readonly fields: readonly MetField[] }
  | { readonly matched: false; readonly reason: Mismatch };

export interface MetField {
  readonly path: string;
  /** The event's value or values, or `no such field`. */
  readonly found: string;
  /** The alternatives that it meets. */
  readonly by: readonly string[];
}

export interface Mismatch {
  /**
   * `value`: another one than the pattern wants. `no-such-field`: the event has nothing there. `elements`: each field is met,
   * but by different elements of an array.
   */
  readonly kind: "value" | "no-such-field" | "elements";
  /** The field's path; with `elements` the first of the fields. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  /** With `no-such-field`: a field of this event that may have been meant. */
  readonly nearest?: string;
  /** With `$or`: the branch that came furthest, which the reason is about. */
  readonly branch?: {
    /** Where it stands in the pattern, such as `$or[1]`. */
    readonly at: readonly string[];
    readonly met: number;
    readonly fields: number;
    /** Of how many branches, every `$or` multiplied out. */
    readonly branches: number;
  };
  /** All of it in one sentence, without its full stop. */
  readonly text: string;
}

/** `paths` are those of the event's view: one for many patterns. */
export function explainMatch(tracer: PatternTracer, paths: EventPaths): MatchExplanation {
  const branches = tracer(paths.view);
  const matching = branches.find(({ matches }) => matches);
  if (matching !== undefined) return { matched: true, fields: matching.fields.map(describeMet) };
  const [first, ...others] = branches;
  if (first === undefined) throw new Error("a pattern has at least one branch");
  const furthest = others.reduce((best, each) => (metIn(each) > metIn(best) ? each : best), first);
  const found = mismatchIn(furthest, paths);
  if (others.length === 0) return { matched: false, reason: found };
  const at = choicesOf(furthest);
  const branch = { at, met: metIn(furthest), fields: furthest.fields.length, branches: branches.length };
  const which = at.length === 0 ? "" : `, ${at.join(", ")},`;
  const text = `${found.text} (of ${branches.length} branches${which} the one that came furthest)`;
  return { matched: false, reason: { ...found, branch, text } };
}

function metIn({ fields }: BranchTrace): number {
  return fields.filter(({ standing }) => standing !== "unmet").length;
}

function describeMet({ field, values, met }: FieldTrace): MetField {
  const by = met.map((index) => field.alternatives[index]).filter((each) => each !== undefined);
  return { path: field.path, found: describeValues(values), by: by.map(describeAlternative) };
}

function describeValues(values: FieldTrace["values"]): string {
  return values.length === 0 ? "no such field" : listWords(values.map(describeValue), "and");
}

function mismatchIn({ fields }: BranchTrace, paths: EventPaths): Mismatch {
  const tied = fields.filter(({ standing }) => standing === "tied");
  // Without a value to choose an element by, every element counts, and some have what none may have.
  const isBare = tied.every(({ met }) => met.length === 0);
  const unmet = fields.find(({ standing }) => standing === "unmet") ?? (isBare ? tied[0] : undefined);
  if (unmet === undefined) return elementsApart(tied.map(({ field }) => field.path));
  const { path, alternatives } = unmet.field;
  const expected = listWords(alternatives.map(describeAlternative), "or");
  const base = { path, expected };
  if (unmet.values.length > 0) {
    const found = describeValues(unmet.values);
    return { kind: "value", ...base, found, text: `${path}: expected ${expected}, found ${found}` };
  }
  const place = paths.at(path);
  if (place !== undefined && place.kind !== "field") {
    const found = describeContainer(place.kind, place.names);
    return { kind: "value", ...base, found, text: `${path}: expected ${expected}, found ${found}` };
  }
  const nearest = paths.nearest(path);
  const found = "no such field";
  const hint = nearest === undefined ? whyNothing(path, paths) : `; the nearest in this event is ${nearest}`;
  const text = `${path}: expected ${expected}, found ${found}${hint}`;
  return { kind: "no-such-field", ...base, found, ...(nearest === undefined ? {} : { nearest }), text };
}

function elementsApart(paths: readonly string[]): Mismatch {
  const [expected, found] = ["all in one element of their array", "them in different elements"];
  const text = `${listWords(paths, "and")}: expected ${expected}, found ${found}`;
  return { kind: "elements", path: paths[0] ?? "", expected, found, text };
}

function describeContainer(kind: "object" | "list", names: readonly string[]): string {
  const below =
    names.length === 0 ? "" : ` with the ${names.length === 1 ? "field" : "fields"} ${listWords(names, "and")}`;
  if (kind === "object") return names.length === 0 ? "an empty object" : `an object${below}`;
  return names.length === 0 ? "an empty list" : `a list of objects${below}`;
}

/** The event's data has no fields at all where it is no JSON object. */
function whyNothing(path: string, { view }: EventPaths): string {
  const data = ownMember(view, "data");
  if (!path.startsWith("data.") || isJsonObject(data) || Array.isArray(data)) return "";
  if (data !== undefined) return "; this event's data is a single value without fields";
  return ownMember(view, "data_base64") === undefined ? "; this event has no data" : "; this event's data is not text";
}

/** The objects of `$or` that a branch consists of, as paths into the pattern. */
function choicesOf({ fields }: BranchTrace): readonly string[] {
  const choices = new Set<string>();
  for (const { field } of fields) {
    for (const [index, step] of field.at.entries()) {
      const isChoice = step === "$or" && typeof field.at[index + 1] === "number";
      if (isChoice) choices.add(formatPath(field.at.slice(0, index + 2)));
    }
  }
  return [...choices];
}
