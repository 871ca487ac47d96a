/** What a target's HTTP answer means: one table, pure (docs/operations.md has it in words). */
import type { Answer, Outcome } from "../core/outcome.ts";
import { parseRetryAfterMs } from "../core/retry.ts";

/** How much of an answer's body is read and kept; the rest is cut off. */
export const ANSWER_BYTES_MAX = 8 * 1_024;

/** How much of a redirect's Location is kept. */
export const LOCATION_CHARS_MAX = 512;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  /** Where a redirect points, cleaned for the record. */
  readonly location: string | undefined;
  /** The start of the body as text; empty when there is none. */
  readonly body: string;
}

/**
 * | answer | outcome |
 * |---|---|
 * | 2xx | delivered |
 * | header `webhook-delivery: abort-message`, any other status | permanent `aborted-by-target` |
 * | 3xx | permanent `redirect`: never followed |
 * | 410 | permanent `target-gone` |
 * | 408, 425, 429, 5xx | retryable `status`, with Retry-After |
 * | other 4xx | permanent `status` |
 * | anything else | retryable `status`: no HTTP server should send it, so something in between may be broken |
 *
 * `now` is milliseconds since the epoch, for a Retry-After that is a date.
 */
export function outcomeOfAnswer(answer: HttpAnswer, now: number): Outcome {
  const { status, headers } = answer;
  const isStatus = (from: number, to: number): boolean => status >= from && status <= to;
  const kept: Answer = { status, ...(answer.body === "" ? {} : { body: answer.body }) };
  if (isStatus(200, 299)) return { kind: "delivered", answer: kept };
  if (headers.get("webhook-delivery")?.trim().toLowerCase() === "abort-message") {
    const detail = `the target answered ${status} and asked for no further attempts`;
    return { kind: "permanent", reason: "aborted-by-target", detail, answer: kept };
  }
  if (isStatus(300, 399)) {
    const location = answer.location?.slice(0, LOCATION_CHARS_MAX);
    const detail = `the target answered ${status}; redirects are not followed, so its URL must be corrected`;
    const redirect = location === undefined ? kept : { ...kept, location };
    return { kind: "permanent", reason: "redirect", detail, answer: redirect };
  }
  if (status === 410) {
    return { kind: "permanent", reason: "target-gone", detail: "the target answered 410: it is gone", answer: kept };
  }
  const detail = `the target answered ${status}`;
  if (isStatus(400, 499) && status !== 408 && status !== 425 && status !== 429) {
    return { kind: "permanent", reason: "status", detail, answer: kept };
  }
  const retryAfterMs = parseRetryAfterMs(headers.get("retry-after"), now);
  return {
    kind: "retryable",
    reason: "status",
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    answer: kept,
  };
}
