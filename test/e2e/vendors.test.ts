/** Every vendor's webhook through the real router, over HTTP: accepted, delivered, and refused when it is not what was signed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Router } from "../../bin/local/router.ts";
import { startRouter } from "../../bin/local/router.ts";
import type { JsonObject } from "../../src/core/result.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { SourceRequest } from "../../src/core/source.ts";
import { sources } from "../support/kinds.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { SECRETS, waitFor } from "../support/router-process.ts";
import { OTHER_SECRET, SECRET, configOf, secretOf, signedWebhook } from "../support/signed-webhook.ts";

const descriptions = Object.values(sources).flatMap((source): readonly WebhookDescription[] =>
  "description" in source ? [source.description as WebhookDescription] : [],
);

/** Each vendor has a key of its own form, and so secrets of its own name. */
const secretName = (kind: string): string => `SECRET_OF_${kind.replaceAll("-", "_").toUpperCase()}`;

const secrets = Object.fromEntries(
  descriptions.map(({ kind, signature }) => [secretName(kind), secretOf(signature)] as const),
);

const document: RulesDocument = {
  version: "test",
  sources: descriptions.map((description) => {
    const { kind } = description;
    const entry = { ...configOf(description), secrets: [secretName(kind)] } as JsonObject;
    return { name: kind, kind, bus: "default", entry };
  }),
  targets: [
    {
      name: "sink",
      kind: "http",
      entry: { http: "https://sink.example.com/", local: "print" },
      timeoutMs: 15_000,
      retryDelaysMs: [],
      maxAgeMs: 60_000,
    },
  ],
  rules: [
    { path: "default/all", bus: "default", pattern: { source: [{ prefix: "" }] }, targets: ["sink"], mode: "live" },
  ],
};

let stateDir: string;
let sink: TestServer;
let router: Router;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "sluice-vendors-"));
  sink = await startServer((response) => response.writeHead(204).end());
  router = await startRouter({
    document,
    port: 0,
    host: "127.0.0.1",
    stateDir,
    secrets: { ...SECRETS, ...secrets, [OTHER_SECRET]: "other" },
    queues: [],
    printUrl: sink.url,
    onLog: () => {},
  });
}, 60_000);

afterAll(async () => {
  await router.close();
  await sink.close();
  await rm(stateDir, { recursive: true, force: true });
});

function webhookOf(description: WebhookDescription): SourceRequest {
  return signedWebhook(description, { now: Date.now(), url: `${router.url}/webhooks/${description.kind}?from=test` });
}

async function send({ method, url, headers, body }: SourceRequest): Promise<number> {
  const response = await fetch(url, { method, headers, body: body as Uint8Array<ArrayBuffer> });
  await response.arrayBuffer();
  return response.status;
}

it("there are at least thirty vendors", () => {
  expect(descriptions.length).toBeGreaterThanOrEqual(30);
  expect(secrets).not.toHaveProperty(SECRET);
});

describe.each(descriptions.map((description) => [description.kind, description] as const))(
  "%s",
  (kind, description) => {
    it("is accepted and delivered, and refused when its signature is another's", async () => {
      const { signature: scheme, answer, unauthenticatedStatus = 401 } = description;
      const genuine = webhookOf(description);
      expect(await send(genuine)).toBe(answer?.status ?? 202);
      const delivered = await waitFor(`the delivery of ${kind}`, () =>
        sink.requests.find(({ headers }) => String(headers["ce-type"]).startsWith(description.type)),
      );
      expect(JSON.parse(delivered.body.toString())).toBeTypeOf("object");

      const change = (text: string): string => (text.startsWith("a") ? "b" : "a") + text.slice(1);
      const url = `${router.url}/webhooks/${kind}?from=test`;
      const forged = signedWebhook(description, { now: Date.now(), url, change });
      expect(await send(forged), scheme.algorithm).toBe(unauthenticatedStatus);
    });
  },
);
