/** What the answers of vendors have in common: how a refusal is told, whatever status it came with. */
import type { Answer, Outcome } from "../core/outcome.ts";
import { RETRY_AFTER_MS_MAX, parseRetryAfterMs } from "../core/retry.ts";
import type { Json, JsonObject } from "../core/result.ts";
import { isJsonObject, ownMember } from "../core/result.ts";
import { parseJson } from "../core/json.ts";
import type { HttpAnswer } from "./_answer.ts";

/** How much of a vendor's own words stands in a delivery's detail; the answer itself is kept with the attempt. */
export const VENDOR_WORDS_CHARS_MAX = 200;

/** The wait after a refusal for rate that doesn't say how long, where it doesn't come as a 429. */
export const RATE_WAIT_MS = 60_000;

/** The answer's body if it is a JSON object. A body that was cut at its limit is none. */
export function jsonOf({ body }: HttpAnswer): JsonObject | undefined {
  const parsed = parseJson(body);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

export function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status <= 299;
}

export function kept({ status, body }: HttpAnswer): Answer {
  return { status, ...(body === "" ? {} : { body }) };
}

/** A success in the vendor's own words. */
export function delivered(answer: HttpAnswer): Outcome {
  return { kind: "delivered", answer: kept(answer) };
}

/** The vendor will not take this message, however often it is sent. */
export function refused(answer: HttpAnswer, detail: string): Outcome {
  return { kind: "permanent", reason: "status", detail, answer: kept(answer) };
}

/** Not this time. */
export function failedNow(answer: HttpAnswer, detail: string, retryAfterMs?: number): Outcome {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) };
  return { kind: "retryable", reason: "status", detail, ...after, answer: kept(answer) };
}

/** Too much at once: the longest of the waits that the vendor names, or `RATE_WAIT_MS`. */
export function overRate(answer: HttpAnswer, detail: string, ...waitsMs: readonly (number | undefined)[]): Outcome {
  const named = waitsMs.filter((waitMs) => waitMs !== undefined);
  return failedNow(answer, detail, named.length === 0 ? RATE_WAIT_MS : Math.max(...named));
}

export function retryAfterOf({ headers }: HttpAnswer, now: number): number | undefined {
  return parseRetryAfterMs(headers.get("retry-after"), now);
}

/** Seconds, fractions allowed, as a number or its text, in milliseconds; undefined for anything else. */
export function secondsToMs(value: Json | undefined | null): number | undefined {
  const seconds = typeof value === "string" && /^\d{1,12}(?:\.\d{1,9})?$/.test(value.trim()) ? Number(value) : value;
  return typeof seconds === "number" && seconds >= 0 ? Math.ceil(seconds * 1_000) : undefined;
}

/** A member's text on one line, or its number; empty when it has none. */
export function wordsOf(object: JsonObject | undefined, name: string): string {
  const value = object === undefined ? undefined : ownMember(object, name);
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? shortWords(value) : "";
}

export function shortWords(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= VENDOR_WORDS_CHARS_MAX ? line : `${line.slice(0, VENDOR_WORDS_CHARS_MAX).toWellFormed()}…`;
}
