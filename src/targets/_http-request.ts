/**
 * The HTTP request of a delivery: drafted once, without any secret, and then completed to be sent or shown to people. Both go
 * by the same draft, so that what is shown is what is sent.
 */
import type { Outcome } from "../core/outcome.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { LocalMode, Preview, Shipment, TargetIo } from "../core/target.ts";
import { headerValueProblem } from "./_headers.ts";
import type { TargetHeader } from "./_headers.ts";
import { encodeContent, headersProblem } from "./_http-content.ts";
import type { HttpFormat } from "./_http-content.ts";
import { COMPRESS_BYTES_MIN } from "./_gzip.ts";
import type { SigningKey } from "./_standard-webhooks.ts";
import { signingKey, webhookSignature } from "./_standard-webhooks.ts";
import type { Authorization, TargetAuth } from "./_target-auth.ts";
import { authSecretNames, authorization, shownAuthorization } from "./_target-auth.ts";
import type { TargetUrl } from "./_url.ts";

export const HTTP_METHOD = "POST";

export const USER_AGENT = "Sluice/1";

export interface HttpConfig {
  readonly target: TargetUrl;
  readonly local: TargetUrl | "print" | undefined;
  readonly format: HttpFormat;
  readonly headers: readonly TargetHeader[];
  readonly signingSecrets: readonly string[];
  readonly auth?: TargetAuth | undefined;
  readonly compress?: "gzip" | undefined;
  readonly handshake?: Handshake | undefined;
}

/** Permission to deliver is asked for in the name of `origin`, a host's name. */
export interface Handshake {
  readonly origin: string;
  readonly ratePerMinute?: number;
}

/** A request ready to be sent, and what of it must not appear in any record. */
export interface HttpRequest {
  /** POST unless it says another. */
  readonly method?: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The body in place of `body`, where that is not in memory; an outcome where there is none any more. */
  readonly stream?: (signal: AbortSignal) => Promise<Result<ReadableStream<Uint8Array>, Outcome>>;
  readonly secrets: readonly string[];
}

/** A header's value, or what it is made of once there are a time and secrets. */
type DraftValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "authorization"; readonly auth: TargetAuth }
  | { readonly kind: "time" }
  | { readonly kind: "signature" };

interface Draft {
  readonly url: string;
  /** Why nothing is sent to the URL. */
  readonly problem: string | undefined;
  readonly headers: ReadonlyMap<string, DraftValue>;
  readonly body: Uint8Array;
}

function draftOf(shipment: Shipment, config: HttpConfig, local: LocalMode | undefined): Draft {
  const content = encodeContent(shipment, config.format);
  const headers = new Map<string, DraftValue>();
  for (const [name, text] of content.headers) headers.set(name, { kind: "text", text });
  headers.set("user-agent", { kind: "text", text: USER_AGENT });
  for (const header of config.headers) {
    const { name } = header;
    headers.set(name, "secret" in header ? { kind: "secret", secret: header.secret } : textOf(header.constant));
  }
  if (config.auth !== undefined) headers.set("authorization", { kind: "authorization", auth: config.auth });
  const { compress, handshake } = config;
  // What is printed is for people to read, and what is streamed from the body store goes as it stands there.
  const isPlain = shipment.large !== undefined || (local !== undefined && config.local === "print");
  if (compress !== undefined && !isPlain && content.body.length >= COMPRESS_BYTES_MIN) {
    headers.set("content-encoding", textOf(compress));
  }
  headers.set("webhook-id", textOf(shipment.deliveryId));
  headers.set("webhook-timestamp", { kind: "time" });
  if (config.signingSecrets.length > 0) headers.set("webhook-signature", { kind: "signature" });
  if (handshake !== undefined) headers.set("webhook-request-origin", textOf(handshake.origin));
  const problem = unreachable(config, local);
  return { url: urlOf(config, local), problem, headers, body: content.body };
}

function textOf(text: string): DraftValue {
  return { kind: "text", text };
}

export function urlOf(config: HttpConfig, local: LocalMode | undefined): string {
  if (local === undefined) return config.target.url;
  if (config.local === "print") return local.printUrl;
  return (config.local ?? config.target).url;
}

/**
 * Whether deliveries go to a stand-in on somebody's machine: it is asked for no permission, and no token is got for it, which
 * the real endpoint's server would have to give out.
 */
export function isStandIn(config: HttpConfig, local: LocalMode | undefined): boolean {
  return local !== undefined && config.local !== undefined;
}

/** Why nothing is sent to the URL, or undefined. */
export function unreachable(config: HttpConfig, local: LocalMode | undefined): string | undefined {
  return local === undefined ? localOnly(config)[0] : undefined;
}

/** Why the configuration works on a laptop only. */
export function localOnly({ target, auth }: HttpConfig): readonly string[] {
  const urls = [
    { name: "URL", at: target },
    ...(auth?.kind === "oauth2" ? [{ name: "token-url", at: auth.oauth2.tokenUrl }] : []),
  ];
  return urls
    .filter(({ at }) => at.isLoopback)
    .map(
      ({ name, at }) => `its ${name} names this machine (${new URL(at.url).host}), which nothing deployed can reach`,
    );
}

/** The secrets that requests carry or are signed with. */
export function secretNames(config: HttpConfig): readonly string[] {
  const inHeaders = config.headers.flatMap((header) => ("secret" in header ? [header.secret] : []));
  return [...new Set([...config.signingSecrets, ...inHeaders, ...authSecretNames(config.auth)])];
}

