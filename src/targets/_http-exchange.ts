/**
 * One HTTP request to a target and its answer, both within one deadline. What the answer means is the business of each kind of
 * target.
 */
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { TargetIo } from "../core/target.ts";
import { answerText, readAnswerBytes } from "./_answer-body.ts";
import type { HttpAnswer } from "./_answer.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure, redact, withoutControls } from "./_failure-text.ts";
import { HTTP_METHOD } from "./_http-request.ts";
import type { HttpRequest } from "./_http-request.ts";

export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

export interface ExchangedAnswer extends AnswerHead {
  /** The body's first bytes, at most `bytesMax`. */
  readonly bytes: Uint8Array;
}

export interface ExchangeLimits {
  /** Aborts when the attempt's time is over. */
  readonly signal: AbortSignal;
  /** That time, for words only. */
  readonly timeoutMs: number;
  /** How much of the answer's body is read. */
  readonly bytesMax: (head: AnswerHead) => number;
}

/** The answer, or the outcome of an attempt that got none. Never follows a redirect. */
export async function exchange(
  request: HttpRequest,
  { signal, timeoutMs, bytesMax }: ExchangeLimits,
  io: Pick<TargetIo, "fetch">,
): Promise<Result<ExchangedAnswer, Outcome>> {
  const late = `no complete answer within ${formatDuration(timeoutMs)}`;
  let head: AnswerHead | undefined;
  // The deadline is of the whole exchange: it is waited for once.
  const work = async (): Promise<Result<ExchangedAnswer, Outcome>> => {
    const { url, headers, method = HTTP_METHOD } = request;
    const stream = await request.stream?.(signal);
    if (stream?.ok === false) return stream;
    if (stream !== undefined && signal.aborted) {
      // It came too late, and holds a connection as long as nobody lets go of it.
      stream.value.cancel().catch(() => {});
      return err({ kind: "retryable", reason: "timeout", detail: late });
    }
    // Events never hold shared memory, which is all that this type excludes.
    // fetch in Node wants to be told that it may send a stream before the answer begins (WHATWG Fetch, "duplex").
    const whole =
      stream === undefined ? { body: request.body as Uint8Array<ArrayBuffer> } : { body: stream.value, duplex: "half" };
    const body = method === HTTP_METHOD ? whole : {};
    // "error" would throw in workerd, and following would turn a POST into a GET without its body.
    const init = { method, headers, ...body, redirect: "manual", signal } as const;
    const response = await io.fetch(url, init);
    if (signal.aborted) {
      cancelBody(response);
      return err({ kind: "retryable", reason: "timeout", detail: late });
    }
    const answered = { status: response.status, headers: response.headers };
    head = answered;
    const bytes = await readAnswerBytes(response, bytesMax(answered), signal);
    return ok({ ...answered, bytes });
  };
  const answer = () => (head === undefined ? {} : { answer: { status: head.status } });
  try {
    const timed = await beforeDeadline(work(), signal);
    return timed.late ? err({ kind: "retryable", reason: "timeout", detail: late, ...answer() }) : timed.value;
  } catch (error) {
    return err({ ...failed(error, request, late), ...answer() });
  }
}

/** The answer as it may be kept: no control characters, and nothing of the request's secrets. */
export function shownAnswer({ status, headers, bytes }: ExchangedAnswer, request: HttpRequest): HttpAnswer {
  const location = headers.get("location");
  return {
    status,
    headers,
    location: location === null ? undefined : cleanText(location, request),
    body: cleanText(answerText(bytes), request),
  };
}

export function cleanText(text: string, { secrets }: Pick<HttpRequest, "secrets">): string {
  return redact(withoutControls(text), secrets);
}

/** A fetch that failed: by its deadline where the runtime says so itself, else by the network. */
function failed(error: unknown, request: HttpRequest, late: string): Outcome & { readonly kind: "retryable" } {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError" || name === "AbortError") return { kind: "retryable", reason: "timeout", detail: late };
  const { pathname, search } = new URL(request.url);
  const detail = describeFailure(error, [...request.secrets, pathname + search, search.slice(1)]);
  return { kind: "retryable", reason: "network", detail: `the request failed: ${detail}` };
}

function cancelBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}
