import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SIGNED_VALUE_CHARACTERS_MAX } from "../../src/core/signature-scheme.ts";
import hookdeck from "../../src/sources/hookdeck.ts";
import { contextWith, requestOf } from "./_context.ts";

const BODY = "{}";
const RIGHT = createHmac("sha256", "secret").update(BODY).digest("base64");

function reasonOf(headers: Readonly<Record<string, string>>): string {
  const parsed = hookdeck.parse({ secrets: ["SECRET"] });
  if (!parsed.ok) throw new Error("the entry is right");
  const request = requestOf({ "content-type": "application/json", ...headers }, BODY);
  const received = hookdeck.receive(request, parsed.value, "hookdeck", contextWith({ SECRET: "secret" }));
  return received.ok ? "accepted" : received.error.reason;
}

describe("a second signature while a secret is rolled", () => {
  it("counts as much as the first", () => {
    const wrong = createHmac("sha256", "other").update(BODY).digest("base64");
    expect(reasonOf({ "x-hookdeck-signature": RIGHT })).toBe("accepted");
    expect(reasonOf({ "x-hookdeck-signature": wrong })).toBe("wrong-signature");
    expect(reasonOf({ "x-hookdeck-signature": wrong, "x-hookdeck-signature-2": RIGHT })).toBe("accepted");
    expect(reasonOf({ "x-hookdeck-signature": RIGHT, "x-hookdeck-signature-2": "no base64" })).toBe("accepted");
  });

  it("may be as long as both together may be", () => {
    const rest = "A".repeat(SIGNED_VALUE_CHARACTERS_MAX - RIGHT.length);
    expect(reasonOf({ "x-hookdeck-signature": RIGHT, "x-hookdeck-signature-2": rest })).toBe("accepted");
    expect(reasonOf({ "x-hookdeck-signature": RIGHT, "x-hookdeck-signature-2": `${rest}A` })).toBe(
      "malformed-signature",
    );
  });
});