/** The request with its secrets and the time, or why it can't be made. `token`: an access token, for `oauth2`. */
export function prepareRequest(
  shipment: Shipment,
  config: HttpConfig,
  io: TargetIo,
  token?: string,
): Result<HttpRequest, Outcome> {
  const draft = draftOf(shipment, config, io.local);
  if (draft.problem !== undefined) return err(misconfigured(draft.problem));
  const custom = customSecrets(config, io);
  if (!custom.ok) return custom;
  const signing = signingKeys(config, io);
  if (!signing.ok) return signing;
  const credentials = credentialsOf(config.auth, token, io);
  if (!credentials.ok) return credentials;

  const secrets = [...custom.value.values(), ...signing.value.secrets, ...credentials.value.secrets];
  const timestampSeconds = Math.floor(io.now() / 1_000);
  const headers = complete(draft, {
    secret: (name) => custom.value.get(name) ?? "",
    authorization: () => credentials.value.value,
    time: () => String(timestampSeconds),
    signature: () => {
      const signed = { id: shipment.deliveryId, timestampSeconds, body: draft.body };
      const signature = webhookSignature(signed, signing.value.keys, io.hashing);
      secrets.push(...signature.split(" "));
      return signature;
    },
  });
  const problem = headersProblem(headers);
  if (problem !== undefined) return err({ kind: "permanent", ...problem });
  return ok({ url: draft.url, headers: Object.fromEntries(headers), body: draft.body, secrets });
}

/** The request with names in place of secrets, signatures and the time of sending. */
export function previewRequest(shipment: Shipment, config: HttpConfig, local: LocalMode | undefined): Preview {
  const draft = draftOf(shipment, config, local);
  const headers = complete(draft, {
    secret: (name) => `<secret ${name}>`,
    authorization: shownAuthorization,
    time: () => "<time of sending>",
    signature: () => config.signingSecrets.map((name) => `<signed with ${name}>`).join(" "),
  });
  const problem = draft.problem ?? headersProblem(headers)?.detail;
  return {
    action: `${HTTP_METHOD} ${draft.url}`,
    method: HTTP_METHOD,
    url: draft.url,
    headers: Object.fromEntries(headers),
    body: draft.body.length === 0 ? null : draft.body,
    ...(problem === undefined ? {} : { problem }),
  };
}

interface Completion {
  readonly secret: (name: string) => string;
  readonly authorization: (auth: TargetAuth) => string;
  readonly time: () => string;
  readonly signature: () => string;
}

function complete({ headers }: Draft, completion: Completion): ReadonlyMap<string, string> {
  const { secret, authorization: credentials, time, signature } = completion;
  const valueOf = (value: DraftValue): string => {
    switch (value.kind) {
      case "text":
        return value.text;
      case "secret":
        return secret(value.secret);
      case "authorization":
        return credentials(value.auth);
      case "time":
        return time();
      case "signature":
        return signature();
    }
  };
  return new Map([...headers].map(([name, value]) => [name, valueOf(value)]));
}

/** The values of the secrets that headers name, each fit to be a header's value. */
function customSecrets(config: HttpConfig, io: TargetIo): Result<ReadonlyMap<string, string>, Outcome> {
  const secrets = new Map<string, string>();
  for (const header of config.headers) {
    if ("constant" in header) continue;
    const value = secretValue(header.secret, io);
    if (!value.ok) return value;
    const problem = headerValueProblem(value.value);
    if (problem !== undefined) {
      return err(misconfigured(`the secret ${header.secret} can't be sent as ${header.name}: it ${problem}`));
    }
    secrets.set(header.secret, value.value);
  }
  return ok(secrets);
}

/** Of no token, only a stand-in hears: by name, as people do. */
function credentialsOf(
  auth: TargetAuth | undefined,
  token: string | undefined,
  io: TargetIo,
): Result<Authorization, Outcome> {
  if (auth === undefined) return ok({ value: "", secrets: [] });
  if (auth.kind === "oauth2") {
    if (token === undefined) return ok({ value: shownAuthorization(auth), secrets: [] });
    return ok({ value: `Bearer ${token}`, secrets: [token] });
  }
  const made = authorization(auth, (name) => {
    const value = io.secret(name);
    return value === undefined || value === "" ? err(`the secret ${name} is not set`) : ok(value);
  });
  return made.ok ? made : err(misconfigured(made.error));
}

interface SigningKeys {
  readonly keys: readonly SigningKey[];
  readonly secrets: readonly string[];
}

function signingKeys(config: HttpConfig, io: TargetIo): Result<SigningKeys, Outcome> {
  const keys: SigningKey[] = [];
  const secrets: string[] = [];
  for (const name of config.signingSecrets) {
    const secret = secretValue(name, io);
    if (!secret.ok) return secret;
    const key = signingKey(secret.value, io.hashing);
    if (!key.ok) return err(misconfigured(`the secret ${name} ${key.error}`));
    keys.push(key.value);
    secrets.push(secret.value);
  }
  return ok({ keys, secrets });
}

export function secretValue(name: string, io: TargetIo): Result<string, Outcome> {
  const value = io.secret(name);
  return value === undefined || value === "" ? err(misconfigured(`the secret ${name} is not set`)) : ok(value);
}

export function misconfigured(detail: string): Outcome {
  return { kind: "permanent", reason: "configuration", detail };
}
