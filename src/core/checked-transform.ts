/**
 * Reads a transform that `parseTransform` has found right when the rules were generated: the same result, with nothing to say
 * about mistakes, in a fraction of the code that an isolate has to load.
 */
import { checkedTemplate } from "./checked-template.ts";
import type { JsonPath, JsonPathStep } from "./json-path.ts";
import type { JsonataEngine } from "./jsonata.ts";
import type { NamedPath } from "./named-path.ts";
import type { Json } from "./result.ts";
import { isJsonObject, ownMember } from "./result.ts";
import type { Transform } from "./transform.ts";

/** Throws for some transforms that are wrong, and makes something of others: generated rules have none. */
export function checkedTransform(value: Json, engine: JsonataEngine | undefined): Transform {
  const constant = memberOf(value, "constant");
  if (constant !== undefined) return { kind: "constant", text: JSON.stringify(constant) };
  const required = memberOf(value, "required") === true;
  const path = memberOf(value, "path");
  if (path !== undefined) return { kind: "path", path: namedPath(path, required) };
  const template = memberOf(value, "template");
  if (template !== undefined) {
    const all = required || memberOf(template, "required") === true;
    const named = Object.entries(memberOf(template, "paths") ?? {}) as readonly (readonly [string, Json])[];
    const paths = new Map(named.map(([name, entry]) => [name, entryPath(entry, all)]));
    return { kind: "template", paths, template: checkedTemplate(memberOf(template, "body") ?? null) };
  }
  const text = memberOf(value, "jsonata");
  const compiled = typeof text === "string" ? engine?.compile(text) : undefined;
  if (engine === undefined || compiled?.ok !== true) throw new Error("expected constant, path, template or jsonata");
  return { kind: "jsonata", engine, compiled: compiled.value };
}

function memberOf(value: Json, name: string): Json | undefined {
  return isJsonObject(value) ? ownMember(value, name) : undefined;
}

/** `sha: $.data.after`, or `sha: { path: $.data.after, required: true }`. */
function entryPath(entry: Json, required: boolean): NamedPath {
  if (!isJsonObject(entry)) return namedPath(entry, required);
  return namedPath(ownMember(entry, "path") ?? "$", required || ownMember(entry, "required") === true);
}

function namedPath(path: Json, required: boolean): NamedPath {
  const text = String(path);
  return { text, steps: stepsOf(text), required };
}

/** `.name`, `['name']` or `["name"]`, `[0]`, `[*]`. */
const STEP = /\.([^.[]+)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[\*\]/gs;

function stepsOf(text: string): JsonPath {
  return Array.from(text.matchAll(STEP), ([, name, single, double, index]): JsonPathStep => {
    if (name !== undefined) return { kind: "member", name };
    if (index !== undefined) return { kind: "element", index: Number(index) };
    const quoted = single ?? double;
    return quoted === undefined ? { kind: "every" } : { kind: "member", name: quoted.replace(/\\(.)/gs, "$1") };
  });
}
