/** SendGrid gathers events: a busy sender's request has thousands of them. */
import { expect, it } from "vitest";
import sendgrid from "../../src/sources/sendgrid.ts";
import { LISTED_EVENTS_MAX } from "../../src/sources/_webhook-payload.ts";
import { vectorContext, vectorRequest } from "../support/webhook-vectors.ts";

function receive(count: number) {
  const config = sendgrid.parse({ auth: "none" });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const list = Array.from({ length: count }, (_, index) => ({ event: "open", sg_event_id: `e${index}` }));
  const request = vectorRequest({ headers: { "content-type": "application/json" }, body: JSON.stringify(list) });
  return sendgrid.receive(request, config.value, "mail", vectorContext("2026-05-01T12:00:00Z", {}));
}

it("takes the longest list, each element an event, and refuses a longer one", () => {
  const longest = receive(LISTED_EVENTS_MAX);
  if (!longest.ok) throw new Error(longest.error.reason);
  expect(new Set(longest.value.events.map(({ event }) => event.attributes.id)).size).toBe(LISTED_EVENTS_MAX);
  expect(longest.value.answer).toEqual({ status: 200 });
  expect(receive(LISTED_EVENTS_MAX + 1)).toMatchObject({
    ok: false,
    error: { reason: "batch-too-large", eventsMax: LISTED_EVENTS_MAX },
  });
});
