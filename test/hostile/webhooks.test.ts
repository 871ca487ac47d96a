/** What somebody may try who has seen a genuine webhook of a vendor, but not its secret: the same for every vendor. */
import { describe, expect, it } from "vitest";
import type { Received, Source, SourceContext, SourceRequest } from "../../src/core/source.ts";
import { TOLERANCE_DEFAULT_MS } from "../../src/core/signature-scheme.ts";
import { sources } from "../support/kinds.ts";
import type { WebhookConfig } from "../../src/sources/_webhook-entry.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";
import { configOf, contextAt, signedWebhook, timestampOf } from "../support/signed-webhook.ts";
import type { Signing } from "../support/signed-webhook.ts";

type Vendor = Source<WebhookConfig> & { readonly description: WebhookDescription };

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

const vendors = Object.values(sources).flatMap((source): readonly Vendor[] =>
  "description" in source ? [source as unknown as Vendor] : [],
);

function receive(vendor: Vendor, request: SourceRequest, context: SourceContext = contextAt(NOW, vendor.description)) {
  const parsed = vendor.parse(configOf(vendor.description) as Parameters<Vendor["parse"]>[0]);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return vendor.receive(request, parsed.value, "vendor", context);
}

function outcomeOf(vendor: Vendor, signing: Partial<Signing> = {}, at = NOW): string {
  const result = receive(
    vendor,
    signedWebhook(vendor.description, { now: NOW, ...signing }),
    contextAt(at, vendor.description),
  );
  return result.ok ? `accepted ${result.value.verifiedBy?.join() ?? ""}` : result.error.reason;
}

function genuine({ description }: Vendor): SourceRequest {
  return signedWebhook(description, { now: NOW });
}

/** What tells the events of a request from others: their ids, or else what a replay is noticed by. */
function marksOf({ events }: Received): readonly { readonly id: string; readonly content: string | undefined }[] {
  return events.map(({ event, replay }) => ({ id: event.attributes.id, content: replay?.content }));
}

/** Whether the second request is noticed as the first one sent again, where it is accepted at all. */
function isNoticed(vendor: Vendor, first: SourceRequest, second: SourceRequest, secondAt: number): boolean {
  const accepted = receive(vendor, first);
  if (!accepted.ok) throw new Error(`the genuine one is refused: ${accepted.error.reason}`);
  const again = receive(vendor, second, contextAt(secondAt, vendor.description));
  if (!again.ok) return true;
  const known = marksOf(accepted.value);
  return marksOf(again.value).every(({ id, content }) =>
    known.some((one) => one.id === id || (content !== undefined && content === one.content)),
  );
}

const WRONG: readonly [string, (signature: string) => string][] = [
  ["none", () => ""],
  ["one character", () => "a"],
  ["cut", (text) => text.slice(0, -2)],
  ["longer", (text) => `${text}00`],
  ["doubled", (text) => text + text],
  ["another", (text) => (text.startsWith("a") ? "b" : "a") + text.slice(1)],
  ["NULs", (text) => "0".repeat(text.length)],
  ["in quotes", (text) => `"${text}"`],
  ["percent-encoded", (text) => `%20${text}`],
];

const NO_TIMES = [
  "",
  "-1",
  "1e9",
  "0x6553f100",
  "176372640²",
  "1763726400.0",
  "+1763726400",
  "99999999999999999999",
  "NaN",
  "now",
  "1763726400, 1763726400",
];

it("are all vendors with a description", () => expect(vendors.length).toBeGreaterThanOrEqual(20));

describe.each(vendors.map((vendor) => [vendor.kind, vendor] as const))("%s", (_kind, vendor) => {
  const { description } = vendor;
  const { signature: scheme } = description;

  it("takes what is signed, by the secret that it is signed with", () => {
    expect(outcomeOf(vendor)).toBe("accepted TEST_SECRET");
  });

  it.each(WRONG)("refuses a signature that is %s", (_what, change) => {
    expect(outcomeOf(vendor, { change })).toMatch(/-signature$|^missing-header$|^invalid-header$/);
  });

  it("refuses everything while its secret is not set", () => {
    expect(receive(vendor, genuine(vendor), contextAt(NOW, description, false))).toMatchObject({
      ok: false,
      error: { reason: "source-not-configured" },
    });
  });

  it("notices what is sent again a day later, whatever its unsigned headers say then", () => {
    const read = new Set<string>();
    const spied = genuine(vendor);
    const get = (name: string): string | null => {
      read.add(name.toLowerCase());
      return Headers.prototype.get.call(spied.headers, name);
    };
    receive(vendor, {
      ...spied,
      headers: new Proxy(spied.headers, {
        get: (headers, key) => (key === "get" ? get : (Reflect.get(headers, key).bind(headers) as unknown)),
      }),
    });
    const named = [scheme.signature, ...Object.values(scheme.values ?? {})].flatMap((place) =>
      "header" in place ? [place.header.toLowerCase()] : [],
    );
    const unsigned = [...read].filter((name) => name !== "content-type" && !named.includes(name));
    const [first, again] = [genuine(vendor), genuine(vendor)];
    for (const name of unsigned) {
      first.headers.set(name, "11111111");
      again.headers.set(name, "22222222");
    }
    expect(isNoticed(vendor, first, again, NOW + 1), "at once").toBe(true);
    expect(isNoticed(vendor, first, again, NOW + DAY_MS), "a day later").toBe(true);
  });

  it.each([
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "application/cloudevents+json",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=x",
    "",
  ])("notices what is sent again as %j", (contentType) => {
    const again = genuine(vendor);
    again.headers.set("content-type", contentType);
    expect(isNoticed(vendor, genuine(vendor), again, NOW + 1)).toBe(true);
  });
});

