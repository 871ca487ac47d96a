/** `sluice transform`: what a transform makes of events. Needs no router. */
import { structuredJson } from "../../src/core/event.ts";
import { findDuplicateMember, parseJson } from "../../src/core/json.ts";
import type { Json, JsonObject, Mistake, Result } from "../../src/core/result.ts";
import { err, formatPath, ok } from "../../src/core/result.ts";
import type { Transform, TransformContext, Transformed } from "../../src/core/transform.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { readJsonInput, ruleMember } from "../json-file.ts";
import { sayMistakes } from "../mistakes.ts";
import { answerLines } from "../ndjson.ts";
import { describeJsonProblem, describeMistakes, readEventMember, readRequestLine } from "../request-line.ts";
import type { Terminal } from "../terminal.ts";

export interface TransformOptions {
  readonly transform?: string;
  readonly event?: string;
  readonly json?: boolean;
  /** Milliseconds since the epoch. */
  readonly acceptedAt?: number;
  readonly seed?: string;
}

/** What `$random` draws from where nothing else is said. */
const SEED_DEFAULT = "example";

export async function transform(options: TransformOptions, terminal: Terminal): Promise<ExitCode> {
  const { transform: given, event } = options;
  const context = { acceptedAt: options.acceptedAt ?? Date.now(), seed: options.seed ?? SEED_DEFAULT };
  if (given !== undefined && event !== undefined) {
    return transformOne(given, event, context, options.json === true, terminal);
  }
  if (given !== undefined || event !== undefined) {
    const message = `expected --transform and --event together, found only --${given === undefined ? "event" : "transform"}`;
    return terminal.fail({ message, isUsage: true });
  }
  if (terminal.stdinIsTerminal) {
    const message = "expected --transform and --event, or lines of JSON on standard input";
    return terminal.fail({ message, hint: "See: sluice transform --help", isUsage: true });
  }
  const transformLine = createLineTransformer(context);
  await answerLines(terminal, transformLine, failed);
  return EXIT_OK;
}

/** Answers one line after another, and keeps the last transform. */
function createLineTransformer(context: TransformContext): (text: string) => Promise<string> {
  let known: { readonly text: string; readonly parsed: Result<Transform, string> } | undefined;
  const parse = (value: Json): Result<Transform, string> => {
    if (typeof value !== "string") return parseValue(value);
    if (known?.text !== value) known = { text: value, parsed: parseText(value) };
    return known.parsed;
  };
  return async (text) => {
    const line = readRequestLine(text, ["transform", "event"]);
    if (!line.ok) return failed(line.error);
    const parsed = parse(line.value.transform);
    if (!parsed.ok) return failed(parsed.error);
    const event = readEventMember(line.value.event);
    return event.ok ? apply(parsed.value, event.value, context) : failed(event.error);
  };
}

function parseValue(value: Json): Result<Transform, string> {
  const parsed = parseTransform(value, jsonataEngine);
  return parsed.ok ? parsed : err(describeMistakes("transform", parsed.error));
}

function parseText(text: string): Result<Transform, string> {
  const json = parseJson(text);
  if (!json.ok) return err(`transform: ${describeJsonProblem(json.error)}`);
  const duplicate = findDuplicateMember(text);
  if (duplicate === null) return parseValue(json.value);
  return err(`${formatPath(["transform", ...duplicate])}: expected each name once in an object, found it twice`);
}

/** The result is JSON text; it is put in as it stands, so that numbers stay as they are. */
async function apply(parsed: Transform, event: JsonObject, context: TransformContext): Promise<string> {
  const made = await applyTransform(parsed, event, context);
  return made.ok ? `{"output":${onOneLine(jsonOf(made.value))}}` : failed(made.error.detail);
}

/** An event of the transform's own is shown in the JSON format of CloudEvents. */
function jsonOf(made: Transformed): string {
  return made.kind === "body" ? made.text : structuredJson(made.event);
}

/** In JSON text a line break can stand only between tokens, where a space says the same. */
function onOneLine(json: string): string {
  return json.replaceAll(/[\n\r]+/g, " ");
}

function failed(error: string): string {
  return JSON.stringify({ error });
}

async function transformOne(
  given: string,
  eventGiven: string,
  context: TransformContext,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const refuse = (message: string): ExitCode => {
    if (!json) return terminal.fail({ message });
    terminal.print(failed(message));
    return EXIT_FAILURE;
  };
  const input = await readJsonInput("--transform", given);
  if (!input.ok) return refuse(input.error.message);
  const eventInput = await readJsonInput("--event", eventGiven);
  if (!eventInput.ok) return refuse(eventInput.error.message);
  const wanted = readWanted(input.value.value);
  if (!wanted.ok) return refuse(wanted.error);
  const { value, isRule } = wanted.value;
  const parsed = parseTransform(value, jsonataEngine);
  if (!parsed.ok) {
    if (json) return refuse(describeMistakes("transform", parsed.error));
    return sayMistakes(
      "--transform",
      input.value,
      isRule ? ["transform"] : [],
      parsed.error as readonly Mistake[],
      terminal,
    );
  }
  const event = readEventMember(eventInput.value.value);
  if (!event.ok) return refuse(event.error);
  const made = await applyTransform(parsed.value, event.value, context);
  if (!made.ok) return refuse(made.error.detail);
  const output = jsonOf(made.value);
  terminal.print(json ? `{"output":${onOneLine(output)}}` : output);
  return EXIT_OK;
}

function readWanted(value: Json): Result<ReturnType<typeof ruleMember>, string> {
  const wanted = ruleMember(value, "transform");
  if (wanted.isRule && wanted.value === null)
    return err("this rule has no transform: its targets get the payload as received");
  return ok(wanted);
}
