/** Mailgun signs a time and a token, not the event. */
import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import mailgun from "../../src/sources/mailgun.ts";
import { vectorContext, vectorRequest } from "../support/webhook-vectors.ts";

const NOW = "2024-05-01T12:00:00Z";
const HOUR_MS = 3_600_000;

function received(eventId: string, token: string, entry: JsonObject = {}): ReceivedEvent {
  const config = mailgun.parse({ secrets: ["KEY"], ...entry });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const timestamp = String(Date.parse(NOW) / 1_000);
  const signature = createHmac("sha256", "key")
    .update(timestamp + token)
    .digest("hex");
  const body = JSON.stringify({
    signature: { timestamp, token, signature },
    "event-data": { event: "opened", id: eventId, timestamp: 1_714_564_800 },
  });
  const request = vectorRequest({ headers: { "content-type": "application/json" }, body });
  const result = mailgun.receive(request, config.value, "mail", vectorContext(NOW, { KEY: "key" }));
  const event = result.ok ? result.value.events[0] : undefined;
  if (event === undefined) throw new Error(JSON.stringify(result));
  return event;
}

it("takes an event with another signature for the same one: a domain's and an account's webhook both bring it", () => {
  const [first, second] = [received("a", "token-1"), received("a", "token-2")];
  expect(second.event.attributes.id).toBe(first.event.attributes.id);
  expect(second.fingerprint).toEqual(first.fingerprint);
});

it("refuses another event under a token that was used, unless the entry says otherwise", () => {
  const [first, forged, other] = [received("a", "token-1"), received("b", "token-1"), received("b", "token-2")];
  expect(first.replay?.refuse).toBe(true);
  expect(forged.replay).toEqual(first.replay);
  expect(other.replay?.content).not.toBe(first.replay?.content);
  expect(received("a", "token-1", { replays: "flag" }).replay?.refuse).toBe(false);
  expect(received("a", "token-1", { replays: "ignore" }).replay).toBeUndefined();
});

it("takes a request as long as Mailgun may try, which is the longest tolerance too", () => {
  const tolerance = (entry: JsonObject) => {
    const parsed = mailgun.parse({ secrets: ["KEY"], ...entry });
    return parsed.ok ? parsed.value.toleranceMs : parsed.error.map(({ message }) => message);
  };
  expect(tolerance({})).toBe(9 * HOUR_MS);
  expect(tolerance({ tolerance: "5m" })).toBe(HOUR_MS / 12);
  expect(tolerance({ tolerance: "9h" })).toBe(9 * HOUR_MS);
  expect(tolerance({ tolerance: "10h" })).toEqual(["expected a duration from 1s to 9h, found 10h"]);
});
