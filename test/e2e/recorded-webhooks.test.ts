/**
 * Every vendor through the whole router as its users run it: its first recorded webhook, signed for now, is accepted with the vendor's
 * own status and becomes the right event; a tampered or an old one is refused; its handshakes are answered.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sources } from "../support/kinds.ts";
import type { JsonObject } from "../../src/core/result.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace } from "../support/router-process.ts";
import type { Signer } from "../support/sign-again.ts";
import { createSigner } from "../support/sign-again.ts";
import type { VectorCase, VectorRequest } from "../support/webhook-vectors.ts";
import { readVectors, vectorRequest } from "../support/webhook-vectors.ts";

const VECTORS = new URL("../conformance/webhooks/", import.meta.url);
/** No tolerance reaches so far back. */
const LONG_AGO_MS = Date.UTC(2020, 1, 1);

interface Described {
  readonly description: WebhookDescription;
  readonly schema: JsonObject;
}

interface Vendor {
  readonly kind: string;
  readonly description: WebhookDescription;
  readonly signer: Signer;
  readonly entry: JsonObject;
  /** By the names that the entry has. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Those that the entry and the secrets are right for. */
  readonly cases: readonly VectorCase[];
  readonly genuine: VectorCase;
}

const vendors = Object.values(sources).flatMap((source) =>
  "description" in source ? [vendorOf(source as unknown as Described)] : [],
);

function vendorOf({ description, schema }: Described): Vendor {
  const { kind } = description;
  const file = readVectors(readFileSync(fileURLToPath(new URL(`${kind}.json`, VECTORS).href), "utf8"));
  const cases = file.cases.filter(({ entry, secrets }) => entry === undefined && secrets === undefined);
  // Where the address is signed, one that was tampered with at the same address.
  const tampered = cases.filter((each) => each.kind === "tampered").map(urlOf);
  const genuine = cases.find((each) => each.kind === "genuine" && tampered.includes(urlOf(each)));
  if (genuine === undefined) throw new Error(`${kind} has no genuine case by its file's own secrets`);
  const [name = ""] = file.entry["secrets"] as readonly string[];
  const signer = createSigner(description, file.secrets[name] ?? "");
  // One router has them all, so each name becomes the vendor's own.
  const own = (text: string) => `${kind.toUpperCase().replaceAll("-", "_")}_${text}`;
  const secrets = Object.entries({ ...file.secrets, [name]: signer.secret }).map(([each, value]) => [own(each), value]);
  const named = Object.entries(file.entry).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.map(own) : key === description.otherSecret?.key ? own(String(value)) : value,
  ]);
  const takesUrl = Object.hasOwn(schema["properties"] as JsonObject, "url");
  const url = takesUrl ? { url: urlOf(genuine) } : {};
  return {
    kind,
    description,
    signer,
    entry: { kind, ...url, ...(Object.fromEntries(named) as JsonObject) },
    secrets: Object.fromEntries(secrets) as Record<string, string>,
    cases,
    genuine,
  };
}

function urlOf({ request }: VectorCase): string {
  return vectorRequest(request).url;
}

let workspace: Workspace;
let router: RouterProcess;

beforeAll(async () => {
  workspace = await createWorkspace();
  const entries = vendors.map(({ kind, entry }) => `${kind}: ${JSON.stringify(entry)}\n`);
  await workspace.writeRules({ "sources.yaml": entries.join(""), "targets.yaml": "" });
  const secrets = vendors.flatMap(({ secrets }) => Object.entries(secrets));
  // A value may have either kind of quotes, but none has both.
  const lines = secrets.map(([name, value]) => (value.includes('"') ? `${name}='${value}'\n` : `${name}="${value}"\n`));
  await writeFile(join(workspace.dir, ".dev.vars"), lines.join(""));
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
});

/** Sends it to the vendor's source; the query of the recorded address stays. */
function send(kind: string, request: VectorRequest): Promise<Response> {
  const { method, url, headers, body } = vectorRequest(request);
  return fetch(`${router.url}/webhooks/${kind}${new URL(url).search}`, {
    method,
    headers,
    ...(method === "POST" ? { body: body as BodyInit } : {}),
  });
}

describe("through the router", () => {
  it("are at least 40 vendors", () => expect(vendors.length).toBeGreaterThanOrEqual(40));

  it.each(vendors)("$kind: what is genuine is accepted, as the event that it is", async (vendor) => {
    const { kind, description, signer, genuine } = vendor;
    const response = await send(kind, signer.signAgain(genuine.request, Date.now()));
    expect([response.status, await response.text()]).toEqual([description.answer?.status ?? 202, expect.anything()]);
    const types = (genuine.expect.events ?? []).map(({ type }) => type);
    expect(types.length).toBeGreaterThan(0);
    const { events } = await admin<{ events: readonly { from: string; event: { type: string } }[] }>(
      router.url,
      `events?type=${String(types[0])}`,
    );
    expect(events.filter(({ from }) => from === kind).map(({ event }) => event.type)).toContain(types[0]);
  });

  it.each(vendors)("$kind: what is tampered with is refused", async ({ kind, description, entry, cases }) => {
    // The router takes every request for one to the genuine one's address, where that is signed.
    const isThere = (each: VectorCase) => entry["url"] === undefined || urlOf(each) === entry["url"];
    const tampered = cases.filter(
      (each) => each.kind === "tampered" && each.expect.reason === "wrong-signature" && isThere(each),
    );
    expect(tampered.length).toBeGreaterThan(0);
    for (const { request } of tampered) {
      const response = await send(kind, request);
      expect(response.status).toBe(description.unauthenticatedStatus ?? 401);
      expect(await response.json()).toMatchObject({ type: "urn:sluice:problem:wrong-signature" });
    }
  });

  const timed = vendors.filter(({ description: { signature } }) => signature.timestamp !== undefined);
  it.each(timed)("$kind: what was signed years ago is refused", async ({ kind, description, signer, genuine }) => {
    const response = await send(kind, signer.signAgain(genuine.request, LONG_AGO_MS));
    expect(response.status).toBe(description.unauthenticatedStatus ?? 401);
    expect(await response.json()).toMatchObject({ type: "urn:sluice:problem:stale-timestamp" });
  });

  const isAnswered = ({ kind, expect: { answer } }: VectorCase) => kind === "handshake" && answer !== undefined;
  const asking = vendors.filter(({ cases }) => cases.some(isAnswered));
  it.each(asking)("$kind: its handshakes are answered", async ({ kind, cases, signer }) => {
    for (const { request, expect: wanted } of cases.filter(isAnswered)) {
      // One that isn't signed stays so.
      const isSigned = request.method === undefined && hasSignature(request);
      const response = await send(kind, isSigned ? signer.signAgain(request, Date.now()) : request);
      expect([response.status, await response.text()]).toEqual([wanted.answer?.status, wanted.answer?.body ?? ""]);
      expect(Object.fromEntries(response.headers)).toMatchObject(wanted.answer?.headers ?? {});
    }
  });

  it("answers an empty list of events with an empty list of receipts", async () => {
    const heartbeat = vendors
      .find(({ kind }) => kind === "asana")
      ?.cases.find(({ request }) => request.body === '{"events":[]}');
    if (heartbeat === undefined) throw new Error("Asana's heartbeat is recorded");
    const response = await send("asana", heartbeat.request);
    expect([response.status, await response.json()]).toEqual([202, []]);
  });
});

function hasSignature({ headers }: VectorRequest): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase().includes("signature"));
}
