/** The events of test cases: GitHub's published examples with changes, files, or written in the case itself. */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { JSON_DEPTH_MAX, parseJson } from "../src/core/json.ts";
import type { CloudEvent } from "../src/core/event.ts";
import { decodeUtf8, eventView } from "../src/core/event.ts";
import { unknownName } from "../src/core/read-object.ts";
import type { Json, JsonObject, Mistake, Result } from "../src/core/result.ts";
import { err, isJsonObject, ok, ownMember } from "../src/core/result.ts";
import type { TestEvent } from "../scripts/read-test.ts";
import { readRuleText } from "../scripts/rule-text.ts";
import { githubEvent, readEventValue } from "./event-input.ts";
import type { EventExamples } from "./github-examples.ts";
import { githubExamples } from "./github-examples.ts";
import { describeJsonProblem } from "./request-line.ts";

export const EVENT_FILE_BYTES_MAX = 1024 * 1024;

/** An event and what patterns and transforms see of it, made when somebody looks. */
export interface SeenEvent {
  readonly event: CloudEvent;
  readonly view: () => JsonObject;
}

/** Makes the event of a case in a test file. The paths of mistakes start at the case's event. */
export type ResolveEvent = (event: TestEvent, testFile: string) => Promise<Result<SeenEvent, Mistake>>;

/**
 * `rulesDir` holds every file that may be named, `examples` loads the published examples when the first case wants one, and
 * `now` is the time of arrival of those that have no time of their own, in milliseconds. What is used again is made once.
 */
export function createEventResolver(
  rulesDir: string,
  examples: () => Result<readonly EventExamples[], string>,
  now: number,
): ResolveEvent {
  let byName: Result<ReadonlyMap<string, readonly JsonObject[]>, string> | undefined;
  const published = (): Result<ReadonlyMap<string, readonly JsonObject[]>, string> => {
    if (byName !== undefined) return byName;
    const loaded = examples();
    byName = loaded.ok ? ok(new Map(loaded.value.map((each) => [each.name, each.examples]))) : loaded;
    return byName;
  };
  const unchanged = new Map<JsonObject, SeenEvent>();
  const files = new Map<string, Promise<Result<SeenEvent, Mistake>>>();

  const fromGithub = (wanted: TestEvent & { readonly kind: "github" }): Result<SeenEvent, Mistake> => {
    const known = published();
    if (!known.ok) return err({ path: ["github"], message: known.error });
    const chosen = chooseExample(wanted, known.value);
    if (!chosen.ok) return chosen;
    if (wanted.with === undefined && wanted.set === undefined) {
      const made = unchanged.get(chosen.value) ?? seen(githubEvent(wanted.name, chosen.value, now));
      unchanged.set(chosen.value, made);
      return ok(made);
    }
    const payload = mergePatch(chosen.value, wanted.with ?? {}) as JsonObject;
    const event = githubEvent(wanted.name, payload, now);
    if (wanted.set === undefined) return ok(seen(event));
    const attributes = event.attributes as JsonObject;
    const changed = readEventValue({ ...attributes, ...wanted.set, data: payload });
    return changed.ok ? ok(seen(changed.value)) : err({ path: ["set"], message: changed.error });
  };

  return async (event, testFile) => {
    switch (event.kind) {
      case "github":
        return fromGithub(event);
      case "inline":
        return seenOf(readEventValue(event.value));
      case "file": {
        const file = resolve(dirname(testFile), event.path);
        const known = files.get(file) ?? readEventFile(file, rulesDir);
        files.set(file, known);
        return known;
      }
    }
  };
}

/** The published examples, or why they are not there. */
export function loadExamples(load = githubExamples): Result<readonly EventExamples[], string> {
  try {
    return ok(load());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    const message = "GitHub's published examples are not installed: npm ci brings them";
    return err(`${message} (the dev dependency @octokit/webhooks-examples)`);
  }
}

function seen(event: CloudEvent): SeenEvent {
  let view: JsonObject | undefined;
  return { event, view: () => (view ??= eventView(event)) };
}

function seenOf(event: Result<CloudEvent, string>): Result<SeenEvent, Mistake> {
  return event.ok ? ok(seen(event.value)) : err({ path: [], message: event.error });
}

function chooseExample(
  { name, action, example }: TestEvent & { readonly kind: "github" },
  published: ReadonlyMap<string, readonly JsonObject[]>,
): Result<JsonObject, Mistake> {
  const all = published.get(name);
  if (all === undefined) return err({ path: ["github"], message: unknownName("event", name, [...published.keys()]) });
  const ofAction = all.filter((each) => action === undefined || ownMember(each, "action") === action);
  const chosen = ofAction[example - 1];
  if (chosen !== undefined) return ok(chosen);
  if (ofAction.length > 0) {
    const found = `${name}${action === undefined ? "" : ` with the action ${action}`} has ${ofAction.length} published`;
    const message = `${found} ${ofAction.length === 1 ? "example" : "examples"}, found example: ${example}`;
    return err({ path: ["example"], message });
  }
  const actions = new Set(all.map((each) => ownMember(each, "action")).filter((each) => typeof each === "string"));
  const way = `; without action, with: { action: ${JSON.stringify(action)} } makes one of any example`;
  return err({ path: ["action"], message: `${name}: ${unknownName("action", action ?? "", [...actions])}${way}` });
}

/** RFC 7386: members of the patch take the place of the target's, null removes one, objects are merged. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map<string, Json>(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

async function readEventFile(file: string, rulesDir: string): Promise<Result<SeenEvent, Mistake>> {
  const refuse = (message: string): Result<SeenEvent, Mistake> => err({ path: [], message });
  const shown = relative(rulesDir, file);
  if (!/\.(?:json|ya?ml)$/.test(file)) return refuse("an event's file ends in .json, .yaml or .yml");
  let bytes: Uint8Array;
  try {
    // A link may lead anywhere, so both paths are taken as they really are.
    const [real, root] = [await realpath(file), await realpath(rulesDir)];
    if (!real.startsWith(root + sep)) return refuse(`the file ${shown} stands outside the rules folder`);
    const info = await stat(real);
    if (!info.isFile()) return refuse(`the file ${shown} is no file`);
    if (info.size > EVENT_FILE_BYTES_MAX)
      return refuse(`the file ${shown} is larger than ${EVENT_FILE_BYTES_MAX} bytes`);
    bytes = await readFile(real);
  } catch (error) {
    if (shown.startsWith("..")) return refuse(`the file ${shown} stands outside the rules folder`);
    return refuse(`the file ${shown} can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const text = decodeUtf8(bytes);
  if (text === null) return refuse(`the file ${shown} is not UTF-8 text`);
  const value = readValue(text, file.endsWith(".json"));
  if (!value.ok) return refuse(`the file ${shown}${value.error}`);
  const event = seenOf(readEventValue(value.value));
  return event.ok ? event : refuse(`the file ${shown}: ${event.error.message}`);
}

function readValue(text: string, isJson: boolean): Result<Json, string> {
  if (isJson) {
    const json = parseJson(text, JSON_DEPTH_MAX + 1);
    if (json.ok) return json;
    if (json.error.reason === "json-too-deep") return err(`: ${describeJsonProblem(json.error)}`);
  }
  const { value, problems } = readRuleText(text, isJson);
  const [first] = problems;
  if (first !== undefined) return err(`:${first.line}:${first.column}: ${first.message}`);
  return ok(value ?? null);
}
