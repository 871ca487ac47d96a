/**
 * Makes a source of a vendor's description: how its webhooks are signed (as data), and what they say (a small function). A new
 * vendor is one file with such a description.
 */
import entry from "#entry/sources/_webhook-entry.ts";
import { bareMediaType, shownContentType } from "../core/media-type.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { SignatureScheme } from "../core/signature-scheme.ts";
import type { Verified } from "../core/signature.ts";
import { verifySignature } from "../core/signature.ts";
import type {
  Received,
  Source,
  HandshakeAnswer,
  SourceAnswer,
  SourceContext,
  SourceRequest,
  SourceRequestHead,
} from "../core/source.ts";
import { setSecrets } from "./_auth.ts";
import type { WebhookConfig } from "./_webhook-entry.ts";
import { toEvents } from "./_webhook-event.ts";
import type { MapWebhook } from "./_webhook-event.ts";
import { readPayload } from "./_webhook-payload.ts";
import type { WebhookPayload } from "./_webhook-payload.ts";

/**
 * `json-array`: a list, each element an event. `form`: its fields become the members of a JSON object. `form-payload`: so, too, but
 * a form with a field `payload` is the JSON in it.
 */
export const PAYLOAD_FORMS = ["json", "json-array", "form", "form-payload"] as const;
export type PayloadForm = (typeof PAYLOAD_FORMS)[number];

export interface OtherSignature {
  readonly scheme: SignatureScheme;
  /** Whether this scheme is the one to verify a request by. `secrets`: the values that are set. */
  readonly isUsed: (head: SourceRequestHead, secrets: readonly string[]) => boolean;
}

export interface WebhookDescription {
  /** The word after `kind:` and the file's name. */
  readonly kind: string;
  /** As the vendor writes itself. */
  readonly vendor: string;
  readonly signature: SignatureScheme;
  /** Another scheme of the vendor's. A request is verified by one of the two, never by the second because the first failed. */
  readonly otherSignature?: OtherSignature;
  /** What the payload may be, by its content type; absent: JSON. */
  readonly payloads?: readonly PayloadForm[];
  /** The member of a JSON payload that is the list of its events; each becomes one. */
  readonly list?: string;
  /** Events are named `<type>.<what the mapping says>`: `com.stripe`. Empty: the mapping says it all. */
  readonly type: string;
  /** `event.source` where the mapping gives none: an absolute URI. */
  readonly source: string;
  /** Reads what a genuine webhook says. */
  readonly map: MapWebhook;
  /** Headers that targets in `raw` format get, lower-case names; never a signature. */
  readonly rawHeaders?: readonly string[];
  /**
   * The event's id is not part of what is signed, and no signed timestamp bounds its life: a captured request could be sent again
   * under a new id, so equal content is noticed (the entry's `replays`). `signed`: the payload may differ while the
   * signature fits, so it is the equal value of the scheme that is noticed. `isUnique`: no two events of the vendor have the same
   * one, so a second is refused unless the entry says otherwise.
   */
  readonly hasUnsignedId?: true | { readonly signed: string; readonly isUnique?: true };
  /**
   * Members at the top of the payload that differ between two sendings of one event, such as the time of sending: they don't
   * make it another event.
   */
  readonly volatile?: readonly string[];
  /** Answered when the events are stored, where the vendor does not take 202. */
  readonly answer?: SourceAnswer;
  readonly unauthenticatedStatus?: number;
  /** Answers what the vendor sends before there is a secret. Nothing of it is believed. */
  readonly greet?: (request: SourceRequest) => SourceAnswer | undefined;
  /**
   * Answers a genuine webhook that only asks whether the address is ours; it is no event. `verifiedBy`: names of the secrets that
   * it is signed with.
   */
  readonly challenge?: (
    payload: WebhookPayload,
    config: WebhookConfig,
    context: SourceContext,
    verifiedBy: readonly string[],
  ) => SourceAnswer | undefined;
  /** Answers a GET or HEAD. */
  readonly handshake?: (
    head: SourceRequestHead,
    config: WebhookConfig,
    context: SourceContext,
  ) => Result<HandshakeAnswer, Rejection>;
  /** More of the request that is signed, for `{name}` in the scheme's content. */
  readonly signedParts?: (request: SourceRequest, context: SourceContext) => Readonly<Record<string, string>>;
  /** The entry has a key of its own beside the shared ones: the name of another secret. */
  readonly otherSecret?: { readonly key: string; readonly description: string };
}

