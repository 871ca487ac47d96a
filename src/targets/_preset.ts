/**
 * A kind of target that speaks to one vendor over HTTP: chats and APIs. The vendor's file says what a message is, what it must
 * hold and what the answers mean; from that, this makes the target: one POST per attempt, its secrets kept out of every record,
 * and a preview that is the same request with names in place of secrets.
 */
import type { Outcome } from "../core/outcome.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Hashing } from "../core/source.ts";
import type { LocalMode, Preview, Shipment, Target, TargetEntry, TargetIo } from "../core/target.ts";
import { ANSWER_BYTES_MAX, outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import { exchange, shownAnswer } from "./_http-exchange.ts";
import { HTTP_METHOD } from "./_http-request.ts";
import type { HttpRequest } from "./_http-request.ts";
import type { MessageProblem } from "./_preset-content.ts";
import type { TargetUrl } from "./_url.ts";
import { tellingParts } from "./_webhook-url.ts";

const USER_AGENT = "Sluice/1";

/** Of every entry. */
export interface PresetConfig {
  /** Takes the place of the vendor's URL under `npm start`. */
  readonly local: TargetUrl | "print" | undefined;
}

/** Secrets, the time and signatures: themselves when a request is sent, their names when it is shown. */
export interface Values {
  readonly secret: (name: string) => string;
  readonly time: (write: (nowMs: number) => string) => string;
  /** `name`: the secret that it is signed with. */
  readonly signature: (name: string, sign: (secret: string, nowMs: number, hashing: Hashing) => string) => string;
}

/** A request but for what all of them have: the method, the content type and the delivery's id. */
export interface PresetRequest {
  readonly url: string;
  /** Goes to the end of the URL; not escaped yet. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

export interface Preset<Config extends PresetConfig> extends TargetEntry<Config> {
  readonly kind: string;
  readonly secretNames: (config: Config) => readonly string[];
  /** The secret that says where to send, which nobody asks for where `local` takes its place. */
  readonly urlSecret: (config: Config) => string | undefined;
  /** What is wrong with a secret's value, going on from "the secret X"; it never repeats the value. */
  readonly secretProblem: (name: string, value: string, config: Config) => string | undefined;
  readonly urls: (config: Config) => readonly string[];
  readonly localOnly?: (config: Config) => readonly string[];
  /** The vendor's URL for this target. */
  readonly endpoint: (config: Config, secret: Values["secret"]) => string;
  /** The message as JSON, or why there is none that the vendor would take. */
  readonly message: (shipment: Shipment, config: Config) => Result<string, MessageProblem>;
  /** The message with what depends on the time and on secrets. `url` is the endpoint, or what is in its place. */
  readonly request?: (url: string, message: string, config: Config, values: Values) => PresetRequest;
  /** What the vendor's answer means; `now` in milliseconds since the epoch. */
  readonly outcomeOf: (answer: HttpAnswer, now: number) => Outcome;
}

export function presetTarget<Config extends PresetConfig>(preset: Preset<Config>): Target<Config> {
  const { localOnly = () => [] } = preset;
  return {
    ...preset,
    queueBindings: () => [],
    serviceBindings: () => [],
    localOnly,
    preview: (shipment, config, { local }) => preview(preset, shipment, config, local),
    send: (shipment, config, timeoutMs, io) => send(preset, shipment, config, timeoutMs, io),
  };
}

async function send<Config extends PresetConfig>(
  preset: Preset<Config>,
  shipment: Shipment,
  config: Config,
  timeoutMs: number,
  io: TargetIo,
): Promise<Outcome> {
  const signal = io.timeoutSignal(timeoutMs);
  const prepared = prepare(preset, shipment, config, io);
  if (!prepared.ok) return prepared.error;
  const exchanged = await exchange(prepared.value, { signal, timeoutMs, bytesMax: () => ANSWER_BYTES_MAX }, io);
  if (!exchanged.ok) return exchanged.error;
  const answer = shownAnswer(exchanged.value, prepared.value);
  // What stands in for the vendor need not know its words: nothing said is nothing wrong.
  const isStandIn = io.local !== undefined && config.local !== undefined && answer.body === "";
  return isStandIn ? outcomeOfAnswer(answer, io.now()) : preset.outcomeOf(answer, io.now());
}

function prepare<Config extends PresetConfig>(
  preset: Preset<Config>,
  shipment: Shipment,
  config: Config,
  io: TargetIo,
): Result<HttpRequest, Outcome> {
  const message = messageOf(preset, shipment, config, io.local);
  if (!message.ok) return err({ kind: "permanent", ...message.error });
  const localUrl = localUrlOf(config, io.local);
  const known = secretsOf(preset, config, localUrl !== undefined, io);
  if (!known.ok) return err({ kind: "permanent", reason: "configuration", detail: known.error });
  const secret = (name: string): string => known.value.get(name) ?? "";
  const hidden = [...known.value.values()];
  const now = io.now();
  const endpoint = localUrl ?? preset.endpoint(config, secret);
  if (localUrl === undefined && preset.urlSecret(config) !== undefined) hidden.push(...tellingParts(endpoint));
  const request = requestOf(preset, endpoint, message.value, config, {
    secret,
    time: (write) => write(now),
    signature: (name, sign) => {
      const signature = sign(secret(name), now, io.hashing);
      hidden.push(signature);
      return signature;
    },
  });
  const url = withQuery(request, encodeURIComponent);
  const headers = headersOf(shipment, request);
  return ok({ url, headers, body: new TextEncoder().encode(request.body), secrets: hidden });
}

function preview<Config extends PresetConfig>(
  preset: Preset<Config>,
  shipment: Shipment,
  config: Config,
  local: LocalMode | undefined,
): Preview {
  const secret = (name: string): string => `<secret ${name}>`;
  const endpoint = localUrlOf(config, local) ?? preset.endpoint(config, secret);
  const message = messageOf(preset, shipment, config, local);
  const request = requestOf(preset, endpoint, message.ok ? message.value : "{}", config, {
    secret,
    time: () => "<time of sending>",
    signature: (name) => `<signed with ${name}>`,
  });
  const url = withQuery(request, String);
  return {
    action: `${HTTP_METHOD} ${url}`,
    method: HTTP_METHOD,
    url,
    headers: headersOf(shipment, request),
    body: message.ok ? new TextEncoder().encode(request.body) : null,
    ...(message.ok ? {} : { problem: message.error.detail }),
  };
}

function messageOf<Config extends PresetConfig>(
  preset: Preset<Config>,
  shipment: Shipment,
  config: Config,
  local: LocalMode | undefined,
): Result<string, MessageProblem | { readonly reason: "configuration"; readonly detail: string }> {
  const unreachable = local === undefined ? preset.localOnly?.(config)[0] : undefined;
  if (unreachable !== undefined) return err({ reason: "configuration", detail: unreachable });
  return preset.message(shipment, config);
}

function requestOf<Config extends PresetConfig>(
  preset: Preset<Config>,
  url: string,
  message: string,
  config: Config,
  values: Values,
): PresetRequest {
  return preset.request?.(url, message, config, values) ?? { url, body: message };
}

function withQuery({ url, query = {} }: PresetRequest, escape: (value: string) => string): string {
  const added = Object.entries(query).map(([name, value]) => `${name}=${escape(value)}`);
  return added.length === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}${added.join("&")}`;
}

function headersOf({ deliveryId }: Shipment, { headers }: PresetRequest): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json; charset=utf-8",
    "user-agent": USER_AGENT,
    "webhook-id": deliveryId,
    ...headers,
  };
}

function localUrlOf(config: PresetConfig, local: LocalMode | undefined): string | undefined {
  if (local === undefined || config.local === undefined) return undefined;
  return config.local === "print" ? local.printUrl : config.local.url;
}

/** The values of the secrets that a request needs, each fit for its place, or what is wrong with one. */
function secretsOf<Config extends PresetConfig>(
  preset: Preset<Config>,
  config: Config,
  hasLocalUrl: boolean,
  io: TargetIo,
): Result<ReadonlyMap<string, string>, string> {
  const values = new Map<string, string>();
  for (const name of preset.secretNames(config)) {
    if (hasLocalUrl && name === preset.urlSecret(config)) continue;
    // `echo … | wrangler secret put` ends with a line break.
    const value = io.secret(name)?.trim() ?? "";
    if (value === "") return err(`the secret ${name} is not set`);
    const problem = preset.secretProblem(name, value, config);
    if (problem !== undefined) return err(`the secret ${name} ${problem}${localHint(io)}`);
    values.set(name, value);
  }
  return ok(values);
}

function localHint({ local }: TargetIo): string {
  return local === undefined ? "" : "; with local: print in its entry, npm start shows what it would get";
}
