/** The payloads that GitHub's community publishes, by event. */
import { createRequire } from "node:module";
import type { JsonObject } from "../src/core/result.ts";

export interface EventExamples {
  readonly name: string;
  readonly examples: readonly JsonObject[];
}

/** Loads them when they are asked for: they are megabytes. */
export function githubExamples(): readonly EventExamples[] {
  return createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly EventExamples[];
}
