/** Expected failures are values. A bug throws; everything a caller can cause comes back as a `Result`. */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function err<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}

/** A JSON value as `JSON.parse` yields it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value of an object's own member, or undefined. Events and rule files are not trusted to leave `__proto__`,
 * `constructor` and their like alone, so nothing in Sluice reads a foreign object in any other way.
 */
export function ownMember(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** One step into a JSON document: a member's name or an element's index. */
export type PathStep = string | number;

/** A mistake in something a person wrote: where it is in the document, what was found and what was expected. */
export interface Mistake {
  readonly path: readonly PathStep[];
  readonly message: string;
  /** `key` when the mistake is the member's name, not its value; the file reader points there. */
  readonly at?: "key" | "value";
}

/** Writes a path the way messages show it: `pattern.data.labels[0].name`, quoting names that need it. */
export function formatPath(path: readonly PathStep[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
