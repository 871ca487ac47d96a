/**
 * A rule's transform: what shape an event takes on its way to the targets. `parseTransform` does all the reading and
 * checking once; `applyTransform` is a pure function of the event's view (`eventView`), so a retry sends the same bytes.
 */
import type { JsonPath } from "./json-path.ts";
import { parseJsonPath, readJsonPath } from "./json-path.ts";
import type { Reader } from "./read-object.ts";
import { describe, readMembers } from "./read-object.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "./result.ts";
import { err, isJsonObject, ok } from "./result.ts";
import type { Template } from "./template.ts";
import {
  OUTPUT_BYTES_MAX,
  TEMPLATE_BYTES_MAX,
  fillTemplate,
  isPlaceholderName,
  parseTemplate,
  utf8Length,
} from "./template.ts";

/** How many paths a template may name; EventBridge allows as many. */
export const PATHS_MAX = 100;

export type Transform =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "path"; readonly path: NamedPath }
  | { readonly kind: "template"; readonly paths: ReadonlyMap<string, NamedPath>; readonly template: Template };

interface NamedPath {
  readonly text: string;
  readonly steps: JsonPath;
  readonly required: boolean;
}

export interface TransformFailure {
  readonly reason: "transform-failed";
  /** For the operator; names paths and limits, never what the event holds. */
  readonly detail: string;
}

/** Keeps a value apart from `undefined`, which means a mistake to `readMembers`. */
const readAny: Reader<{ readonly value: Json; readonly path: readonly PathStep[] }> = (value, path) => ({
  value,
  path,
});

const readFlag: Reader<boolean> = (value, path, mistakes) => {
  if (typeof value === "boolean") return value;
  mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
  return undefined;
};

const readPath: Reader<Omit<NamedPath, "required">> = (value, path, mistakes) => {
  if (typeof value !== "string") {
    mistakes.push({ path, message: `expected a path such as $.data.ref, found ${describe(value)}` });
    return undefined;
  }
  const parsed = parseJsonPath(value);
  if (parsed.ok) return { text: value, steps: parsed.value };
  mistakes.push({ path, message: parsed.error.message });
  return undefined;
};

const readPathEntry: Reader<NamedPath> = (value, path, mistakes) => {
  if (!isJsonObject(value)) {
    const read = readPath(value, path, mistakes);
    return read && { ...read, required: false };
  }
  const read = readMembers(value, path, { path: readPath, required: readFlag }, mistakes);
  if (!Object.hasOwn(value, "path"))
    mistakes.push({ path, message: "expected the member path, such as path: $.data.ref" });
  return read.path && { ...read.path, required: read.required ?? false };
};

const readPaths: Reader<ReadonlyMap<string, NamedPath>> = (value, path, mistakes) => {
  if (!isJsonObject(value)) {
    mistakes.push({
      path,
      message: `expected names with a path each, such as sha: $.data.after, found ${describe(value)}`,
    });
    return undefined;
  }
  const names = Object.keys(value);
  if (names.length > PATHS_MAX) {
    mistakes.push({ path, message: `expected at most ${PATHS_MAX} paths, found ${names.length}` });
    return undefined;
  }
  const paths = new Map<string, NamedPath>();
  for (const name of names) {
    if (!isPlaceholderName(name)) {
      const message =
        "a placeholder's name begins with a letter or _ and goes on with letters, digits, _ and -, 64 at most";
      mistakes.push({ path: [...path, name], at: "key", message });
    }
    const read = readPathEntry(value[name] as Json, [...path, name], mistakes);
    // Stays known when its path is wrong, so that one mistake is not reported at every placeholder.
    paths.set(name, read ?? { text: "$", steps: [], required: false });
  }
  return paths;
};

const notBuilt: Reader<never> = (_, path, mistakes) => {
  mistakes.push({
    path,
    at: "key",
    message: `${String(path.at(-1))} is not built yet; use constant, path or template`,
  });
  return undefined;
};

const CHOICES = ["constant", "path", "template", "jsonata"] as const;

