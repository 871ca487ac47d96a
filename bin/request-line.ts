/** What a line for `match` or `transform` holds: an object whose members are JSON values, or strings that hold JSON text. */
import { JSON_DEPTH_MAX, jsonDepth, parseJson } from "../src/core/json.ts";
import type { JsonProblem } from "../src/core/json.ts";
import { describe } from "../src/core/read-object.ts";
import type { Json, JsonObject, Mistake, Result } from "../src/core/result.ts";
import { err, formatPath, isJsonObject, ok, ownMember } from "../src/core/result.ts";

/** The line's own object, an event as deep as any, and what patterns and templates may nest beyond that. */
const LINE_DEPTH_MAX = JSON_DEPTH_MAX + 8;
const MISTAKES_SHOWN_MAX = 10;

/** The members of a line; the error is a sentence. */
export function readRequestLine<Name extends string>(
  text: string,
  names: readonly Name[],
): Result<Readonly<Record<Name, Json>>, string> {
  if (text.trim() === "") return err(`the line is empty: expected an object with ${names.join(" and ")}`);
  const json = parseJson(text, LINE_DEPTH_MAX);
  if (!json.ok) return err(`the line: ${describeJsonProblem(json.error)}`);
  if (!isJsonObject(json.value)) {
    return err(`the line: expected an object with ${names.join(" and ")}, found ${describe(json.value)}`);
  }
  const members: Partial<Record<Name, Json>> = {};
  for (const name of names) {
    const value = ownMember(json.value, name);
    if (value === undefined) return err(`the line: expected the member ${name}`);
    members[name] = value;
  }
  return ok(members as Readonly<Record<Name, Json>>);
}

/** The event: an object, or a string that holds the text of one. */
export function readEventMember(value: Json): Result<JsonObject, string> {
  const isText = typeof value === "string";
  const json = isText ? parseJson(value) : ok(value);
  if (!json.ok) return err(`event: ${describeJsonProblem(json.error)}`);
  if (!isJsonObject(json.value)) return err(`event: expected an object, found ${describe(json.value)}`);
  if (!isText && jsonDepth(JSON.stringify(value)) > JSON_DEPTH_MAX) {
    return err(`event: ${describeJsonProblem({ reason: "json-too-deep", depthMax: JSON_DEPTH_MAX })}`);
  }
  return ok(json.value);
}

export function describeJsonProblem(problem: JsonProblem): string {
  return problem.reason === "invalid-json"
    ? `expected JSON: ${problem.detail}`
    : `expected JSON of at most ${problem.depthMax} levels`;
}

/** All mistakes in one line, each with its path below `name`. */
export function describeMistakes(name: string, mistakes: readonly Mistake[]): string {
  const shown = mistakes
    .slice(0, MISTAKES_SHOWN_MAX)
    .map(({ path, message }) => `${formatPath([name, ...path])}: ${message}`);
  const more = mistakes.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
