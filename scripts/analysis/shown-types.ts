/** Types of GitHub's events in a message. */
import type { GithubType } from "../github-schema.ts";
import { GITHUB_PREFIX } from "../github-schema.ts";

const TYPES_SHOWN_MAX = 2;

/** What follows "an event": `of com.github.push`, `of com.github.issues`, `from GitHub`. */
export function ofTypes(types: readonly GithubType[]): string {
  if (types.length <= TYPES_SHOWN_MAX) return `of ${types.map(({ type }) => type).join(" or ")}`;
  const events = [...new Set(types.map(({ event }) => event))];
  return events.length <= TYPES_SHOWN_MAX
    ? `of ${events.map((event) => GITHUB_PREFIX + event).join(" or ")}`
    : "from GitHub";
}
