/** A call may say the same twice, each time under an idempotency token of its own. */
import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import type { ReceivedEvent } from "../../src/core/source.ts";
import twilio from "../../src/sources/twilio.ts";
import { vectorContext, vectorRequest } from "../support/webhook-vectors.ts";

const URL_SIGNED = "https://sluice.example.com/webhooks/phone";

function received(fields: Readonly<Record<string, string>>, idempotencyToken: string): ReceivedEvent {
  const config = twilio.parse({ secrets: ["TOKEN"] });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const content = URL_SIGNED + sorted.map(([name, value]) => name + value).join("");
  const request = vectorRequest({
    url: URL_SIGNED,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "i-twilio-idempotency-token": idempotencyToken,
      "x-twilio-signature": createHmac("sha1", "token").update(content).digest("base64"),
    },
    body: new URLSearchParams(fields).toString(),
  });
  const result = twilio.receive(
    request,
    config.value,
    "phone",
    vectorContext("2026-05-01T12:00:00Z", { TOKEN: "token" }),
  );
  const event = result.ok ? result.value.events[0] : undefined;
  if (event === undefined) throw new Error(JSON.stringify(result));
  return event;
}

it("takes the same fields under another token for another event, and marks it", () => {
  const [first, second] = [
    received({ CallSid: "CA1", CallStatus: "in-progress" }, "token-1"),
    received({ CallSid: "CA1", CallStatus: "in-progress" }, "token-2"),
  ];
  expect(second.event.attributes.id).not.toBe(first.event.attributes.id);
  expect(second.replay).toEqual({ content: first.replay?.content, refuse: false });
});

it("notices other fields that are signed as the same text", () => {
  const [first, second] = [received({ Digits: "12", To: "3" }, "token-1"), received({ Digits: "12To3" }, "token-2")];
  expect(second.replay?.content).toBe(first.replay?.content);
  expect(received({ Digits: "1", To: "3" }, "token-3").replay?.content).not.toBe(first.replay?.content);
});