const ofBody = vendors.filter(
  ({ description }) => description.signature.content.includes("{body}") || description.signedParts !== undefined,
);

describe.each(ofBody.map((vendor) => [vendor.kind, vendor] as const))("%s, which signs the body,", (_kind, vendor) => {
  it("refuses a body in which one byte is another", () => {
    const { body, ...request } = genuine(vendor);
    for (const at of [0, body.length >> 1, body.length - 1]) {
      const changed = body.with(at, (body[at] ?? 0) ^ 1);
      expect(receive(vendor, { ...request, body: changed }).ok, `byte ${at}`).toBe(false);
    }
    const longer = new Uint8Array([...body, 0x20]);
    expect(receive(vendor, { ...request, body: longer }).ok).toBe(false);
  });
});

const timed = vendors.filter(({ description }) => description.signature.timestamp !== undefined);

describe.each(timed.map((vendor) => [vendor.kind, vendor] as const))("%s, which signs a time,", (_kind, vendor) => {
  const { signature: scheme } = vendor.description;
  const { value = "", unit = "s", toleranceMs = TOLERANCE_DEFAULT_MS } = scheme.timestamp ?? {};

  it("signs the time that it goes by", () => {
    const place = scheme.values?.[value];
    const isInBody = place !== undefined && "path" in place && scheme.content.includes("{body}");
    expect(isInBody || scheme.content.includes(`{${value}}`)).toBe(true);
  });

  it("refuses what was signed too long ago, or ahead of time, and no sooner", () => {
    for (const sign of [1, -1]) {
      expect(outcomeOf(vendor, { timestamp: timestampOf(unit, NOW + sign * toleranceMs) })).toMatch(/^accepted/);
      const late = { timestamp: timestampOf(unit, NOW + sign * (toleranceMs + 1_000)) };
      expect(outcomeOf(vendor, late)).toBe("stale-timestamp");
    }
    expect(outcomeOf(vendor, {}, NOW + toleranceMs + 1)).toBe("stale-timestamp");
  });

  it.each(NO_TIMES)("refuses %j for a time, though it is signed", (timestamp) => {
    expect(outcomeOf(vendor, { timestamp })).toMatch(
      /^(missing-header|invalid-header|stale-timestamp|wrong-signature|malformed-signature|missing-signature)$/,
    );
  });
});

/** The bytes of a genuine body, written in another way. */
const REWRITINGS: readonly [string, (body: Uint8Array) => Uint8Array][] = [
  ["a byte order mark before it", (body) => new Uint8Array([0xef, 0xbb, 0xbf, ...body])],
  ["white space before it", (body) => new Uint8Array([0x20, ...body])],
  ["a line break after it", (body) => new Uint8Array([...body, 0x0a])],
  ["its letters escaped", (body) => rewritten(body, (text) => text.replaceAll("é", "\\u00e9"))],
  ["its escapes as letters", (body) => rewritten(body, (text) => text.replaceAll("\\u00fc", "ü"))],
  ["a field twice", (body) => rewritten(body, (text) => `${text}&${text}`)],
  ["a field's value as part of its name", (body) => rewritten(body, (text) => text.replaceAll("=", "").concat("="))],
];

function rewritten(body: Uint8Array, rewrite: (text: string) => string): Uint8Array {
  return new TextEncoder().encode(rewrite(new TextDecoder().decode(body)));
}

const BODIES = { json: '{"id":"evt_1","text":"é \\u00fc"}', form: "MessageSid=evt_1" };

describe.each(ofBody.map((vendor) => [vendor.kind, vendor] as const))("%s, whose body", (_kind, vendor) => {
  const { description } = vendor;
  const { payloads = ["json"], list, signature: scheme } = description;
  // Where the body has to hold what is signed, the made-up one stays.
  const isOwn = list === undefined && !Object.values(scheme.values ?? {}).some((place) => "path" in place);

  it.each(REWRITINGS)("comes with %s is refused, or noticed as the same", (_what, rewrite) => {
    for (const form of payloads) {
      const isForm = form.startsWith("form");
      const text = isForm ? BODIES.form : form === "json-array" ? `[${BODIES.json}]` : BODIES.json;
      const contentType = isForm ? "application/x-www-form-urlencoded" : "application/json";
      const signing = { now: NOW, headers: { "content-type": contentType }, ...(isOwn ? { body: text } : {}) };
      const again = signedWebhook(description, signing);
      const changed = { ...again, body: rewrite(again.body) };
      expect(isNoticed(vendor, signedWebhook(description, signing), changed, NOW + 1), form).toBe(true);
    }
  });
});

it("X's challenge signs nothing that could be a webhook: both are signed by one key, in one way", () => {
  const x = vendors.find(({ kind }) => kind === "x");
  const config = x?.parse({ secrets: ["TEST_SECRET"] });
  if (x === undefined || config?.ok !== true) throw new Error("there is no source x");
  const context = contextAt(NOW, x.description);
  const challenge = (token: string) => {
    const url = new URL("https://sluice.example/webhooks/x");
    url.searchParams.set("crc_token", token);
    return x.handshake?.({ method: "GET", url: url.href, headers: new Headers() }, config.value, context);
  };
  expect(challenge("MDM5ZGE3MjAtNjQ4Mw_-.+/==")).toMatchObject({ ok: true });
  for (const body of ['{"tweet_create_events":[]}', ' {"a":1}', "[]", "\ufeff{}", '"text"', '{"crc":1}\n']) {
    expect(challenge(body), body).toMatchObject({ ok: false, error: { reason: "wrong-challenge" } });
  }
});
