/** The Worker under test, called as its users call it: signed webhooks, CloudEvents, the admin API. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import examplesText from "@octokit/webhooks-examples/api.github.com/index.json?raw";
import type { AdminPartitionPort, PartitionPort } from "../../src/bus/ports.ts";
import { parseReceipt } from "../../src/core/receipt.ts";
import { hashing } from "../../src/hashing.ts";
import worker from "../../src/index.ts";

const ORIGIN = "https://sluice.example";
const PROBLEM_TYPE = "urn:sluice:problem:";

export type Headers = Readonly<Record<string, string>>;

export interface Call {
  readonly method?: string;
  readonly headers?: Headers;
  readonly body?: BodyInit | null;
}

export interface Receipt {
  readonly id: string;
  readonly status: "accepted" | "duplicate" | "conflict";
  readonly rules: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: globalThis.Headers;
  readonly text: string;
  readonly json: unknown;
}

function requestOf(path: string, { method = "POST", headers = {}, body = null }: Call = {}): Request {
  return new Request(ORIGIN + path, { method, headers, body });
}

/** Sends a request to the Worker and reads its whole answer. */
export async function send(path: string, call: Call = {}): Promise<Answer> {
  return read(await exports.default.fetch(requestOf(path, call)));
}

/** Calls the Worker directly with other bindings, so that a test can take one away or stand between it and its partitions. */
export async function sendWith(bindings: Readonly<Record<string, unknown>>, path: string, call: Call): Promise<Answer> {
  const ctx = createExecutionContext();
  const handler = worker as Required<Pick<ExportedHandler<unknown>, "fetch">>;
  const request = requestOf(path, call) as unknown as Parameters<typeof handler.fetch>[0];
  const answer = await read(await handler.fetch(request, { ...env, ...bindings }, ctx));
  // A refusal is not waited for: its record is written a second later.
  if (answer.status < 300) await waitOnExecutionContext(ctx);
  return answer;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = text !== "" && /\bjson\b/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

/** `<status> <name>` of an answer that is a problem document in every respect; else what it is instead. */
export function problemOf({ status, headers, text, json }: Answer): string {
  const members = Object.keys(json ?? {}).toSorted((a, b) => (a < b ? -1 : 1));
  const problem = json as { readonly type: string; readonly status: number } | undefined;
  const isProblem =
    headers.get("content-type") === "application/problem+json" &&
    members.join() === "detail,status,title,type" &&
    problem?.status === status &&
    problem.type.startsWith(PROBLEM_TYPE);
  return isProblem ? `${status} ${problem.type.slice(PROBLEM_TYPE.length)}` : `no problem document: ${status} ${text}`;
}

export function receiptOf(answer: Answer): Receipt {
  expect({ status: answer.status, json: answer.json }).toMatchObject({ status: 202, json: { id: expect.any(String) } });
  expect(new Set(Object.keys(answer.json as object))).toEqual(new Set(["id", "status", "rules"]));
  return answer.json as Receipt;
}

export interface Example {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Payloads that GitHub's documentation publishes. */
export const githubExamples: readonly Example[] = (
  JSON.parse(examplesText) as readonly { name: string; examples: readonly Example["payload"][] }[]
).flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));

export function githubExample(name: string): Example["payload"] {
  const found = githubExamples.find((example) => example.name === name);
  if (found === undefined) throw new Error(`no example of ${name}`);
  return found.payload;
}

