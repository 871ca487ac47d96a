/**
 * Discord's webhook events, and the PING of interactions. References:
 * https://docs.discord.com/developers/events/webhook-events and
 * https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
 */
import { textAt } from "./_webhook-payload.ts";
import { webhookSource } from "./_webhook-source.ts";

const JSON_HEADERS = { "content-type": "application/json" };

export default webhookSource({
  kind: "discord",
  vendor: "Discord",
  signature: {
    algorithm: "ed25519",
    encoding: "hex",
    signature: { header: "X-Signature-Ed25519" },
    content: "{timestamp}{body}",
    values: { timestamp: { header: "X-Signature-Timestamp" } },
    timestamp: { value: "timestamp", unit: "s" },
    // The application's public key, as the developer portal shows it.
    key: "hex",
  },
  type: "com.discord",
  source: "https://discord.com",
  answer: { status: 204 },
  // Discord sends wrong signatures, too, and removes an address that doesn't refuse them so.
  unauthenticatedStatus: 401,
  challenge({ json }) {
    const type = textAt(json, "type");
    // A webhook event's PING is 0; 1 is an event, but of interactions it is the PING, which has no event.
    if (type === "0") return { status: 204 };
    if (type !== "1" || textAt(json, "event.type") !== undefined) return undefined;
    return { status: 200, headers: JSON_HEADERS, body: JSON.stringify({ type: 1 }) };
  },
  map: ({ text }) => ({
    type: text("event.type") ?? "interaction",
    // An interaction has an id; an event has none, and the same payload is the same event.
    id: text("id"),
    source: text("application_id") && `https://discord.com/api/v10/applications/${text("application_id")}`,
    subject: text("event.data.guild.id") ?? text("event.data.user.id") ?? text("event.data.id") ?? text("guild_id"),
    // UTC, which Discord doesn't say.
    time: { text: text("event.timestamp")?.replace(/(?<=T[\d:.]+)$/, "Z") },
  }),
});
