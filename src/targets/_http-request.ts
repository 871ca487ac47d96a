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
import { signingKey, webhookSignature } from "./_standard-webhooks.ts";
import type { TargetUrl } from "./_url.ts";

export const HTTP_METHOD = "POST";

const USER_AGENT = "Sluice/1";

export interface HttpConfig {
  readonly target: TargetUrl;
  readonly local: TargetUrl | "print" | undefined;
  readonly format: HttpFormat;
  readonly headers: readonly TargetHeader[];
  readonly signingSecrets: readonly string[];
}

/** A request ready to be sent, and what of it must not appear in any record. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly secrets: readonly string[];
}

/** A header's value, or what it is made of once there are a time and secrets. */
type DraftValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "secret"; readonly secret: string }
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
  headers.set("webhook-id", textOf(shipment.deliveryId));
  headers.set("webhook-timestamp", { kind: "time" });
  if (config.signingSecrets.length > 0) headers.set("webhook-signature", { kind: "signature" });
  const problem = local === undefined ? localOnly(config)[0] : undefined;
  return { url: urlOf(config, local), problem, headers, body: content.body };
}

function textOf(text: string): DraftValue {
  return { kind: "text", text };
}

function urlOf(config: HttpConfig, local: LocalMode | undefined): string {
  if (local === undefined) return config.target.url;
  if (config.local === "print") return local.printUrl;
  return (config.local ?? config.target).url;
}

/** Why the configuration works on a laptop only. */
export function localOnly(config: HttpConfig): readonly string[] {
  if (!config.target.isLoopback) return [];
  return [`its URL names this machine (${new URL(config.target.url).host}), which nothing deployed can reach`];
}

/** The request with its secrets and the time, or why it can't be made. */
export function prepareRequest(shipment: Shipment, config: HttpConfig, io: TargetIo): Result<HttpRequest, Outcome> {
  const draft = draftOf(shipment, config, io.local);
  if (draft.problem !== undefined) return err(misconfigured(draft.problem));
  const custom = customSecrets(config, io);
  if (!custom.ok) return custom;
  const signing = signingKeys(config, io);
  if (!signing.ok) return signing;

  const secrets = [...custom.value.values(), ...signing.value.secrets];
  const timestampSeconds = Math.floor(io.now() / 1_000);
  const headers = complete(draft, {
    secret: (name) => custom.value.get(name) ?? "",
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
    time: () => "<time of sending>",
    signature: () => config.signingSecrets.map((name) => `v1,<signed with ${name}>`).join(" "),
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
  readonly time: () => string;
  readonly signature: () => string;
}

function complete({ headers }: Draft, { secret, time, signature }: Completion): ReadonlyMap<string, string> {
  const valueOf = (value: DraftValue): string => {
    switch (value.kind) {
      case "text":
        return value.text;
      case "secret":
        return secret(value.secret);
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

interface SigningKeys {
  readonly keys: readonly Uint8Array[];
  readonly secrets: readonly string[];
}

function signingKeys(config: HttpConfig, io: TargetIo): Result<SigningKeys, Outcome> {
  const keys: Uint8Array[] = [];
  const secrets: string[] = [];
  for (const name of config.signingSecrets) {
    const secret = secretValue(name, io);
    if (!secret.ok) return secret;
    const key = signingKey(secret.value);
    if (!key.ok) return err(misconfigured(`the secret ${name} ${key.error}`));
    keys.push(key.value);
    secrets.push(secret.value);
  }
  return ok({ keys, secrets });
}

function secretValue(name: string, io: TargetIo): Result<string, Outcome> {
  const value = io.secret(name);
  return value === undefined || value === "" ? err(misconfigured(`the secret ${name} is not set`)) : ok(value);
}

function misconfigured(detail: string): Outcome {
  return { kind: "permanent", reason: "configuration", detail };
}
