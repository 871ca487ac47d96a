import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import { TOLERANCE_DEFAULT_MS } from "../../src/core/signature-scheme.ts";
import entryOf, {
  SIGNED_URL_CHARACTERS_MAX,
  TOLERANCE_MAX_MS,
  TOLERANCE_MIN_MS,
} from "../../src/sources/_webhook-entry.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";

const PLAIN: WebhookDescription = {
  kind: "made-up",
  vendor: "Made Up",
  signature: { algorithm: "hmac-sha256", encoding: "hex", signature: { header: "X-Signature" }, content: "{body}" },
  type: "com.example",
  source: "https://example.com",
  map: () => ({ type: undefined, id: undefined }),
};
const TIMED: WebhookDescription = {
  ...PLAIN,
  signature: {
    ...PLAIN.signature,
    content: "{url}{timestamp}{body}",
    values: { timestamp: { header: "X-Time" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  hasUnsignedId: true,
  otherSecret: { key: "verify_token", description: "Another secret." },
};
const SECRETS = { secrets: ["S"] };

function mistakes(entry: JsonObject, description = TIMED): readonly string[] {
  const read = entryOf(description).parse(entry);
  return read.ok ? [] : read.error.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("the entry of a webhook's source", () => {
  it("needs secrets or auth: none, and not both", () => {
    expect(mistakes({})).toEqual([": expected secrets: [NAME, …] or auth: none, found neither"]);
    expect(mistakes({ ...SECRETS, auth: "none" })).toEqual(["auth: expected secrets or auth: none, found both"]);
    expect(mistakes({ secret: ["S"] })).toEqual([expect.stringMatching(/^secret: .*did you mean "secrets"/)]);
    expect(entryOf(PLAIN).parse({ auth: "none" })).toMatchObject({
      ok: true,
      value: { auth: "none", secretNames: [] },
    });
  });

  it("is told why it can't have a key that other vendors' entries have", () => {
    expect(
      mistakes({ ...SECRETS, url: "https://hooks.example.com/", replays: "flag", tolerance: "1m" }, PLAIN),
    ).toEqual([
      "url: Made Up doesn't sign the address; leave it out",
      "replays: the id is signed, or made of what is signed, so no copy can have another; leave it out",
      "tolerance: Made Up signs no time; leave it out",
    ]);
    const token: WebhookDescription = { ...PLAIN, signature: { ...PLAIN.signature, algorithm: "token" } };
    expect(mistakes({ ...SECRETS, replays: "flag" }, token)).toEqual([
      "replays: Made Up signs nothing that a copy could be told by; leave it out",
    ]);
    expect(mistakes({ ...SECRETS, verify_token: "TOKEN" }, PLAIN)).toEqual([
      'verify_token: unknown key "verify_token" (known: secrets, auth, key)',
    ]);
  });

  it("has defaults for what it doesn't say", () => {
    expect(entryOf(TIMED).parse(SECRETS)).toEqual({
      ok: true,
      value: { auth: "signature", secretNames: ["S"], toleranceMs: TOLERANCE_DEFAULT_MS, replays: "flag" },
    });
    const slower = {
      ...TIMED.signature,
      timestamp: { value: "timestamp", unit: "s", toleranceMs: 1_800_000 },
    } as const;
    expect(entryOf({ ...TIMED, signature: slower }).parse(SECRETS)).toMatchObject({
      value: { toleranceMs: 1_800_000 },
    });
  });

  it("says what it has its own way", () => {
    const entry = {
      ...SECRETS,
      tolerance: "10m",
      replays: "refuse",
      key: "$.account.id",
      url: "https://hooks.example.com/a?b=c",
      verify_token: "TOKEN",
    };
    expect(entryOf(TIMED).parse(entry)).toEqual({
      ok: true,
      value: {
        auth: "signature",
        secretNames: ["S"],
        toleranceMs: 600_000,
        replays: "refuse",
        key: [
          { kind: "member", name: "account" },
          { kind: "member", name: "id" },
        ],
        url: "https://hooks.example.com/a?b=c",
        otherSecret: "TOKEN",
      },
    });
  });

  it("has only the keys that make sense for the vendor", () => {
    for (const key of ["tolerance", "replays", "url", "verify_token"]) {
      expect(mistakes({ ...SECRETS, [key]: "5m" }, PLAIN)).toEqual([expect.stringMatching(`^${key}: `)]);
    }
    expect(Object.keys(entryOf(PLAIN).schema["properties"] as JsonObject)).toEqual(["secrets", "auth", "key"]);
    expect(Object.keys(entryOf(TIMED).schema["properties"] as JsonObject)).toEqual([
      "secrets",
      "auth",
      "key",
      "tolerance",
      "replays",
      "url",
      "verify_token",
    ]);
  });

  it("has a tolerance when the vendor's other scheme signs a time", () => {
    const other = { ...PLAIN, otherSignature: { scheme: TIMED.signature, isUsed: () => true } };
    expect(mistakes({ ...SECRETS, tolerance: "1m" }, other)).toEqual([]);
  });

  it(`has a tolerance from ${TOLERANCE_MIN_MS} to ${TOLERANCE_MAX_MS} ms`, () => {
    for (const tolerance of [`${TOLERANCE_MIN_MS}ms`, `${TOLERANCE_MAX_MS}ms`]) {
      expect(mistakes({ ...SECRETS, tolerance })).toEqual([]);
    }
    for (const tolerance of [`${TOLERANCE_MIN_MS - 1}ms`, `${TOLERANCE_MAX_MS + 1}ms`, "0s"]) {
      expect(mistakes({ ...SECRETS, tolerance })).toHaveLength(1);
    }
  });

  it(`has an absolute URL of at most ${SIGNED_URL_CHARACTERS_MAX} characters`, () => {
    const longest = `https://a.example/${"a".repeat(SIGNED_URL_CHARACTERS_MAX - 18)}`;
    expect(mistakes({ ...SECRETS, url: longest })).toEqual([]);
    for (const url of [`${longest}a`, "/webhooks/shop", "hooks.example.com", 7]) {
      expect(mistakes({ ...SECRETS, url })).toEqual([expect.stringContaining("expected the absolute URL")]);
    }
  });

  it("never repeats a secret that was pasted in place of its name", () => {
    const pasted = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for (const entry of [{ secrets: [pasted] }, { secrets: pasted }, { ...SECRETS, verify_token: pasted }]) {
      const said = mistakes(entry).join("\n");
      expect(said).not.toBe("");
      expect(said).not.toContain(pasted.slice(6, 20));
    }
  });
});
