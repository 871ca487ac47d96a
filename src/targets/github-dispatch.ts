/**
 * Starts workflows of a GitHub repository by a `repository_dispatch` event.
 *
 * ```yaml
 * deploy:
 *   github-dispatch: octocat/hello    # the repository whose workflows listen
 *   token: DEPLOY_TOKEN               # the secret that holds a token that may write contents there
 *   event-type: deploy                # on: { repository_dispatch: { types: [deploy] } }; else the event's own type
 *   api: https://github.example.com/api/v3    # GitHub Enterprise Server
 * ```
 *
 * Sources: https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event (204; `event_type` of at most 100
 * characters; `client_payload` with at most 10 members, less than 64 KB in all; the token's rights),
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit (403 or 429; Retry-After,
 * else x-ratelimit-reset when x-ratelimit-remaining is 0, else at least a minute),
 * https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api (404 for what a token may not see).
 */
import entry from "#entry/targets/_github-dispatch-entry.ts";
import { structuredJson } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import { EVENT_TYPE_CHARS_MAX } from "./_event-type.ts";
import type { GithubDispatchConfig } from "./_github-dispatch-entry.ts";
import { headerValueProblem } from "./_headers.ts";
import { jsonOf, overRate, retryAfterOf, wordsOf } from "./_preset-answer.ts";
import { contentOf, withinChars } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, jsonBytes } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";

/** The version of the REST API that this speaks: https://docs.github.com/rest/about-the-rest-api/api-versions */
const API_VERSION = "2022-11-28";

export const CLIENT_PAYLOAD_MEMBERS_MAX = 10;

/** Less than 64 KB. */
export const CLIENT_PAYLOAD_BYTES_MAX = 65_535;

/** What remains for a text beside its member's name. */
const TEXT_BYTES_MAX = CLIENT_PAYLOAD_BYTES_MAX - 100;

function message(shipment: Shipment, { eventType }: GithubDispatchConfig): Result<string, MessageProblem> {
  const type = eventType ?? String(shipment.event.attributes.type);
  const tooLong = withinChars(type, EVENT_TYPE_CHARS_MAX, "the event's type", "GitHub");
  if (tooLong !== undefined) return err({ ...tooLong, detail: `${tooLong.detail}; set event-type in targets.yaml` });
  const payload = clientPayload(shipment);
  return payload.ok ? ok(`{"event_type":${JSON.stringify(type)},"client_payload":${payload.value}}`) : payload;
}

function clientPayload(shipment: Shipment): Result<string, MessageProblem> {
  if (shipment.large !== undefined) {
    const detail = `the event has ${shipment.large.bytes} bytes of data, a client_payload takes ${CLIENT_PAYLOAD_BYTES_MAX}`;
    return err({
      reason: "too-large",
      detail: `${detail}; let the rule's transform take from it what the workflow needs`,
    });
  }
  const content = contentOf(shipment, "GitHub");
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none":
      return withinPayload(eventJson(shipment), "the event");
    case "text":
      return ok(JSON.stringify({ text: cutText(content.value.text, TEXT_BYTES_MAX, jsonBytes) }));
    case "payload": {
      const count = Object.keys(content.value.value).length;
      if (count <= CLIENT_PAYLOAD_MEMBERS_MAX)
        return withinPayload(content.value.json.trim(), "the transform's object");
      const detail = `the transform's object has ${count} members, a client_payload takes ${CLIENT_PAYLOAD_MEMBERS_MAX}`;
      return err({ reason: "too-large", detail: `${detail}; put them into one` });
    }
  }
}

/** The event without its extensions, so that it has no more members than allowed. Its data is the text that was received. */
function eventJson({ event }: Shipment): string {
  const { specversion, id, source, type, subject, time, datacontenttype } = event.attributes;
  const attributes = {
    specversion,
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
  };
  return structuredJson({ attributes, body: event.body });
}

function withinPayload(json: string, what: string): Result<string, MessageProblem> {
  const bytes = new TextEncoder().encode(json).length;
  if (bytes <= CLIENT_PAYLOAD_BYTES_MAX) return ok(json);
  const detail = `${what} has ${bytes} bytes, a client_payload takes ${CLIENT_PAYLOAD_BYTES_MAX}`;
  return err({
    reason: "too-large",
    detail: `${detail}; let the rule's transform take from it what the workflow needs`,
  });
}

/** What to do about each status. */
const HINTS: Readonly<Record<string, string>> = {
  "401": "the token is wrong or no longer valid",
  "403": "the token may not write the repository's contents",
  "404": "the repository is not there, or the token may not see it; a fine-grained one needs Contents: read and write",
  "422": "GitHub does not take the event_type or the client_payload",
};

/**
 * | answer | outcome |
 * |---|---|
 * | 204, other 2xx | delivered |
 * | 403 or 429 with Retry-After, with x-ratelimit-remaining: 0 or with "rate limit" in its message | retry after Retry-After, else at x-ratelimit-reset (seconds since the epoch), else after 60 s |
 * | 301, 307, 308 (a repository that was renamed) | permanent `redirect` |
 * | 401, 403, 404, 422 | permanent `status`, with GitHub's message and what to do |
 * | 5xx | retryable |
 */
export function outcomeOfGithubDispatch(answer: HttpAnswer, now: number): Outcome {
  const { status, headers } = answer;
  const words = wordsOf(jsonOf(answer), "message");
  const waitMs = retryAfterOf(answer, now);
  const isSpent = headers.get("x-ratelimit-remaining")?.trim() === "0";
  if (status === 429 || (status === 403 && (waitMs !== undefined || isSpent || /rate limit|abuse/i.test(words)))) {
    const resetSeconds = headers.get("x-ratelimit-reset")?.trim() ?? "";
    const resetMs = isSpent && /^\d{1,12}$/.test(resetSeconds) ? Number(resetSeconds) * 1_000 - now : undefined;
    const named = waitMs ?? (resetMs === undefined ? undefined : Math.max(0, resetMs));
    return overRate(answer, `GitHub takes no more requests with this token for now (${status})`, named);
  }
  const outcome = outcomeOfAnswer(answer, now);
  if (outcome.kind !== "permanent" || outcome.reason !== "status") return outcome;
  const hint = Object.hasOwn(HINTS, String(status)) ? ` (${HINTS[status]})` : "";
  return { ...outcome, detail: `GitHub refused the event with ${status}${words === "" ? "" : `: ${words}`}${hint}` };
}

export default presetTarget<GithubDispatchConfig>({
  kind: "github-dispatch",
  ...entry(),
  secretNames: ({ token }) => [token],
  urlSecret: () => undefined,
  secretProblem: (_name, value) => {
    const problem = headerValueProblem(value);
    return problem === undefined ? undefined : `can't be sent as authorization: it ${problem}`;
  },
  urls: ({ api }) => [api.url],
  localOnly: ({ api }) =>
    api.isLoopback ? [`its api names this machine (${new URL(api.url).host}), which nothing deployed can reach`] : [],
  endpoint: ({ api, repository }) => `${api.url.replace(/\/$/, "")}/repos/${repository}/dispatches`,
  message,
  request: (url, body, { token }, { secret }) => ({
    url,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${secret(token)}`,
      "x-github-api-version": API_VERSION,
    },
    body,
  }),
  outcomeOf: outcomeOfGithubDispatch,
});