const MEDIA_TYPES: Readonly<Record<PayloadForm, string>> = {
  json: "application/json",
  "json-array": "application/json",
  form: "application/x-www-form-urlencoded",
  "form-payload": "application/x-www-form-urlencoded",
};

/** A source of webhooks as the description says. The description stays readable, for docs and tests. */
export function webhookSource(
  description: WebhookDescription,
): Source<WebhookConfig> & { readonly description: WebhookDescription } {
  const { kind, handshake, unauthenticatedStatus } = description;
  return {
    description,
    kind,
    ...entry(description),
    secretNames: ({ secretNames, otherSecret }) => [
      ...secretNames,
      ...(otherSecret === undefined ? [] : [otherSecret]),
    ],
    isOpen: ({ auth }) => auth === "none",
    receive: (request, config, sourceName, context) =>
      receiveWebhook(description, request, config, sourceName, context),
    ...(handshake === undefined ? {} : { handshake }),
    ...(unauthenticatedStatus === undefined ? {} : { unauthenticatedStatus }),
  };
}

/** Authenticates a webhook as its description says, and reads it. */
export function receiveWebhook(
  description: WebhookDescription,
  request: SourceRequest,
  config: WebhookConfig,
  sourceName: string,
  context: SourceContext,
): Result<Received, Rejection> {
  const greeting = description.greet?.(request);
  if (greeting !== undefined) return ok({ events: [], batch: false, answer: greeting });
  const verified = authenticate(description, request, config, context);
  if (!verified.ok) return verified;
  const form = formOf(request.headers, description.payloads ?? ["json"]);
  if (!form.ok) return form;
  const payload = readPayload(request, form.value, verified.value.values, description.list);
  if (!payload.ok) return payload;
  const by = config.auth === "none" ? {} : { verifiedBy: verified.value.verifiedBy };
  const challenge = description.challenge?.(payload.value, config, context, verified.value.verifiedBy);
  if (challenge !== undefined) return ok({ events: [], batch: false, ...by, answer: challenge });
  const events = toEvents(payload.value, description, config, sourceName, context);
  const answer = description.answer === undefined ? {} : { answer: description.answer };
  const batch = form.value === "json-array" || (description.list !== undefined && !isForm(form.value));
  return ok({ events, batch, ...by, ...answer });
}

function authenticate(
  description: WebhookDescription,
  request: SourceRequest,
  config: WebhookConfig,
  context: SourceContext,
): Result<Verified, Rejection> {
  if (config.auth === "none") return ok({ verifiedBy: [], values: new Map() });
  const url = config.url ?? request.url;
  const signed = { ...request, url };
  const parts = description.signedParts?.(signed, context);
  return verifySignature(schemeFor(signed, description, config, context), config, signed, context, parts);
}

function schemeFor(
  request: SourceRequest,
  { signature, otherSignature }: WebhookDescription,
  { secretNames }: WebhookConfig,
  context: SourceContext,
): SignatureScheme {
  const values = setSecrets(secretNames, context).map(({ value }) => value);
  return otherSignature?.isUsed(request, values) === true ? otherSignature.scheme : signature;
}

function isForm(form: PayloadForm): boolean {
  return form === "form" || form === "form-payload";
}

function formOf(headers: Headers, forms: readonly PayloadForm[]): Result<PayloadForm, Rejection> {
  const contentType = headers.get("content-type");
  const mediaType = bareMediaType(contentType);
  const found = forms.find((form) => mediaType === MEDIA_TYPES[form] || (!isForm(form) && mediaType.endsWith("+json")));
  if (found !== undefined) return ok(found);
  // Several vendors send JSON and say text/plain, or nothing.
  const json = forms.find((form) => !isForm(form));
  if (json !== undefined && ["", "text/plain", "text/json"].includes(mediaType)) return ok(json);
  const expected = [...new Set(forms.map((form) => MEDIA_TYPES[form]))];
  return err({ reason: "unsupported-content-type", found: shownContentType(contentType), expected });
}
