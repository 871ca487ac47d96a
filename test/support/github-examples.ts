/** The payloads that GitHub's webhooks really have: the examples of the npm package `@octokit/webhooks-examples`. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export interface GithubExample {
  readonly event: string;
  readonly body: string;
}

interface Index {
  readonly name: string;
  readonly examples: readonly unknown[];
}

export function githubExamples(): readonly GithubExample[] {
  const file = createRequire(import.meta.url).resolve("@octokit/webhooks-examples");
  const index = JSON.parse(readFileSync(file, "utf8")) as readonly Index[];
  return index.flatMap(({ name, examples }) =>
    examples.map((example) => ({ event: name, body: JSON.stringify(example) })),
  );
}
