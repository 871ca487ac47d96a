import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DATA_SECRET_CHARS_MIN,
  DATA_TOKEN_CHARS_MAX,
  dataSecretProblem,
  readDataToken,
  writeDataToken,
} from "../../src/core/data-token.ts";
import { hashing } from "../../src/hashing.ts";

const SECRET = "a-secret-of-the-data-tokens";
const GRANT = { key: "claims/2026-10-26/msg_1/00112233", expiresAt: 1_800_000_000_000 };
const token = writeDataToken(GRANT, SECRET, hashing);

const read = (text: string, now = GRANT.expiresAt - 1, secret = SECRET) => readDataToken(text, secret, now, hashing);

describe("a data token", () => {
  it("grants its key until it ends, to the millisecond", () => {
    expect(read(token)).toEqual({ ok: true, value: GRANT });
    expect(read(token, GRANT.expiresAt)).toEqual({ ok: false, error: "expired" });
  });

  it("stands in a URL as it is, whatever the key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.integer({ min: 0, max: 4e9 }), (key, seconds) => {
        const grant = { key: key.toWellFormed(), expiresAt: seconds * 1_000 };
        const text = writeDataToken(grant, SECRET, hashing);
        expect(text).toMatch(/^[\w-]+\.[\w-]{43}$/);
        expect(read(text, -1)).toEqual({ ok: true, value: grant });
      }),
    );
  });

  it("is nobody else's: another secret's and a changed one are invalid, even when they have ended", () => {
    expect(read(token, 0, "another-secret-of-the-tokens")).toEqual({ ok: false, error: "invalid" });
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === "A" ? "B" : "A";
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      expect(read(changed, Number.MAX_SAFE_INTEGER), String(at)).toEqual({ ok: false, error: "invalid" });
    }
  });

  it("is not made by the same secret for another purpose", () => {
    const [payload = ""] = token.split(".");
    const mac = Buffer.from(hashing.hmacSha256(SECRET, payload)).toString("base64url");
    expect(read(`${payload}.${mac}`)).toEqual({ ok: false, error: "invalid" });
  });

  it.each(["", ".", "..", "a", `${token}.`, `${token}.x`, `${token} `, `${token}=`, "é.é", "a.b"])(
    "is refused when it is %j",
    (text) => expect(read(text)).toEqual({ ok: false, error: "invalid" }),
  );

  it("is not looked at when it is longer than any that is made here", () => {
    const room = DATA_TOKEN_CHARS_MAX - 44;
    const bytes = Math.floor((room * 3) / 4) - '{"k":"","e":1}'.length;
    const longest = writeDataToken({ key: "k".repeat(bytes), expiresAt: 1_000 }, SECRET, hashing);
    const longer = writeDataToken({ key: "k".repeat(bytes + 3), expiresAt: 1_000 }, SECRET, hashing);
    expect([longest.length, longer.length > DATA_TOKEN_CHARS_MAX]).toEqual([DATA_TOKEN_CHARS_MAX, true]);
    expect(read(longest, 0).ok).toBe(true);
    expect(read(longer, 0)).toEqual({ ok: false, error: "invalid" });
  });
});

describe("the secret of data tokens", () => {
  it("must be there and long enough, and the problem says how to set it", () => {
    expect(dataSecretProblem("s".repeat(DATA_SECRET_CHARS_MIN))).toBeUndefined();
    expect(dataSecretProblem("s".repeat(DATA_SECRET_CHARS_MIN - 1))).toMatch(
      /too short.*wrangler secret put DATA_SECRET/,
    );
    expect(dataSecretProblem(undefined)).toMatch(/DATA_SECRET is not set.*wrangler secret put DATA_SECRET/);
  });
});
