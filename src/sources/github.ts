/**
 * GitHub's webhooks, of repositories, organizations, enterprises and apps, as the official CloudEvents mapping has them.
 * References: https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers and
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import entry from "#entry/sources/_github-entry.ts";
import { digestFingerprint } from "../core/event.ts";
import { bareMediaType, shownContentType } from "../core/media-type.ts";
import type { Rejection } from "../core/rejection.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Result } from "../core/result.ts";
import type { Received, ReceivedEvent, Source, SourceContext } from "../core/source.ts";
import { rightSecrets, setSecrets } from "./_auth.ts";
import type { SetSecret } from "./_auth.ts";
import type { GithubConfig } from "./_github-entry.ts";
import { githubAttributes, githubKey, githubPaths } from "./_github-event.ts";
import { FORM_TYPE, JSON_TYPE, readWebhookBody } from "./_webhook-body.ts";

const SIGNATURE_HEADER = "X-Hub-Signature-256";
const EVENT_HEADER = "X-GitHub-Event";
const DELIVERY_HEADER = "X-GitHub-Delivery";

export const EVENT_NAME_CHARACTERS_MAX = 64;
export const DELIVERY_ID_CHARACTERS_MAX = 128;

const EVENT_NAME = new RegExp(`^[a-z0-9_]{1,${EVENT_NAME_CHARACTERS_MAX}}$`);
const DELIVERY_ID = new RegExp(`^[\\x21-\\x7e]{1,${DELIVERY_ID_CHARACTERS_MAX}}$`);

/** Headers that say which hook sent it, and the form that each must have to be kept. */
const HOOK_HEADERS = {
  "x-github-hook-id": /^\d{1,20}$/,
  "x-github-hook-installation-target-type": /^[A-Za-z0-9_-]{1,64}$/,
  "x-github-hook-installation-target-id": /^\d{1,20}$/,
} as const;

const github: Source<GithubConfig> = {
  kind: "github",
  ...entry(),

  secretNames: (config) => (config.auth === "none" ? [] : config.secretNames),

  isOpen: (config) => config.auth === "none",

  receive(request, config, sourceName, context) {
    const mediaType = readMediaType(request.headers);
    if (!mediaType.ok) return mediaType;
    const { hmacSha256, sha256 } = context.hashing;
    const signed = readSignature(request.headers, config, context);
    if (!signed.ok) return signed;
    const authenticated = authenticate(
      signed.value,
      (secret) => hmacSha256(secret, request.wireBody ?? request.body),
      context,
    );
    if (!authenticated.ok) return authenticated;
    const delivery = readDelivery(request.headers);
    if (!delivery.ok) return delivery;
    const body = readWebhookBody(request.body, mediaType.value);
    if (!body.ok) return body;
    const { bytes, payload } = body.value;
    const content = { payload, bytes, digest: sha256(bytes) };
    return ok({
      events: [toEvent(delivery.value, content, config, sourceName, context.now)],
      batch: false,
      ...authenticated.value,
    });
  },

  receiveLarge({ headers }, config, sourceName, context) {
    const mediaType = readMediaType(headers);
    if (!mediaType.ok) return mediaType;
    if (mediaType.value === FORM_TYPE) {
      const hint = `a payload this large is taken as ${JSON_TYPE} only: choose that content type in the hook's settings`;
      return err({ reason: "unsupported-content-type", found: FORM_TYPE, expected: [JSON_TYPE], hint });
    }
    const signed = readSignature(headers, config, context);
    if (!signed.ok) return signed;
    const delivery = readDelivery(headers);
    const { startHmac, startSha256 } = context.hashing;
    const content = startSha256();
    const macs = new Map(signed.value?.secrets.map(({ value }) => [value, startHmac("sha256", value)]));
    return ok({
      paths: delivery.ok ? githubPaths(delivery.value.name) : [],
      update(chunk) {
        content.update(chunk);
        for (const mac of macs.values()) mac.update(chunk);
      },
      finish(pruned) {
        const digests = new Map([...macs].map(([secret, mac]) => [secret, mac.digest()]));
        const authenticated = authenticate(signed.value, (secret) => digests.get(secret) ?? new Uint8Array(), context);
        if (!authenticated.ok) return authenticated;
        if (!delivery.ok) return delivery;
        const body = readWebhookBody(pruned, JSON_TYPE);
        if (!body.ok) return body;
        const { payload } = body.value;
        const large = { payload, bytes: null, digest: content.digest() };
        return ok({
          events: [toEvent(delivery.value, large, config, sourceName, context.now)],
          batch: false,
          ...authenticated.value,
        });
      },
    });
  },
};

export default github;

/**
 * GitHub signs the payload and no header, so neither the GUID nor the event's name can be relied on to tell a captured request
 * that is sent again from a new one. Without a signature there is nothing to compare.
 */
