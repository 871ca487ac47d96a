import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyForm, SignatureEncoding, SignatureScheme, TimestampUnit } from "../../src/core/signature-scheme.ts";
import { SIGNATURES_MAX, TOLERANCE_DEFAULT_MS } from "../../src/core/signature-scheme.ts";
import { verifySignature } from "../../src/core/signature.ts";
import type { SourceRequest } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";

const NOW_MS = 1_700_000_000_000;
const NOW_S = NOW_MS / 1_000;
const URL = "https://sluice.example.com/webhooks/x?a=1";
const PLAIN: SignatureScheme = {
  algorithm: "hmac-sha256",
  encoding: "hex",
  signature: { header: "X-Signature" },
  content: "{body}",
};
const TIMED: SignatureScheme = {
  ...PLAIN,
  content: "{id}.{timestamp}.{body}",
  values: { id: { header: "X-Id" }, timestamp: { header: "X-Time" } },
  timestamp: { value: "timestamp", unit: "s" },
};

interface Case {
  readonly scheme?: SignatureScheme;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly wireBody?: Uint8Array;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly names?: readonly string[];
  readonly now?: number;
  readonly more?: Readonly<Record<string, string>>;
}

function verify({ scheme = PLAIN, headers, body = "hello", wireBody, secrets, names, now, more }: Case) {
  const values = secrets ?? { KEY: "key" };
  const request: SourceRequest = {
    method: "POST",
    url: URL,
    headers: new Headers(headers),
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    ...(wireBody === undefined ? {} : { wireBody }),
  };
  const secret = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);
  const signedBy = { secretNames: names ?? Object.keys(values), toleranceMs: TOLERANCE_DEFAULT_MS };
  const result = verifySignature(scheme, signedBy, request, { now: now ?? NOW_MS, hashing, secret }, more);
  return result.ok ? result.value.verifiedBy : result.error;
}

function hmac(content: string | Uint8Array, key: string | Uint8Array = "key", algorithm = "sha256") {
  return createHmac(algorithm, key).update(content);
}

const reason = (wanted: string) => expect.objectContaining({ reason: wanted }) as unknown;

describe("each algorithm in each encoding", () => {
  const encodings = ["hex", "base64", "base64url"] as const;

  it.each(["sha1", "sha256", "sha512"].flatMap((name) => encodings.map((encoding) => [name, encoding] as const)))(
    "takes an HMAC with %s in %s, and none of another body, key or hash",
    (name, encoding) => {
      const scheme = { ...PLAIN, algorithm: `hmac-${name}` as SignatureScheme["algorithm"], encoding };
      const of = (body: string, key = "key", hash = name) => ({
        scheme,
        headers: { "x-signature": hmac(body, key, hash).digest(encoding) },
      });
      expect(verify(of("hello"))).toEqual(["KEY"]);
      expect(verify(of("hellO"))).toEqual(reason("wrong-signature"));
      expect(verify(of("hello", "kez"))).toEqual(reason("wrong-signature"));
      expect(verify(of("hello", "key", name === "sha1" ? "sha256" : "sha1"))).toEqual(reason("wrong-signature"));
    },
  );

  it("matches the published HMACs of RFC 4231 and RFC 2202", () => {
    const body = "what do ya want for nothing?";
    const expected = {
      "hmac-sha1": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
      "hmac-sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "hmac-sha512":
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    } as const;
    for (const [algorithm, signature] of Object.entries(expected)) {
      const scheme = { ...PLAIN, algorithm: algorithm as keyof typeof expected };
      expect(verify({ scheme, headers: { "x-signature": signature }, body, secrets: { KEY: "Jefe" } })).toEqual([
        "KEY",
      ]);
    }
  });

  it("takes Ed25519 by a public key in hexadecimal digits or base64: RFC 8032, section 7.1, test 2", () => {
    const key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const signature =
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const forms: readonly (readonly [KeyForm, string])[] = [
      ["hex", key],
      ["hex", ` ${key.toUpperCase()}\n`],
      ["base64", Buffer.from(key, "hex").toString("base64")],
      ["prefixed", `whpk_${Buffer.from(key, "hex").toString("base64")}`],
    ];
    for (const [form, KEY] of forms) {
      const scheme = { ...PLAIN, algorithm: "ed25519", key: form } as const;
      const given = { scheme, headers: { "x-signature": signature }, body: Uint8Array.of(0x72), secrets: { KEY } };
      expect(verify(given)).toEqual(["KEY"]);
      expect(verify({ ...given, body: Uint8Array.of(0x73) })).toEqual(reason("wrong-signature"));
      expect(verify({ ...given, headers: { "x-signature": signature.slice(2) } })).toEqual(reason("wrong-signature"));
    }
  });

  it("takes ECDSA on P-256 by a public key in PEM or bare base64, and no key of another curve", () => {
    const scheme = { ...PLAIN, algorithm: "ecdsa-p256", encoding: "base64", key: "base64" } as const;
    const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const headers = { "x-signature": sign("sha256", Buffer.from("hello"), pair.privateKey).toString("base64") };
    const pem = pair.publicKey.export({ format: "pem", type: "spki" }) as string;
    const der = pair.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    for (const KEY of [pem, der]) {
      expect(verify({ scheme, headers, secrets: { KEY } })).toEqual(["KEY"]);
      expect(verify({ scheme, headers, secrets: { KEY }, body: "hellO" })).toEqual(reason("wrong-signature"));
    }
    const other = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    const signed = { "x-signature": sign("sha256", Buffer.from("hello"), other.privateKey).toString("base64") };
    const KEY = other.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    expect(verify({ scheme, headers: signed, secrets: { KEY } })).toEqual(reason("wrong-signature"));
  });

  it("takes a token that is the secret, of any length, and no other", () => {
    const scheme: SignatureScheme = { ...PLAIN, algorithm: "token", encoding: "text", content: "" };
    for (const KEY of ["s", "a long secret with spaces", "k".repeat(200)]) {
      expect(verify({ scheme, headers: { "x-signature": KEY }, secrets: { KEY } })).toEqual(["KEY"]);
      expect(verify({ scheme, headers: { "x-signature": `${KEY}x` }, secrets: { KEY } })).toEqual(
        reason("wrong-signature"),
      );
      expect(verify({ scheme, headers: { "x-signature": KEY.slice(1) || "y" }, secrets: { KEY } })).toEqual(
        reason("wrong-signature"),
      );
    }
  });

  it.each<[SignatureEncoding, string]>([
    ["hex", "zz"],
    ["hex", "ABCD"],
    ["base64", "abc"],
    ["base64url", "+/+/"],
  ])("refuses as malformed what is no %s: %s", (encoding, text) => {
    expect(verify({ scheme: { ...PLAIN, encoding }, headers: { "x-signature": text } })).toEqual({
      reason: "malformed-signature",
      header: "X-Signature",
      detail: `expected ${encoding}`,
    });
  });
});

