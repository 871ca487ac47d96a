/** Reads and checks what stands under `transform:` in a rule. A deployed Worker has rules that were checked: checked-transform.ts. */
import type { JsonataEngine } from "./jsonata.ts";
import { readPath, readPaths, readRequired } from "./named-path.ts";
import type { NamedPath } from "./named-path.ts";
import { describe, readMembers } from "./read-object.ts";
import type { Reader } from "./read-object.ts";
import { described, exclusive, membersSchema, withSchema } from "./reader-schema.ts";
import { err, isJsonObject, ok } from "./result.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "./result.ts";
import { parseTemplate } from "./read-template.ts";
import { TEMPLATE_BYTES_MAX, utf8Length } from "./template.ts";
import type { Transform } from "./transform.ts";

/** Keeps a value apart from `undefined`, which means a mistake to `readMembers`. */
const readAny: Reader<{ readonly value: Json; readonly path: readonly PathStep[] }> = (value, path) => ({
  value,
  path,
});

const readJsonata = withSchema<string>(
  (value, path, mistakes) => {
    if (typeof value === "string" && value.trim() !== "") return value;
    mistakes.push({ path, message: `expected an expression in JSONata, such as data.ref, found ${describe(value)}` });
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

/**
 * Reads what stands under `transform:` in a rule. Paths of mistakes start there. The engine is `jsonataEngine`, or in a Worker
 * `checkedJsonata`; one whose rules have no expressions is built without.
 */
export function parseTransform(value: Json, engine: JsonataEngine | undefined): Result<Transform, readonly Mistake[]> {
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
  else if (read.jsonata) transform = readExpression(read.jsonata, engine, mistakes);
  return transform === undefined || mistakes.length > 0 ? err(mistakes) : ok(transform);
}

function readExpression(text: string, engine: JsonataEngine | undefined, mistakes: Mistake[]): Transform | undefined {
  const path = ["jsonata"];
  if (engine === undefined) {
    mistakes.push({ path, message: "JSONata is not part of what was built" });
    return undefined;
  }
  const compiled = engine.compile(text);
  if (compiled.ok) return { kind: "jsonata", engine, compiled: compiled.value };
  mistakes.push(...compiled.error.map((message) => ({ path, message })));
  return undefined;
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
