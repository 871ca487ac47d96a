import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/result.ts";
import teams, { TEAMS_MESSAGE_BYTES_MAX, outcomeOfTeams } from "../../src/targets/teams.ts";
import { eventWith } from "../support/target-io.ts";
import { answerOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;

const inMessage = (content: Json) => ({
  type: "message",
  attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }],
});

describe("a message to Teams", () => {
  it("is an Adaptive Card with the transform's text, in which Markdown counts", async () => {
    expect((await sendBy(teams, { made: "**done**" })).body).toEqual(
      inMessage({
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: [{ type: "TextBlock", text: "**done**", wrap: true }],
      }),
    );
  });

  it("made of an event is shown as it is, with a button to its page", async () => {
    const event = eventWith('{"html_url":"https://x.example/1"}', { subject: "**x** <at>all</at>", source: "/s" });
    expect((await sendBy(teams, { event })).body).toMatchObject(
      inMessage({
        body: [
          { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "com.github.push: **x** <at>all</at>" }] },
          { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "from /s" }] },
        ],
        actions: [{ type: "Action.OpenUrl", title: "Open", url: "https://x.example/1" }],
      }),
    );
    const { text } = await sendBy(teams, { event: eventWith("{}") });
    expect(text).not.toContain("actions");
  });

  it("may be a card of the transform's, a message with cards, or a connector's MessageCard", async () => {
    const card = { type: "AdaptiveCard", version: "1.4", body: [] };
    expect((await sendBy(teams, { made: card })).body).toEqual(inMessage(card));
    for (const made of [inMessage(card), { "@type": "MessageCard", text: "x" }]) {
      expect((await sendBy(teams, { made })).body).toEqual(made);
    }
  });

  it("has at most TEAMS_MESSAGE_BYTES_MAX bytes: a text is cut, a card refused", async () => {
    const long = await sendBy(teams, { made: '"é\n'.repeat(TEAMS_MESSAGE_BYTES_MAX) });
    expect(Buffer.byteLength(long.text)).toBeLessThanOrEqual(TEAMS_MESSAGE_BYTES_MAX);
    expect(Buffer.byteLength(long.text)).toBeGreaterThan(TEAMS_MESSAGE_BYTES_MAX - 1_100);
    const card = (chars: number) => ({ "@type": "MessageCard", text: "x".repeat(chars) });
    const room = TEAMS_MESSAGE_BYTES_MAX - JSON.stringify(card(0)).length;
    expect((await sendBy(teams, { made: card(room) })).outcome).toMatchObject({ kind: "delivered" });
    expect((await sendBy(teams, { made: card(room + 1) })).outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
      detail: "the message has 28001 bytes, Microsoft Teams takes 28000; let the rule's transform make less",
    });
  });

  it.each<Json>([{ text: "x" }, { type: "message" }, { type: "message", attachments: [] }])(
    "is not sent as %j",
    async (made) => {
      const { outcome, url } = await sendBy(teams, { made });
      expect(url).toBeUndefined();
      expect(outcome).toMatchObject({ kind: "permanent", reason: "transform-failed" });
    },
  );
});

/** Bodies of connectors as MicrosoftDocs/msteams-docs, how-to/connectors-using.md has them, and as they are seen in the wild. */
describe("an answer of Teams'", () => {
  const failed = (status: number) =>
    `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId tcid=0,server=msgapi-production-eus-azsc2-4-170,cv=deadbeef=2..`;

  it.each([
    [202, ""],
    [200, "1"],
    [200, ""],
  ])("%i %s is a delivery", (status, body) => {
    expect(outcomeOfTeams(answerOf(status, body), NOW)).toMatchObject({ kind: "delivered", answer: { status } });
  });

  it("200 that tells of a 429 is a refusal for rate", () => {
    expect(outcomeOfTeams(answerOf(200, failed(429)), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs: 60_000,
      answer: { status: 200 },
    });
  });

  it.each([
    [400, "permanent", "status"],
    [403, "permanent", "status"],
    [404, "permanent", "status"],
    [410, "permanent", "status"],
    [413, "permanent", "too-large"],
    [500, "retryable", "status"],
    [503, "retryable", "status"],
  ])("200 that tells of a %i is %s (%s)", (inner, kind, reason) => {
    const outcome = outcomeOfTeams(answerOf(200, failed(inner)), NOW);
    expect(outcome).toMatchObject({ kind, reason, answer: { status: 200 } });
    expect(outcome).toMatchObject({ detail: expect.stringContaining(`refused the message with ${inner}`) as string });
  });

  it("200 that tells of a failure without a status is tried again", () => {
    expect(outcomeOfTeams(answerOf(200, "Webhook message delivery failed with error: timeout"), NOW)).toMatchObject({
      kind: "retryable",
    });
  });

  it("429 says when, and 400, 401 and 404 what the workflow says", () => {
    expect(outcomeOfTeams(answerOf(429, "", { "retry-after": "12" }), NOW)).toMatchObject({
      kind: "retryable",
      retryAfterMs: 12_000,
    });
    expect(outcomeOfTeams(answerOf(429), NOW)).toMatchObject({ kind: "retryable", retryAfterMs: 60_000 });
    const body = '{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow trigger."}}';
    for (const status of [400, 401, 404]) {
      expect(outcomeOfTeams(answerOf(status, body), NOW)).toMatchObject({
        kind: "permanent",
        reason: "status",
        detail: `the target answered ${status}: WorkflowTriggerIsNotEnabled Could not execute workflow trigger.`,
      });
    }
    expect(outcomeOfTeams(answerOf(502), NOW)).toMatchObject({ kind: "retryable" });
  });
});