describe("what is signed", () => {
  it("is the body as it came over the wire, byte for byte", () => {
    const wireBody = Uint8Array.of(0x1f, 0x8b, 0xff, 0x00);
    const headers = { "x-signature": hmac(wireBody).digest("hex") };
    expect(verify({ headers, wireBody })).toEqual(["KEY"]);
    expect(verify({ headers, body: wireBody })).toEqual(["KEY"]);
    expect(verify({ headers })).toEqual(reason("wrong-signature"));
  });

  it("is put together of texts, values, method and address", () => {
    const scheme = { ...PLAIN, content: "v0:{method}:{url}:{id}:{body}:{extra}", values: { id: { header: "X-Id" } } };
    const headers = { "x-signature": hmac(`v0:POST:${URL}:7:hello:more`).digest("hex"), "x-id": "7" };
    expect(verify({ scheme, headers, more: { extra: "more" } })).toEqual(["KEY"]);
    expect(verify({ scheme, headers, more: { extra: "less" } })).toEqual(reason("wrong-signature"));
  });

  it("may not be the body, which then is not looked at", () => {
    const scheme = { ...PLAIN, content: "{id}", values: { id: { header: "X-Id" } } };
    const headers = { "x-signature": hmac("7").digest("hex"), "x-id": "7" };
    expect(verify({ scheme, headers, body: "any" })).toEqual(["KEY"]);
  });

  it("names no value that the scheme doesn't have: that is a bug, and thrown", () => {
    expect(() => verify({ scheme: { ...PLAIN, content: "{nothing}" }, headers: { "x-signature": "ab" } })).toThrow(
      "{nothing}",
    );
  });
});

