/** The payloads that GitHub's community publishes, by event. */
import { createRequire } from "node:module";
import { unknownName } from "../src/core/read-object.ts";
import type { JsonObject, Result } from "../src/core/result.ts";
import { err, ok } from "../src/core/result.ts";
import type { Failure } from "./failure.ts";

export interface EventExamples {
  readonly name: string;
  readonly examples: readonly JsonObject[];
}

/** Loads them when they are asked for: they are megabytes. */
export function githubExamples(): readonly EventExamples[] {
  return createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly EventExamples[];
}

export interface ExampleChoice {
  readonly action?: string;
  /** Among those of the action; 1 is the first. */
  readonly example?: number;
}

/** A published payload of the event; `hint` tells what else there is when the event has none. */
export function chooseExample(
  event: string,
  { action, example = 1 }: ExampleChoice,
  hint: string,
): Result<JsonObject, Failure> {
  const events = githubExamples();
  const found = events.find(({ name }) => name === event);
  if (found === undefined) {
    const known = events.map(({ name }) => name);
    return err({ message: unknownName("event", event, known), hint, isUsage: true });
  }
  const ofAction = found.examples.filter((each) => action === undefined || each["action"] === action);
  const chosen = ofAction[example - 1];
  if (chosen !== undefined) return ok(chosen);
  if (ofAction.length > 0) {
    const message = `${event} has ${ofAction.length} ${ofAction.length === 1 ? "example" : "examples"}, found --example ${example}`;
    return err({ message, isUsage: true });
  }
  const actions = new Set(found.examples.map((each) => each["action"]).filter((each) => typeof each === "string"));
  return err({ message: `${event}: ${unknownName("action", action ?? "", [...actions])}`, isUsage: true });
}
