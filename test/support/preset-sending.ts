/** Sends one event by a vendor's kind of target, to a fetch that answers as the test says, and tells what was sent. */
import type { CloudEvent } from "../../src/core/event.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import type { Shipment, Target, TargetIo } from "../../src/core/target.ts";
import { eventWith, secretsFrom, shipmentOf, targetIo } from "./target-io.ts";
import { VENDORS, VENDOR_SUCCESS } from "./vendors.ts";

export interface Sending {
  /** Beside the shortest entry. */
  readonly entry?: JsonObject;
  /** What the rule's transform made, as JSON; absent when there is none. */
  readonly made?: Json;
  readonly event?: CloudEvent;
  readonly shipment?: Partial<Shipment>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly io?: Partial<TargetIo>;
  readonly answer?: { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };
}

export interface Sent {
  readonly outcome: Outcome;
  /** Undefined when nothing was sent. */
  readonly url: string | undefined;
  readonly headers: Headers;
  readonly text: string;
  readonly body: JsonObject;
}

export function configOf<Config>(target: Target<Config>, entry: JsonObject = {}): Config {
  const parsed = target.parse({ ...VENDORS[target.kind]?.entry, ...entry });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

export async function sendBy<Config>(target: Target<Config>, sending: Sending = {}): Promise<Sent> {
  const { entry, made, shipment, io, answer = {} } = sending;
  const base = sending.event ?? eventWith('{"html_url":"https://github.com/octocat/hello/pull/1"}');
  const transformed = made === undefined ? {} : ({ transformed: true } as const);
  const event = made === undefined ? base : { ...base, body: new TextEncoder().encode(JSON.stringify(made)) };
  let url: string | undefined;
  let headers = new Headers();
  let text = "";
  const fetch: TargetIo["fetch"] = async (to, init) => {
    url = to;
    headers = new Headers(init.headers);
    text = await new Response(init.body as Uint8Array<ArrayBuffer>).text();
    const { status = 200, headers: answered = {}, body = VENDOR_SUCCESS } = answer;
    return new Response(status === 204 ? null : body, { status, headers: answered });
  };
  const secret = secretsFrom({ ...VENDORS[target.kind]?.secrets, ...sending.secrets });
  const outcome = await target.send(
    shipmentOf(event, { ...transformed, ...shipment }),
    configOf(target, entry),
    1_000,
    targetIo({ now: () => 1_700_000_000_000, secret, fetch, ...io }),
  );
  return { outcome, url, headers, text, body: text === "" ? {} : (JSON.parse(text) as JsonObject) };
}

/** An answer as `outcomeOf…` gets it. */
export function answerOf(status: number, body = "", headers: Record<string, string> = {}) {
  return { status, headers: new Headers(headers), location: undefined, body };
}
