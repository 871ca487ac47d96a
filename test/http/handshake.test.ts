/** GET requests of vendors that ask the address whether it is theirs to use. */
import { describe, expect, it } from "vitest";
import { hashing } from "../../src/hashing.ts";
import type { IngestPorts } from "../../src/http/ingest.ts";
import { answerHandshake } from "../../src/http/ingest.ts";
import meta from "../../src/sources/meta.ts";

async function ask(query: string) {
  const config = meta.parse({ secrets: ["APP_SECRET"], "verify-token": "VERIFY_TOKEN" });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const verified: unknown[] = [];
  const rejected: string[] = [];
  const ports = {
    ruleSet: { source: () => ({ source: meta, config: config.value }) },
    now: () => 0,
    hashing,
    secret: (name: string) => (name === "VERIFY_TOKEN" ? "open sesame" : undefined),
    later: () => {},
    admit: async () => {},
    recordVerification: async (source: string, secrets: readonly string[]) => void verified.push({ source, secrets }),
    recordRejection: async (_source: string, { reason }: { reason: string }) => void rejected.push(reason),
  } as unknown as IngestPorts;
  const url = `https://sluice.example.com/webhooks/chats?hub.mode=subscribe&hub.challenge=17&${query}`;
  const answer = await answerHandshake(new Request(url), "chats", ports);
  return { status: answer.status, text: await answer.text(), verified, rejected };
}

describe("a handshake with a token", () => {
  it("that is right is answered, and noted as a use of its secret", async () => {
    expect(await ask("hub.verify_token=open+sesame")).toEqual({
      status: 200,
      text: "17",
      verified: [{ source: "chats", secrets: ["VERIFY_TOKEN"] }],
      rejected: [],
    });
  });

  it("that is wrong is refused, and is no use of a secret", async () => {
    expect(await ask("hub.verify_token=open+barley")).toMatchObject({
      status: 403,
      verified: [],
      rejected: ["wrong-challenge"],
    });
  });
});
