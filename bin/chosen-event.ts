/** The event that a command is given: a file, standard input, or one of GitHub's published examples. */
import type { Readable } from "node:stream";
import type { CloudEvent } from "../src/core/event.ts";
import { decodeUtf8 } from "../src/core/event.ts";
import { JSON_DEPTH_MAX, parseJson } from "../src/core/json.ts";
import { describe } from "../src/core/read-object.ts";
import type { Json, Result } from "../src/core/result.ts";
import { err, isJsonObject, ok } from "../src/core/result.ts";
import { githubEvent, readEventValue, readPartialEventText } from "./event-input.ts";
import type { Failure } from "./failure.ts";
import type { ExampleChoice } from "./github-examples.ts";
import { chooseExample } from "./github-examples.ts";
import { INPUT_BYTES_MAX, readInputFile } from "./json-file.ts";
import { describeJsonProblem } from "./request-line.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

export interface EventChoice extends ExampleChoice {
  /** A file, `-` for standard input; undefined for standard input or, with `github`, for an example. */
  readonly file: string | undefined;
  /** The event of GitHub's whose bare payload this is. */
  readonly github?: string;
}

export interface ChosenEvent {
  readonly event: CloudEvent;
  /** What its source would keep of the headers that it came with. */
  readonly rawHeaders: Readonly<Record<string, string>>;
}

const GITHUB_HINT = "A payload of GitHub's own goes with the event's name: --github push.";
const STDIN = "standard input";

/** `now` is the time of arrival in milliseconds. */
export async function chooseEvent(
  choice: EventChoice,
  now: number,
  terminal: Pick<Terminal, "stdin" | "stdinIsTerminal">,
): Promise<Result<ChosenEvent, Failure>> {
  const { file, github, action, example } = choice;
  const isExample = github !== undefined && file === undefined;
  if (!isExample && (action !== undefined || example !== undefined)) {
    const message = "--action and --example choose among GitHub's published examples: --github and no file";
    return err({ message, isUsage: true });
  }
  if (isExample) {
    const hint = `A payload of your own goes with its file: payload.json --github ${/^[a-z0-9_]{1,64}$/.test(github) ? github : "push"}.`;
    const payload = chooseExample(github, choice, hint);
    return payload.ok ? ok(ofGithub(githubEvent(github, payload.value, now), github)) : payload;
  }
  const isStdin = file === undefined || file === "-";
  if (isStdin && terminal.stdinIsTerminal) {
    const message = "expected an event: a file, an event on standard input, a receipt evt_…, or --github push";
    return err({ message, isUsage: true });
  }
  const bytes = isStdin ? await readAll(terminal.stdin) : await readInputFile("the event", file);
  if (!bytes.ok) return bytes;
  const name = isStdin ? STDIN : file;
  const text = decodeUtf8(bytes.value);
  if (text === null) return err({ message: `${name} is not UTF-8 text` });
  const isYaml = /\.ya?ml$/.test(name);
  const chosen =
    github === undefined ? await readEvent(text, isYaml) : await readPayload(text, isYaml, github, bytes.value, now);
  if (chosen.ok) return chosen;
  return err({
    message: printable(`${name}: ${chosen.error}`),
    ...(github === undefined ? { hint: GITHUB_HINT } : {}),
  });
}

async function readEvent(text: string, isYaml: boolean): Promise<Result<ChosenEvent, string>> {
  const yaml = isYaml ? await readYaml(text) : undefined;
  if (yaml?.ok === false) return yaml;
  const event = yaml === undefined ? readPartialEventText(text) : readEventValue(yaml.value);
  return event.ok ? ok({ event: event.value, rawHeaders: {} }) : event;
}

/** JSON stays the bytes that were given. */
async function readPayload(
  text: string,
  isYaml: boolean,
  github: string,
  bytes: Uint8Array,
  now: number,
): Promise<Result<ChosenEvent, string>> {
  if (!/^[a-z0-9_]{1,64}$/.test(github)) return err("expected --github with an event's name, such as push");
  const json = isYaml ? await readYaml(text) : readJson(text);
  if (!json.ok) return json;
  if (!isJsonObject(json.value)) return err(`expected GitHub's payload, an object, found ${describe(json.value)}`);
  const { attributes, body } = githubEvent(github, json.value, now);
  return ok(ofGithub({ attributes, body: isYaml ? body : bytes }, github));
}

function ofGithub(event: CloudEvent, name: string): ChosenEvent {
  return { event, rawHeaders: { "x-github-event": name, "x-github-delivery": event.attributes.id } };
}

function readJson(text: string): Result<Json, string> {
  const json = parseJson(text, JSON_DEPTH_MAX);
  return json.ok ? json : err(describeJsonProblem(json.error));
}

async function readYaml(text: string): Promise<Result<Json, string>> {
  const { readRuleText } = await import("../scripts/rule-text.ts");
  const { value, problems } = readRuleText(text, false);
  const [first] = problems;
  return first === undefined ? ok(value ?? null) : err(`${first.line}:${first.column}: ${first.message}`);
}

async function readAll(stdin: Readable): Promise<Result<Uint8Array, Failure>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stdin as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > INPUT_BYTES_MAX) return err({ message: `${STDIN} is larger than ${INPUT_BYTES_MAX} bytes` });
    pieces.push(piece);
  }
  return ok(new Uint8Array(Buffer.concat(pieces)));
}