describe("a list of signatures", () => {
  const list: SignatureScheme = { ...PLAIN, separator: ",", prefix: "v1=" };
  const right = `v1=${hmac("hello").digest("hex")}`;
  const wrong = `v1=${hmac("hello", "other").digest("hex")}`;

  it("is right by one of its own version, wherever it stands", () => {
    for (const header of [right, `${wrong},${right}`, `${right}, ${wrong}`, `v0=zz,v1=zz,,${right}`]) {
      expect(verify({ scheme: list, headers: { "x-signature": header } })).toEqual(["KEY"]);
    }
    expect(verify({ scheme: list, headers: { "x-signature": `${wrong},${wrong}` } })).toEqual(
      reason("wrong-signature"),
    );
  });

  it("is malformed when none is of its version, or none can be read", () => {
    for (const header of [right.replace("v1", "v0"), right.slice(3), "v1=,v1=zz", ","]) {
      expect(verify({ scheme: list, headers: { "x-signature": header } })).toEqual(reason("malformed-signature"));
    }
  });

  it(`has at most ${SIGNATURES_MAX} of its version, however many of others`, () => {
    const of = (count: number) => ({ "x-signature": [...Array<string>(count - 1).fill(wrong), right].join(",") });
    expect(verify({ scheme: list, headers: of(SIGNATURES_MAX) })).toEqual(["KEY"]);
    expect(verify({ scheme: list, headers: of(SIGNATURES_MAX + 1) })).toEqual(reason("malformed-signature"));
    const others = Array<string>(SIGNATURES_MAX).fill("v0=ab").join(",");
    expect(verify({ scheme: list, headers: { "x-signature": `${others},${right}` } })).toEqual(["KEY"]);
  });

  it("may go on in another header while a secret is rotated", () => {
    const scheme = { ...PLAIN, rotated: { header: "X-Signature-2" } };
    const [one, two] = [hmac("hello", "gone").digest("hex"), hmac("hello").digest("hex")];
    expect(verify({ scheme, headers: { "x-signature": one, "x-signature-2": two } })).toEqual(["KEY"]);
    expect(verify({ scheme, headers: { "x-signature": one, "x-signature-2": one } })).toEqual(
      reason("wrong-signature"),
    );
  });
});

describe("the secrets", () => {
  const headers = { "x-signature": hmac("hello", "new").digest("hex") };

  it("are all tried, and those that are right are named", () => {
    expect(verify({ headers, secrets: { OLD: "old", NEW: "new" } })).toEqual(["NEW"]);
    expect(verify({ headers, secrets: { NEW: "new", OLD: "old", SAME: "new" } })).toEqual(["NEW", "SAME"]);
    expect(verify({ headers, secrets: { OLD: "old" } })).toEqual(reason("wrong-signature"));
  });

  it("that are not set leave the source not configured, or the others alone", () => {
    expect(verify({ headers, secrets: { OLD: "" }, names: ["OLD", "NEW"] })).toEqual({
      reason: "source-not-configured",
      secretNames: ["OLD", "NEW"],
    });
    expect(verify({ headers, secrets: { OLD: "", NEW: "new" } })).toEqual(["NEW"]);
  });

  it.each<[KeyForm, SignatureScheme["algorithm"], string, string]>([
    ["hex", "hmac-sha256", "no digits", "hexadecimal digits"],
    ["base64", "hmac-sha256", "no base64!", "base64"],
    ["prefixed", "hmac-sha256", "whsec_no base64!", "whsec_ and base64"],
    ["prefixed", "hmac-sha256", "whsec_", "whsec_ and base64"],
    ["prefixed", "hmac-sha256", "whpk_a2V5", "whsec_ and base64"],
    ["prefixed", "ed25519", "whsec_a2V5", "whpk_ and base64"],
  ])("that are no key of the form %s for %s (%s) are told so, and not shown", (key, algorithm, KEY, expected) => {
    const result = verify({ scheme: { ...PLAIN, algorithm, key }, headers, secrets: { KEY } });
    expect(result).toEqual({ reason: "source-not-configured", secretNames: ["KEY"], expected });
    expect(verify({ scheme: { ...PLAIN, key: "text" }, headers, secrets: { KEY, NEW: "new" } })).toEqual(["NEW"]);
  });

  it.each<[KeyForm, string]>([
    ["text", "key"],
    ["hex", "6b6579"],
    ["hex", "6B6579\n"],
    ["base64", "a2V5"],
    ["prefixed", "whsec_a2V5"],
    ["prefixed", "a2V5\n"],
  ])("may be written as %s: %j", (key, KEY) => {
    const signed = { "x-signature": hmac("hello").digest("hex") };
    expect(verify({ scheme: { ...PLAIN, key }, headers: signed, secrets: { KEY } })).toEqual(["KEY"]);
  });

  it("that are wrong keys for ECDSA or Ed25519 make a signature wrong, and nothing fall over", () => {
    for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
      const scheme = { ...PLAIN, algorithm };
      expect(verify({ scheme, headers, secrets: { KEY: "x" } })).toEqual(reason("wrong-signature"));
    }
  });
});

