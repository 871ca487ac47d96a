/**
 * Posts to a Microsoft Teams channel or chat: by a webhook of Workflows (Power Automate), which takes Adaptive Cards, or by one
 * of the retired Office 365 connectors where it still answers.
 *
 * ```yaml
 * chat: { teams: TEAMS_WEBHOOK_URL }  # the secret that holds the webhook's URL
 * ```
 *
 * Sources: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook (28 KB, the
 * form of the message, four requests a second), https://github.com/MicrosoftDocs/msteams-docs/blob/main/msteams-platform/webhooks-and-connectors/how-to/connectors-using.md
 * ("Connectors do not throw 429s": the refusal stands in the body of a 200; `1` is success),
 * https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook (the trigger "When a Teams webhook request is received").
 * Where Workflows' URLs lead, `*.logic.azure.com` and since 2025 `*.environment.api.powerplatform.com`, is taken from published
 * URLs, not from a page of Microsoft's.
 */
import entry from "#entry/targets/_teams-entry.ts";
import type { Outcome } from "../core/outcome.ts";
import { isJsonObject, ok, ownMember } from "../core/result.ts";
import type { Json, JsonObject, Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import { jsonOf, kept, overRate, retryAfterOf, wordsOf } from "./_preset-answer.ts";
import { contentOf, withinBytes, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, jsonBytes, summaryOf } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import type { TeamsConfig } from "./_teams-entry.ts";
import { webhookUrl } from "./_webhook-url.ts";

const VENDOR = "Microsoft Teams";

const HOSTS = [".logic.azure.com", ".environment.api.powerplatform.com", ".webhook.office.com", "outlook.office.com"];

/** 28 KB, taken as the smaller of its readings. */
export const TEAMS_MESSAGE_BYTES_MAX = 28_000;

/** What remains for a text beside its card. */
const TEXT_BYTES_MAX = TEAMS_MESSAGE_BYTES_MAX - 1_000;

const CARD_TYPE = "application/vnd.microsoft.card.adaptive";

function message(shipment: Shipment): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none":
      return ok(inMessage(JSON.stringify(summaryCard(shipment))));
    case "text": {
      const text = cutText(content.value.text, TEXT_BYTES_MAX, jsonBytes);
      return ok(inMessage(JSON.stringify(card([{ type: "TextBlock", text, wrap: true }]))));
    }
    case "payload": {
      const { json, value } = content.value;
      if (ownMember(value, "type") === "AdaptiveCard")
        return withinBytes(inMessage(json), TEAMS_MESSAGE_BYTES_MAX, VENDOR);
      if (!isMessage(value)) {
        return wrongPayload(VENDOR, "an AdaptiveCard, type: message with attachments, or a MessageCard");
      }
      return withinBytes(json, TEAMS_MESSAGE_BYTES_MAX, VENDOR);
    }
  }
}

function isMessage(value: JsonObject): boolean {
  const attachments = ownMember(value, "attachments");
  if (ownMember(value, "type") === "message") return Array.isArray(attachments) && attachments.length > 0;
  return ownMember(value, "@type") === "MessageCard";
}

function card(body: readonly Json[], actions: readonly Json[] = []): JsonObject {
  const head = { $schema: "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4" };
  return { ...head, body, ...(actions.length === 0 ? {} : { actions }) };
}

/** A RichTextBlock, unlike a TextBlock, reads no Markdown: what an event says is shown as it is. */
function summaryCard(shipment: Shipment): JsonObject {
  const { title, source, link } = summaryOf(shipment);
  const line = (text: string, more: JsonObject): Json => ({
    type: "RichTextBlock",
    inlines: [{ type: "TextRun", text, ...more }],
  });
  const actions = link === undefined ? [] : [{ type: "Action.OpenUrl", title: "Open", url: link }];
  return card([line(title, { weight: "bolder" }), line(`from ${source}`, { isSubtle: true })], actions);
}

function inMessage(cardJson: string): string {
  return `{"type":"message","attachments":[{"contentType":"${CARD_TYPE}","content":${cardJson}}]}`;
}

/**
 * | answer | outcome |
 * |---|---|
 * | 2xx (Workflows: 202 once the flow has started; connectors: 200 `1`) | delivered |
 * | 200 `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error N` | as status N: 429 retry after 60 s, 413 `too-large`, 5xx retryable, other 4xx permanent |
 * | 429 | retry after Retry-After |
 * | 400, 401, 403, 404 | permanent `status`, with the workflow's own message |
 * | 5xx | retryable |
 */
export function outcomeOfTeams(answer: HttpAnswer, now: number): Outcome {
  const inner = /Microsoft Teams endpoint returned HTTP error (\d{3})\b/.exec(answer.body)?.[1];
  const saysFailed = answer.body.includes("Webhook message delivery failed");
  if (inner === undefined && !saysFailed) return explained(outcomeOfAnswer(answer, now), answer, now);
  // A failure that names no status is tried again, as a 500 is.
  const status = inner === undefined ? 500 : Number(inner);
  const detail = `the webhook answered ${answer.status}, but Microsoft Teams refused the message with ${status}`;
  if (status === 429) return overRate(answer, detail, retryAfterOf(answer, now));
  if (status === 413) return { kind: "permanent", reason: "too-large", detail, answer: kept(answer) };
  const outcome = outcomeOfAnswer({ ...answer, status }, now);
  if (outcome.kind === "permanent") return { ...outcome, reason: "status", detail, answer: kept(answer) };
  return { kind: "retryable", reason: "status", detail, answer: kept(answer) };
}

function explained(outcome: Outcome, answer: HttpAnswer, now: number): Outcome {
  if (answer.status === 429) {
    return overRate(answer, "Microsoft Teams takes no more messages for now (429)", retryAfterOf(answer, now));
  }
  if (outcome.kind !== "permanent" || outcome.reason !== "status") return outcome;
  const error = ownMember(jsonOf(answer) ?? {}, "error");
  if (!isJsonObject(error)) return outcome;
  return { ...outcome, detail: `${outcome.detail}: ${wordsOf(error, "code")} ${wordsOf(error, "message")}`.trim() };
}

export default presetTarget<TeamsConfig>({
  kind: "teams",
  ...entry(),
  ...webhookUrl(VENDOR, HOSTS),
  message,
  outcomeOf: outcomeOfTeams,
});
