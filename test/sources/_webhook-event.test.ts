import { describe, expect, it } from "vitest";
import { webhookSource } from "../../src/sources/_webhook-source.ts";
import { contextWith, requestOf } from "./_context.ts";

const source = webhookSource({
  kind: "made-up",
  vendor: "Made Up",
  signature: { algorithm: "hmac-sha256", encoding: "hex", signature: { header: "x-signature" }, content: "{body}" },
  type: "com.example",
  source: "https://example.com",
  map: () => ({ type: "thing", id: undefined }),
  volatile: ["attempt"],
});

function received(body: string) {
  const config = source.parse({ auth: "none" });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const request = requestOf({ "content-type": "application/json" }, body);
  const result = source.receive(request, config.value, "made-up", contextWith());
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const [one] = result.value.events;
  return { id: one?.event.attributes.id, fingerprint: one?.fingerprint.hash };
}

describe("an event of a vendor whose payload has volatile members", () => {
  it("is the same when only those differ", () => {
    expect(received('{"n":1,"attempt":1}')).toEqual(received('{"n":1,"attempt":2}'));
    expect(received('{"attempt":1,"n":1}')).toEqual(received('{"n":1}'));
  });

  it.each([
    ['{"n":12345678901234567890,"attempt":1}', '{"n":12345678901234567891,"attempt":1}'],
    ['{"n":1,"attempt":1}', '{"n":2,"attempt":1}'],
    ['{"n":{"attempt":1}}', '{"n":{"attempt":2}}'],
    ['{"n":1}', '{"n":"1"}'],
  ])("is another when anything else does, as far as it may be beyond JavaScript's numbers: %s and %s", (one, other) => {
    expect(received(one).id).not.toBe(received(other).id);
    expect(received(one).fingerprint).not.toBe(received(other).fingerprint);
  });
});