describe("the time that is signed", () => {
  const at = (time: string, unit: TimestampUnit = "s"): Case => ({
    scheme: { ...TIMED, timestamp: { value: "timestamp", unit } },
    headers: { "x-id": "1", "x-time": time, "x-signature": hmac(`1.${time}.hello`).digest("hex") },
  });

  it("may be as far from now as the tolerance, before and after, and not a second more", () => {
    for (const seconds of [0, 1, -1, 300, -300]) expect(verify(at(String(NOW_S + seconds)))).toEqual(["KEY"]);
    for (const seconds of [301, -301, 86_400]) {
      expect(verify(at(String(NOW_S + seconds)))).toEqual({ reason: "stale-timestamp", toleranceSeconds: 300 });
    }
  });

  it("is held against the very millisecond", () => {
    expect(verify({ ...at(String(NOW_S)), now: NOW_MS + TOLERANCE_DEFAULT_MS })).toEqual(["KEY"]);
    expect(verify({ ...at(String(NOW_S)), now: NOW_MS + TOLERANCE_DEFAULT_MS + 1 })).toEqual(reason("stale-timestamp"));
    expect(verify({ ...at(String(NOW_S)), now: NOW_MS - TOLERANCE_DEFAULT_MS - 1 })).toEqual(reason("stale-timestamp"));
  });

  it("may be in milliseconds or a date, and is not taken for the other unit", () => {
    expect(verify(at(String(NOW_MS), "ms"))).toEqual(["KEY"]);
    expect(verify(at(new Date(NOW_MS).toISOString(), "iso"))).toEqual(["KEY"]);
    expect(verify(at(String(NOW_S), "ms"))).toEqual(reason("stale-timestamp"));
    expect(verify(at(String(NOW_MS), "s"))).toEqual(reason("invalid-header"));
    expect(verify(at(String(NOW_S), "iso"))).toEqual(reason("invalid-header"));
  });

  it.each(["-1", "1e9", "0x6553f100", "1700000000.5", "+1700000000", "hello", "17000000000", "NaN"])(
    "that is %s is none, however it is signed",
    (time) => {
      expect(verify(at(time))).toEqual({
        reason: "invalid-header",
        header: "X-Time",
        detail: "expected a timestamp (s)",
      });
    },
  );

  it("is looked at only where the signature is right: a guess learns nothing of the clock", () => {
    const old = String(NOW_S - 9_999);
    const forged = { ...at(old).headers, "x-signature": hmac("other").digest("hex") };
    expect(verify({ scheme: TIMED, headers: forged })).toEqual(reason("wrong-signature"));
  });

  it("must be there", () => {
    const { "x-time": _time, ...headers } = at(String(NOW_S)).headers as Record<string, string>;
    expect(verify({ scheme: TIMED, headers })).toEqual({ reason: "missing-header", header: "X-Time" });
  });
});

describe("one flipped bit", () => {
  const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
    const flipped = bytes.slice();
    const at = Math.floor(bit / 8) % bytes.length;
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8));
    return flipped;
  };
  // Headers have no other characters; a flip in one of those is another request altogether.
  const flipText = (text: string, bit: number): string => {
    const flipped = Buffer.from(flip(Buffer.from(text), (bit >> 3) * 8 + (bit % 4))).toString("latin1");
    return /^[!-~]+$/.test(flipped) ? flipped : `${text}!`;
  };

  it("in the body, the signature, the time or the id is refused, whatever the algorithm", () => {
    const pair = generateKeyPairSync("ed25519");
    const publicKey = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    const signers = {
      "hmac-sha1": (content: Uint8Array) => hmac(content, "key", "sha1").digest(),
      "hmac-sha256": (content: Uint8Array) => hmac(content).digest(),
      "hmac-sha512": (content: Uint8Array) => hmac(content, "key", "sha512").digest(),
      ed25519: (content: Uint8Array) => sign(null, content, pair.privateKey),
    } as const;
    const algorithm = fc.constantFrom(...(Object.keys(signers) as (keyof typeof signers)[]));
    const where = fc.constantFrom("body", "signature", "time", "id");
    const body = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const id = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    fc.assert(
      fc.property(algorithm, where, body, id, fc.nat(4_096), (algorithm, where, body, id, bit) => {
        const isEd = algorithm === "ed25519";
        const scheme: SignatureScheme = { ...TIMED, algorithm, key: isEd ? "hex" : "text" };
        const secrets = { KEY: isEd ? publicKey : "key" };
        const content = Buffer.concat([Buffer.from(`${id}.${NOW_S}.`), body]);
        const signature = signers[algorithm](content);
        const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
        const headers = { "x-id": id, "x-time": String(NOW_S), "x-signature": hex(signature) };
        expect(verify({ scheme, headers, body, secrets })).toEqual(["KEY"]);
        const changed: Case = {
          scheme,
          secrets,
          body: where === "body" ? flip(body, bit) : body,
          headers: {
            "x-id": where === "id" ? flipText(id, bit) : id,
            "x-time": where === "time" ? flipText(String(NOW_S), bit) : String(NOW_S),
            "x-signature": where === "signature" ? hex(flip(signature, bit)) : hex(signature),
          },
        };
        expect(verify(changed)).toEqual(reason("wrong-signature"));
      }),
      { numRuns: 400 },
    );
  });
});