/** Reads what stands under `transform:` in a rule. Paths of mistakes start there. */
export function parseTransform(value: Json): Result<Transform, readonly Mistake[]> {
  if (!isJsonObject(value)) {
    const hint = typeof value === "string" && value.startsWith("$") ? `; write path: ${value.slice(0, 80)}` : "";
    return err([{ path: [], message: `expected one of constant, path or template, found ${describe(value)}${hint}` }]);
  }
  const mistakes: Mistake[] = [];
  const read = readMembers(
    value,
    [],
    { constant: readAny, path: readPath, template: readAny, jsonata: notBuilt, required: readFlag },
    mistakes,
  );
  const chosen = CHOICES.filter((name) => Object.hasOwn(value, name));
  if (chosen.length === 0 && mistakes.length === 0) {
    mistakes.push({ path: [], message: "expected one of constant, path or template" });
  }
  for (const extra of chosen.slice(1)) {
    mistakes.push({
      path: [extra],
      at: "key",
      message: `a transform is ONE of constant, path or template: found ${chosen.join(" and ")}`,
    });
  }
  if (chosen[0] === "constant" && Object.hasOwn(value, "required")) {
    mistakes.push({
      path: ["required"],
      at: "key",
      message: "required belongs to path and template; a constant reads nothing",
    });
  }
  const required = read.required ?? false;
  let transform: Transform | undefined;
  if (read.constant) transform = readConstant(read.constant.value, mistakes);
  else if (read.path) transform = { kind: "path", path: { ...read.path, required } };
  else if (read.template) transform = readTemplate(read.template.value, required, mistakes);
  return transform === undefined || mistakes.length > 0 ? err(mistakes) : ok(transform);
}

function readConstant(value: Json, mistakes: Mistake[]): Transform | undefined {
  const text = JSON.stringify(value);
  if (utf8Length(text) <= TEMPLATE_BYTES_MAX) return { kind: "constant", text };
  mistakes.push({ path: ["constant"], message: `a constant has at most ${TEMPLATE_BYTES_MAX} bytes as JSON` });
  return undefined;
}

function readTemplate(value: Json, allRequired: boolean, mistakes: Mistake[]): Transform | undefined {
  const path = ["template"];
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected paths and a body, found ${describe(value)}` });
    return undefined;
  }
  const read = readMembers(value, path, { paths: readPaths, body: readAny, required: readFlag }, mistakes);
  if (read.body === undefined) {
    mistakes.push({ path, message: "expected the member body: what the template makes of the event" });
    return undefined;
  }
  // With paths that can't be read, every placeholder would look unknown.
  if (Object.hasOwn(value, "paths") && read.paths === undefined) return undefined;
  const given = read.paths ?? new Map<string, NamedPath>();
  const required = allRequired || (read.required ?? false);
  const paths = new Map([...given].map(([name, entry]) => [name, { ...entry, required: required || entry.required }]));
  const template = parseTemplate(read.body.value, [...paths.keys()], read.body.path);
  if (template.ok) return { kind: "template", paths, template: template.value };
  mistakes.push(...template.error);
  return undefined;
}

/** Makes the body that targets get: JSON text. A path that is `required` and finds nothing fails; JSON null is something. */
export function applyTransform(transform: Transform, view: JsonObject): Result<string, TransformFailure> {
  if (transform.kind === "constant") return ok(transform.text);
  const entries: readonly NamedPath[] = transform.kind === "path" ? [transform.path] : [...transform.paths.values()];
  const missing = entries.find((entry) => entry.required && readJsonPath(entry.steps, view) === undefined);
  if (missing !== undefined) return fail(`the event has nothing at the required path ${missing.text}`);
  if (transform.kind === "path") {
    const text = JSON.stringify(readJsonPath(transform.path.steps, view) ?? null);
    return utf8Length(text) > OUTPUT_BYTES_MAX ? tooLarge() : ok(text);
  }
  const filled = fillTemplate(transform.template, (name) => {
    const entry = transform.paths.get(name);
    return entry && readJsonPath(entry.steps, view);
  });
  return filled === null ? tooLarge() : ok(filled);
}

function tooLarge(): Result<string, TransformFailure> {
  return fail(`the result is larger than ${OUTPUT_BYTES_MAX} bytes`);
}

function fail(detail: string): Result<string, TransformFailure> {
  return err({ reason: "transform-failed", detail });
}