function replayOf(config: GithubConfig, content: string): Pick<ReceivedEvent, "replay"> {
  if (config.auth === "none" || config.replays === "ignore") return {};
  return { replay: { content, refuse: config.replays === "refuse" } };
}

function readMediaType(headers: Headers): Result<typeof JSON_TYPE | typeof FORM_TYPE, Rejection> {
  const contentType = headers.get("content-type");
  const mediaType = bareMediaType(contentType);
  if (mediaType === JSON_TYPE || mediaType === FORM_TYPE) return ok(mediaType);
  const found = shownContentType(contentType);
  return err({ reason: "unsupported-content-type", found, expected: [JSON_TYPE, FORM_TYPE] });
}

/** What a request's headers say of the delivery. */
interface GithubDelivery {
  readonly name: string;
  readonly id: string;
  readonly hook: HookHeaders;
}

function readDelivery(headers: Headers): Result<GithubDelivery, Rejection> {
  const name = readHeader(headers, EVENT_HEADER, EVENT_NAME, "lower-case letters, digits and _, at most 64");
  if (!name.ok) return name;
  const id = readHeader(headers, DELIVERY_HEADER, DELIVERY_ID, "visible ASCII characters, at most 128");
  return id.ok ? ok({ name: name.value, id: id.value, hook: hookHeaders(headers) }) : id;
}

/** `payload` may be less than `bytes` say; `digest` is the SHA-256 of all of them. */
interface GithubContent {
  readonly payload: JsonObject;
  readonly bytes: Uint8Array | null;
  readonly digest: Uint8Array;
}

function toEvent(
  { name, id, hook }: GithubDelivery,
  { payload, bytes, digest }: GithubContent,
  config: GithubConfig,
  sourceName: string,
  now: number,
): ReceivedEvent {
  // Hooks that subscribe to one event share its GUID, so the hook is the scope.
  const fingerprint = digestFingerprint(digest, hook["x-github-hook-id"] ?? "");
  return {
    event: { attributes: githubAttributes(name, id, payload, now), body: bytes },
    fingerprint,
    ...(bytes === null ? {} : { data: payload }),
    key: githubKey(payload, sourceName),
    // GitHub sends an event once; again only when somebody asks for it, in its settings or by its API.
    repeat: "redelivery",
    ...replayOf(config, fingerprint.hash),
    rawHeaders: { "x-github-event": name, "x-github-delivery": id, ...hook },
  };
}

interface Signed {
  readonly signature: Uint8Array;
  readonly secrets: readonly SetSecret[];
}

/** The request's signature, and the secrets that it may be made with; null where the source is open. */
function readSignature(
  headers: Headers,
  config: GithubConfig,
  context: SourceContext,
): Result<Signed | null, Rejection> {
  if (config.auth === "none") return ok(null);
  const secrets = setSecrets(config.secretNames, context);
  if (secrets.length === 0) return err({ reason: "source-not-configured", secretNames: config.secretNames });
  const header = headers.get(SIGNATURE_HEADER);
  if (header === null || header === "") return err({ reason: "missing-signature", header: SIGNATURE_HEADER });
  // GitHub writes lower case; one spelling for one signature leaves nothing to interpret.
  const hex = /^sha256=([0-9a-f]{64})$/.exec(header)?.[1];
  if (hex === undefined) {
    const detail = "expected sha256= and 64 lower-case hexadecimal digits";
    return err({ reason: "malformed-signature", header: SIGNATURE_HEADER, detail });
  }
  const signature = Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
  return ok({ signature, secrets });
}

/** `macOf`: the HMAC-SHA256 of the body under a secret. */
function authenticate(
  signed: Signed | null,
  macOf: (secret: string) => Uint8Array,
  { hashing }: SourceContext,
): Result<Pick<Received, "verifiedBy">, Rejection> {
  if (signed === null) return ok({});
  const verifiedBy = rightSecrets(signed.secrets, (secret) => hashing.equalBytes(macOf(secret), signed.signature));
  return verifiedBy.length > 0 ? ok({ verifiedBy }) : err({ reason: "wrong-signature", header: SIGNATURE_HEADER });
}

function readHeader(headers: Headers, header: string, form: RegExp, expected: string): Result<string, Rejection> {
  const value = headers.get(header);
  if (value === null || value === "") return err({ reason: "missing-header", header });
  return form.test(value) ? ok(value) : err({ reason: "invalid-header", header, detail: `expected ${expected}` });
}

type HookHeaders = Partial<Record<keyof typeof HOOK_HEADERS, string>>;

/** Those that are there and well-formed; nothing depends on the others. */
function hookHeaders(headers: Headers): HookHeaders {
  const found: HookHeaders = {};
  for (const [header, form] of Object.entries(HOOK_HEADERS) as [keyof typeof HOOK_HEADERS, RegExp][]) {
    const value = headers.get(header);
    if (value !== null && form.test(value)) found[header] = value;
  }
  return found;
}
