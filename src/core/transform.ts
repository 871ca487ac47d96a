/**
 * A rule's transform: what shape an event takes on its way to the targets. `parseTransform` (read-transform.ts)
 * does all the reading and checking once; `applyTransform` is a pure function of the event's view (`eventView`), so a retry sends the same bytes.
 */
import type { CloudEvent } from "./event.ts";
import { readStructured } from "./json-format.ts";
import { readJsonPath } from "./json-path.ts";
import { writeResult } from "./jsonata-output.ts";
import type { CompiledJsonata, JsonataEngine } from "./jsonata.ts";
import type { NamedPath } from "./named-path.ts";
import { err, ok } from "./result.ts";
import type { JsonObject, Result } from "./result.ts";
import { OUTPUT_BYTES_MAX, fillTemplate, utf8Length } from "./template.ts";
import type { Template } from "./template.ts";

export type Transform =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "path"; readonly path: NamedPath }
  | { readonly kind: "template"; readonly paths: ReadonlyMap<string, NamedPath>; readonly template: Template }
  | { readonly kind: "jsonata"; readonly engine: JsonataEngine; readonly compiled: CompiledJsonata };

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

/** Makes what targets get of an event. Never throws for what an event or a rule holds. */
export async function applyTransform(
  transform: Transform,
  view: JsonObject,
  context: TransformContext,
): Promise<Result<Transformed, TransformFailure>> {
  if (transform.kind === "jsonata") return applyJsonata(transform, view, context);
  const made = makeText(transform, view);
  return made.ok ? ok({ kind: "body", text: made.value }) : made;
}

async function applyJsonata(
  { engine, compiled }: Extract<Transform, { readonly kind: "jsonata" }>,
  view: JsonObject,
  context: TransformContext,
): Promise<Result<Transformed, TransformFailure>> {
  const found = await engine.evaluate(compiled, view, context);
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
