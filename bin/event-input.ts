/** Events as people have them in files: CloudEvents in the JSON format, or with attributes left out, or GitHub's bare payloads. */
import type { CloudEvent } from "../src/core/event.ts";
import { readStructured } from "../src/core/json-format.ts";
import { JSON_DEPTH_MAX, parseJson } from "../src/core/json.ts";
import { describe } from "../src/core/read-object.ts";
import type { Json, JsonObject, Result } from "../src/core/result.ts";
import { err, isJsonObject, ownMember } from "../src/core/result.ts";
import { githubAttributes } from "../src/sources/_github-event.ts";
import { describeJsonProblem } from "./request-line.ts";

/** Attributes of an event that is written by hand and leaves them out. */
const DEFAULTS = { specversion: "1.0", id: "example", source: "/example" } as const;

/** A CloudEvent in the JSON format (1.0.2). The data stays the text that was given. The error is a sentence without its stop. */
export function readEventText(text: string): Result<CloudEvent, string> {
  const event = readStructured(text);
  if (event.ok) return event;
  const { error } = event;
  switch (error.reason) {
    case "json-too-deep":
      return err(`the event nests deeper than ${error.depthMax} levels`);
    case "batch-too-large":
      return err(`a batch has at most ${error.eventsMax} events`);
    case "invalid-json":
      return err(`the event is not JSON: ${error.detail}`);
    case "invalid-event":
      return err(`the event is no CloudEvent: ${error.attribute}: ${error.detail}`);
  }
}

/** The same of JSON text in which attributes may be left out: `type` and `data` are enough. The data stays the text that was given. */
export function readPartialEventText(text: string): Result<CloudEvent, string> {
  const json = parseJson(text, JSON_DEPTH_MAX + 1);
  if (!json.ok) return err(describeJsonProblem(json.error));
  const { value } = json;
  if (!isJsonObject(value)) return err(`expected an event, an object with a type and data, found ${describe(value)}`);
  const missing = Object.entries(DEFAULTS).filter(([name]) => ownMember(value, name) === undefined);
  if (missing.length === 0) return readEventText(text);
  // They go before the text's own members, which so stay as they are written.
  const members = missing.map(([name, given]) => `${JSON.stringify(name)}:${JSON.stringify(given)}`).join();
  const own = text.slice(text.indexOf("{") + 1);
  return readEventText(`{${members}${Object.keys(value).length === 0 ? "" : ","}${own}`);
}

/** An event written by hand: `type` and `data` are enough. */
export function readEventValue(value: Json): Result<CloudEvent, string> {
  if (!isJsonObject(value)) return err("expected an event, an object with a type and data");
  return readEventText(JSON.stringify({ ...DEFAULTS, ...value }));
}

/** The event that the source `github` makes of a payload, accepted at `now` (milliseconds). */
export function githubEvent(name: string, payload: JsonObject, now: number, id = "example"): CloudEvent {
  return {
    attributes: githubAttributes(name, id, payload, now),
    body: new TextEncoder().encode(JSON.stringify(payload)),
  };
}
