/** The result of a JSONata expression as JSON text. What JSON can't say is a failure with its path, and never left out silently. */
import { VALUE_DEPTH_MAX, isFunctionObject } from "./jsonata-budget.ts";
import type { PathStep, Result } from "./result.ts";
import { err, formatPath, ok } from "./result.ts";
import { OUTPUT_BYTES_MAX, utf8Length } from "./template.ts";

interface Problem {
  readonly path: readonly PathStep[];
  readonly what: string;
}

/** The error is a sentence without its stop. */
export function writeResult(value: unknown): Result<string, string> {
  if (value === undefined) return err("the result is undefined: the expression found nothing; write a default with ??");
  const room = { left: OUTPUT_BYTES_MAX };
  const problem = problemIn(value, [], room);
  if (problem === "too large") return tooLarge();
  if (problem !== undefined) {
    const place = problem.path.length === 0 ? "the result" : `the result's ${formatPath(problem.path)}`;
    return err(`${place} is ${problem.what}, which JSON has no word for`);
  }
  const text = JSON.stringify(value);
  return utf8Length(text) > OUTPUT_BYTES_MAX ? tooLarge() : ok(text);
}

function tooLarge(): Result<string, string> {
  return err(`the result is larger than ${OUTPUT_BYTES_MAX} bytes`);
}

/** Counts at least a byte for every part, so that parts that stand in many places, or in themselves, end somewhere. */
function problemIn(value: unknown, path: PathStep[], room: { left: number }): Problem | "too large" | undefined {
  room.left -= typeof value === "string" ? value.length + 2 : 1;
  if (room.left < 0) return "too large";
  if (typeof value === "number")
    return Number.isFinite(value) ? undefined : { path: [...path], what: "no finite number" };
  if (typeof value === "function") return { path: [...path], what: "a function or a regular expression" };
  if (typeof value !== "object" || value === null) return undefined;
  if (isFunctionObject(value)) return { path: [...path], what: "a function" };
  if (path.length >= VALUE_DEPTH_MAX) return { path: path.slice(0, 3), what: `deeper than ${VALUE_DEPTH_MAX} levels` };
  const members = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [step, member] of members) {
    if (typeof step === "string") room.left -= step.length + 3;
    path.push(step);
    const problem = problemIn(member, path, room);
    if (problem !== undefined) return problem;
    path.pop();
  }
  return undefined;
}
