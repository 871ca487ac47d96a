/**
 * Sends a request and judges the answer by the table that all endpoints of the user's own share (_answer.ts): an answer of 200
 * with a CloudEvent in it is a reply, which goes on to the bus.
 */
import type { Outcome } from "../core/outcome.ts";
import type { TargetIo } from "../core/target.ts";
import { ANSWER_BYTES_MAX, outcomeOfAnswer } from "./_answer.ts";
import { holdsSecret } from "./_failure-text.ts";
import { cleanText, exchange, shownAnswer } from "./_http-exchange.ts";
import type { AnswerHead, ExchangeLimits } from "./_http-exchange.ts";
import type { HttpRequest } from "./_http-request.ts";
import { REPLY_BYTES_MAX, claimsReply, readReply, replyText } from "./_reply.ts";

const REPEATED_SECRET = "the CloudEvent in the answer was not published: it repeats a secret that the request carried";

/** Never throws for what a target does. */
export async function deliver(
  request: HttpRequest,
  limits: Omit<ExchangeLimits, "bytesMax">,
  io: Pick<TargetIo, "fetch" | "now">,
): Promise<Outcome> {
  const hasReply = ({ status, headers }: AnswerHead): boolean => claimsReply(status, headers);
  const bytesMax = (head: AnswerHead): number => (hasReply(head) ? REPLY_BYTES_MAX + 1 : ANSWER_BYTES_MAX);
  const exchanged = await exchange(request, { ...limits, bytesMax }, io);
  if (!exchanged.ok) return exchanged.error;
  const answer = exchanged.value;
  const outcome = outcomeOfAnswer(shownAnswer(answer, request), io.now());
  if (outcome.kind !== "delivered" || !hasReply(answer)) return outcome;
  const read = readReply(answer.headers, answer.bytes);
  if ("ignoredReply" in read) return { ...outcome, ignoredReply: cleanText(read.ignoredReply, request) };
  // A target that echoes what it got would have Sluice store the secret and hand it on to whoever wants the reply.
  const repeats = holdsSecret(replyText(read.reply, answer.bytes), request.secrets);
  return { ...outcome, ...(repeats ? { ignoredReply: REPEATED_SECRET } : read) };
}
