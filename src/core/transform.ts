/**
 * A rule's transform: what shape an event takes on its way to the targets. `parseTransform` does all the reading and
 * checking once; `applyTransform` is a pure function of the event's view (`eventView`), so a retry sends the same bytes.
 */
import type { CloudEvent } from "./event.ts";
import { readStructured } from "./json-format.ts";
import { readJsonPath } from "./json-path.ts";
import { writeResult } from "./jsonata-output.ts";
import type { CompiledJsonata } from "./jsonata.ts";
import { compileJsonata, evaluateJsonata } from "./jsonata.ts";
import type { NamedPath } from "./named-path.ts";
import { readPath, readPaths, readRequired } from "./named-path.ts";
import type { Reader } from "./read-object.ts";
import { describe, readMembers } from "./read-object.ts";
import { described, exclusive, membersSchema, withSchema } from "./reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "./result.ts";
import { err, isJsonObject, ok } from "./result.ts";
import type { Template } from "./template.ts";
import { OUTPUT_BYTES_MAX, TEMPLATE_BYTES_MAX, fillTemplate, parseTemplate, utf8Length } from "./template.ts";

export type Transform =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "path"; readonly path: NamedPath }
  | { readonly kind: "template"; readonly paths: ReadonlyMap<string, NamedPath>; readonly template: Template }
  | { readonly kind: "jsonata"; readonly compiled: CompiledJsonata };

/** What a transform may know besides the event: the same for every attempt of a delivery, so that a retry sends the same bytes. */
export interface TransformContext {
  /** When the event was first accepted, in milliseconds: what `$now` and `$millis` say. */
  readonly acceptedAt: number;
  /** The delivery's id: what `$random` and `$shuffle` draw from. */
  readonly seed: string;
}

/** What targets get: a body, as JSON text, or an event of the transform's own making. */
export type Transformed =
  | { readonly kind: "body"; readonly text: string }
  | { readonly kind: "event"; readonly event: CloudEvent };

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

const readJsonata = withSchema<CompiledJsonata>(
  (value, path, mistakes) => {
    if (typeof value !== "string" || value.trim() === "") {
      mistakes.push({ path, message: `expected an expression in JSONata, such as data.ref, found ${describe(value)}` });
      return undefined;
    }
    const compiled = compileJsonata(value);
    if (compiled.ok) return compiled.value;
    for (const message of compiled.error) mistakes.push({ path, message });
    return undefined;
  },
  { type: "string", minLength: 1 },
);

const ALL_REQUIRED = "true: the transform fails where the event has nothing at one of the paths.";

const TEMPLATE_READERS = {
  paths: described(readPaths, "The placeholders of the body, each with its path: repo: $.data.repository.name."),
  body: described(readAny, "What to make of the event. <name> inserts a value; with other text around it, its text."),
  required: described(readRequired, ALL_REQUIRED),
};

const TRANSFORM_READERS = {
  constant: described(readAny, "Always the same JSON."),
  path: described(readPath, "One part of the event, as JSON: $.data.issue.title."),
  template: described(
    readAny,
    "JSON with the event's values in it.",
    membersSchema(TEMPLATE_READERS, { required: ["body"] }),
  ),
  jsonata: described(readJsonata, 'What an expression in JSONata makes of the event: {"sha": data.after}.'),
  required: described(readRequired, ALL_REQUIRED),
};

const CHOICES = ["constant", "path", "template", "jsonata"] as const;

/** The JSON Schema of what stands under `transform:` in a rule. */
export function transformSchema(): JsonObject {
  const description =
    "What the targets get instead of the payload as it came: one of constant, path, template or jsonata. $ is the event.";
  // A constant reads nothing, and an expression says itself what it needs.
  const dependencies = { ...exclusive(CHOICES), required: { properties: { constant: false, jsonata: false } } };
  const anyOf = CHOICES.map((name) => ({ required: [name] }));
  return membersSchema(TRANSFORM_READERS, { description, anyOf, dependencies });
}

/** Reads what stands under `transform:` in a rule. Paths of mistakes start there. */
export function parseTransform(value: Json): Result<Transform, readonly Mistake[]> {
  if (!isJsonObject(value)) {
    const hint = typeof value === "string" && value.startsWith("$") ? `; write path: ${value.slice(0, 80)}` : "";
    return err([
      { path: [], message: `expected one of constant, path, template or jsonata, found ${describe(value)}${hint}` },
    ]);
  }
  const mistakes: Mistake[] = [];
  const read = readMembers(value, [], TRANSFORM_READERS, mistakes);
  const chosen = CHOICES.filter((name) => Object.hasOwn(value, name));
  if (chosen.length === 0 && mistakes.length === 0) {
    mistakes.push({ path: [], message: "expected one of constant, path, template or jsonata" });
  }
  for (const extra of chosen.slice(1)) {
    mistakes.push({
      path: [extra],
      at: "key",
      message: `a transform is ONE of constant, path, template or jsonata: found ${chosen.join(" and ")}`,
    });
  }
  if ((chosen[0] === "constant" || chosen[0] === "jsonata") && Object.hasOwn(value, "required")) {
    const why = chosen[0] === "constant" ? "a constant reads nothing" : "in JSONata, write $assert($exists(…), …)";
    mistakes.push({ path: ["required"], at: "key", message: `required belongs to path and template; ${why}` });
  }
  const required = read.required ?? false;
  let transform: Transform | undefined;
  if (read.constant) transform = readConstant(read.constant.value, mistakes);
  else if (read.path) transform = { kind: "path", path: { ...read.path, required } };
  else if (read.template) transform = readTemplate(read.template.value, required, mistakes);
  else if (read.jsonata) transform = { kind: "jsonata", compiled: read.jsonata };
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
  const read = readMembers(value, path, TEMPLATE_READERS, mistakes);
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

/** Makes what targets get of an event. Never throws for what an event or a rule holds. */
export async function applyTransform(
  transform: Transform,
  view: JsonObject,
  context: TransformContext,
): Promise<Result<Transformed, TransformFailure>> {
  if (transform.kind === "jsonata") return applyJsonata(transform.compiled, view, context);
  const made = makeText(transform, view);
  return made.ok ? ok({ kind: "body", text: made.value }) : made;
}

async function applyJsonata(
  compiled: CompiledJsonata,
  view: JsonObject,
  context: TransformContext,
): Promise<Result<Transformed, TransformFailure>> {
  const found = await evaluateJsonata(compiled, view, context);
  if (!found.ok) return fail(found.error);
  const { value } = found;
  const written = writeResult(value);
  if (!written.ok) return fail(written.error);
  const isEvent =
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "specversion");
  if (!isEvent) return ok({ kind: "body", text: written.value });
  const event = readStructured(written.value);
  if (event.ok) return ok({ kind: "event", event: event.value });
  const problem =
    event.error.reason === "invalid-event"
      ? `${event.error.attribute}: ${event.error.detail}`
      : "its data nests too deeply";
  return fail(`the result has a specversion and is no CloudEvent: ${problem}`);
}

/** The body as JSON text. A path that is `required` and finds nothing fails; JSON null is something. */
function makeText(
  transform: Exclude<Transform, { readonly kind: "jsonata" }>,
  view: JsonObject,
): Result<string, TransformFailure> {
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

function tooLarge(): Result<never, TransformFailure> {
  return fail(`the result is larger than ${OUTPUT_BYTES_MAX} bytes`);
}

function fail(detail: string): Result<never, TransformFailure> {
  return err({ reason: "transform-failed", detail });
}
