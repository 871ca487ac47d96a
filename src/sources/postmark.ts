/**
 * Postmark's webhooks, which are not signed: they bring a name and password. Reference:
 * https://postmarkapp.com/developer/webhooks/webhooks-overview (HTTP authentication; anything but 200 is sent again).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "postmark",
  vendor: "Postmark",
  signature: {
    algorithm: "token",
    encoding: "base64",
    signature: { header: "Authorization" },
    prefix: "Basic ",
    content: "",
  },
  type: "com.postmark",
  source: "https://api.postmarkapp.com",
  map: ({ text }) => ({
    // Mail that came in has no type.
    type: text("RecordType") ?? (text("MessageStream") === "inbound" ? "Inbound" : undefined),
    id: undefined,
    source: text("ServerID") && `https://account.postmarkapp.com/servers/${text("ServerID")}`,
    subject: text("MessageID"),
    time: { text: text("DeliveredAt") ?? text("BouncedAt") ?? text("ReceivedAt") ?? text("ChangedAt") },
  }),
  answer: { status: 200 },
});
