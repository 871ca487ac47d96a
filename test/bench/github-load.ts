/** What benches send and where it arrives: signed GitHub payloads over kept connections, and a target that counts. */
import { createHmac } from "node:crypto";
import type { Agent } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { GithubExample } from "../support/github-examples.ts";
import { githubExamples } from "../support/github-examples.ts";
import { SECRETS } from "../support/router-process.ts";

/** Payloads of 5 to 25 kB, about 10 kB in the mean. */
export function middlingExamples(): readonly GithubExample[] {
  return githubExamples().filter(({ body }) => body.length > 5_000 && body.length < 25_000);
}

/** Answers the HTTP status. */
export function postSigned(url: string, agent: Agent, { event, body }: GithubExample, id: string): Promise<number> {
  const signature = createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-github-event": event,
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${signature}`,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/webhooks/github`, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

export interface CountingTarget {
  readonly url: string;
  readonly received: () => number;
  readonly close: () => void;
}

export async function startCountingTarget(): Promise<CountingTarget> {
  let count = 0;
  const server = createServer((incoming, response) => {
    incoming.resume().on("end", () => {
      count += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received: () => count,
    close: () => server.close(),
  };
}