export function githubSignature(body: string | Uint8Array, secret = env.GITHUB_WEBHOOK_SECRET): string {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const mac = hashing.hmacSha256(secret, bytes);
  return `sha256=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** A webhook as GitHub sends it; `without` names headers to leave out. */
export function githubCall(
  event: string,
  body: string | Uint8Array,
  headers: Headers = {},
  without: readonly string[] = [],
): Call {
  const all: Record<string, string> = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/0123456",
    "x-github-event": event,
    "x-github-delivery": crypto.randomUUID(),
    "x-github-hook-id": "1001",
    "x-hub-signature-256": githubSignature(body),
    ...headers,
  };
  for (const name of without) delete all[name];
  return { headers: all, body: body as string | Uint8Array<ArrayBuffer> };
}

/** A push to the branch of a repository of its own, so that the test owns the key. */
export function pushOf(repositoryId: number, branch = "main"): string {
  const payload = githubExample("push");
  const repository = { ...(payload["repository"] as object), id: repositoryId };
  return JSON.stringify({ ...payload, ref: `refs/heads/${branch}`, repository });
}

export const ingestToken = (): Headers => ({ authorization: `Bearer ${env.INGEST_TOKEN}` });
export const adminToken = (): Headers => ({ authorization: `Bearer ${env.ADMIN_TOKEN}` });

export const STRUCTURED = "application/cloudevents+json";
export const BATCH = "application/cloudevents-batch+json";

export interface EventFields {
  readonly id: string;
  readonly source?: string;
  readonly type?: string;
  readonly [attribute: string]: unknown;
}

/** An event in the JSON format; `com.example.order.placed` unless told, which one of the sample rules matches. */
export function eventOf(fields: EventFields): Readonly<Record<string, unknown>> {
  return { specversion: "1.0", source: "/tests", type: "com.example.order.placed", ...fields };
}

export function structuredCall(event: unknown, headers: Headers = {}): Call {
  return { headers: { ...ingestToken(), "content-type": STRUCTURED, ...headers }, body: JSON.stringify(event) };
}

export function batchCall(events: readonly unknown[]): Call {
  return { headers: { ...ingestToken(), "content-type": BATCH }, body: JSON.stringify(events) };
}

export function binaryCall(
  { id, source = "/tests", type = "com.example.order.placed" }: EventFields,
  body: BodyInit | null,
  headers: Headers = {},
): Call {
  const event = { "ce-specversion": "1.0", "ce-id": id, "ce-source": source, "ce-type": type };
  return { headers: { ...ingestToken(), "content-type": "application/json", ...event, ...headers }, body };
}

/** Reads an admin route that must answer 200. */
export async function admin<Body>(path: string): Promise<Body> {
  const answer = await send(`/api${path}`, { method: "GET", headers: adminToken() });
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  return answer.json as Body;
}

export interface ShownDelivery {
  readonly delivery: string;
  readonly rule: string;
  readonly target: string;
  readonly state: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly attemptCount: number;
  readonly attempts: readonly Readonly<Record<string, unknown>>[];
}

export interface ShownEvent {
  readonly id: string;
  readonly acceptedAt: string;
  readonly status: string;
  readonly from: string;
  readonly bus: string;
  readonly rules: readonly string[];
  readonly event: Readonly<Record<string, unknown>>;
  readonly deliveries: readonly ShownDelivery[];
}

export function eventById(id: string): Promise<ShownEvent> {
  return admin(`/events/${id}`);
}

/** Waits until an event has this status: deliveries go on after the answer. */
export async function eventWithStatus(id: string, status: string): Promise<ShownEvent> {
  return vi.waitFor(
    async () => {
      const event = await eventById(id);
      expect(event.status, JSON.stringify(event.deliveries)).toBe(status);
      return event;
    },
    { timeout: 5_000, interval: 25 },
  );
}

export function stubOf(partition: string) {
  return env.PARTITION.get(env.PARTITION.idFromName(partition));
}

/** A partition as the Worker sees it. */
export function partition(name: string): PartitionPort & AdminPartitionPort {
  return stubOf(name) as unknown as PartitionPort & AdminPartitionPort;
}

export function partitionOfReceipt(id: string): { readonly partition: string; readonly seq: number } {
  const parts = parseReceipt(id);
  if (parts === null) throw new Error(`no receipt: ${id}`);
  return parts;
}

export interface SentRequest {
  readonly url: string;
  readonly headers: globalThis.Headers;
  readonly body: string;
}

/** Stands in for the targets: answers what `respond` says and keeps what was sent. */
export function answerTargets(respond: (request: SentRequest) => Response | Promise<Response>): SentRequest[] {
  const sent: SentRequest[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as RequestInfo, init as RequestInit);
    const kept = { url: request.url, headers: request.headers, body: await request.text() };
    sent.push(kept);
    return respond(kept);
  });
  return sent;
}
