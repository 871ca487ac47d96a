/**
 * Webhooks of anybody who signs as the entry says. With `secrets` and `header` alone: an HMAC-SHA256 over the body (RFC 2104), in
 * hexadecimal digits, which is what most vendors do.
 */
import entry from "#entry/sources/_hmac-description.ts";
import type { Source } from "../core/source.ts";
import type { HmacConfig, HmacMapping } from "./_hmac-description.ts";
import type { MappedPlace, TimedPlace, TypeRule } from "./_hmac-places.ts";
import type { MapWebhook, Webhook, WebhookTime } from "./_webhook-event.ts";
import { receiveWebhook } from "./_webhook-source.ts";

const hmac: Source<HmacConfig> = {
  kind: "hmac",
  ...entry(),

  secretNames: ({ secretNames }) => secretNames,
  isOpen: ({ auth }) => auth === "none",
  receive: (request, config, sourceName, context) =>
    receiveWebhook({ ...config.description, map: mapOf(config.mapping) }, request, config, sourceName, context),
};

export default hmac;

function mapOf({ id, type = "webhook", subject, time }: HmacMapping): MapWebhook {
  return (webhook) => ({
    type: typeOf(type, webhook),
    id: id && valueAt(id, webhook),
    subject: subject && valueAt(subject, webhook),
    time: time && timeAt(time, webhook),
  });
}

function typeOf(rule: TypeRule, webhook: Webhook): string {
  if (typeof rule === "string") return rule;
  const value = valueAt(rule.place, webhook) ?? "webhook";
  return rule.prefix === undefined ? value : `${rule.prefix}.${value}`;
}

function valueAt(place: MappedPlace, { text, header }: Webhook): string | undefined {
  return "header" in place ? header(place.header) : text(place.path);
}

function timeAt({ place, unit = "iso" }: TimedPlace<MappedPlace>, webhook: Webhook): WebhookTime {
  const value = valueAt(place, webhook);
  switch (unit) {
    case "s":
      return { s: value };
    case "ms":
      return { ms: value };
    case "iso":
      return { text: value };
  }
}
