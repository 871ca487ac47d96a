/**
 * One signature has one spelling, and covers the bytes as they came; the one that Sluice writes covers the bytes that it
 * sends. Each of these has been got wrong by some gateway.
 */
import { isUtf8 } from "node:buffer";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { ownMember } from "../../src/core/result.ts";
import { eventView } from "../../src/core/event.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import cloudevents from "../../src/sources/cloudevents.ts";
import github from "../../src/sources/github.ts";
import http from "../../src/targets/http.ts";
import { FORMATS } from "../../src/targets/_http-content.ts";
import { contextWith, githubSignature, requestOf, utf8 } from "../sources/_context.ts";
import { eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const SECRETS = { NEW: "new-secret", OLD: "old-secret", EMPTY: "" };
const CONFIG = { auth: "signature", secretNames: ["NEW", "OLD", "EMPTY"], replays: "flag" } as const;
const BODY = utf8('{"action":"opened","repository":{"id":1}}');
const GOOD = githubSignature(SECRETS.NEW, BODY);
const HEX = GOOD.slice("sha256=".length);

function headersOf(pairs: readonly (readonly [string, string])[], contentType = "application/json"): Headers {
  const headers = new Headers({
    "content-type": contentType,
    "x-github-event": "issues",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
  });
  for (const [name, value] of pairs) headers.append(name, value);
  return headers;
}

function receive(pairs: readonly (readonly [string, string])[], body = BODY, contentType?: string, secrets = SECRETS) {
  const request = { ...requestOf({}, body), headers: headersOf(pairs, contentType) };
  const result = github.receive(request, CONFIG, "github", contextWith(secrets));
  return result.ok ? result.value : result.error.reason;
}

const signed = (signature: string, body = BODY) => receive([["X-Hub-Signature-256", signature]], body);
const isAccepted = (received: ReturnType<typeof receive>) => typeof received !== "string";

/** Digits that some parsers take for digits: Latin-1 has no others, and a header can't hold more than Latin-1. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  "1": "\u00b9",
  "2": "\u00b2",
  "3": "\u00b3",
  a: "\u00aa",
  "0": "\u00ba",
};

describe("a webhook's signature", () => {
  it("is accepted as the provider writes it", () => {
    expect(isAccepted(signed(GOOD))).toBe(true);
    expect(isAccepted(signed(githubSignature(SECRETS.OLD, BODY)))).toBe(true);
    // White space around a field's value is no part of it (RFC 9110, section 5.5).
    expect(isAccepted(signed(` \t${GOOD} `))).toBe(true);
  });

  const sha1 = createHmac("sha1", SECRETS.NEW).update(BODY).digest("hex");
  const sha512 = createHmac("sha512", SECRETS.NEW).update(BODY).digest("hex");
  const spellings: Readonly<Record<string, string>> = {
    "upper-case digits": `sha256=${HEX.toUpperCase()}`,
    "one upper-case digit": GOOD.replace(/[a-f]/, (digit) => digit.toUpperCase()),
    "white space within": `sha256= ${HEX}`,
    "a tab within": `sha256=${HEX.slice(0, 32)}\t${HEX.slice(32)}`,
    "a space that doesn't break": `sha256=\u00a0${HEX}`,
    "a soft hyphen": `sha256=${HEX.slice(0, 32)}\u00ad${HEX.slice(32)}`,
    "look-alikes of digits": GOOD.replace(/[0-3a](?=[0-9a-f]*$)/, (digit) => LOOK_ALIKES[digit] ?? digit),
    "the right one twice": `${GOOD},${GOOD}`,
    "the right one after a wrong one": `sha256=${"0".repeat(64)},${GOOD}`,
    "the right one before a wrong one": `${GOOD} sha256=${"0".repeat(64)}`,
    "the right one in a list of schemes": `sha1=${sha1},${GOOD}`,
    "a name before it": `v1=${GOOD}`,
    "a comment": `${GOOD} (right)`,
    quotes: `"${GOOD}"`,
    "a zero byte's escape": `${GOOD}%00`,
    "a byte less": GOOD.slice(0, -2),
    "half a byte less": GOOD.slice(0, -1),
    "nothing but its name": "sha256=",
    "a byte more": `${GOOD}00`,
    "0x": `sha256=0x${HEX.slice(2)}`,
    Base64: `sha256=${Buffer.from(HEX, "hex").toString("base64")}`,
    "SHA-1 under the new name": `sha256=${sha1}`,
    "SHA-1 under its own name": `sha1=${sha1}`,
    "SHA-1 filled up": `sha256=${sha1.padEnd(64, "0")}`,
    "SHA-512 under the new name": `sha256=${sha512}`,
    "SHA-512 cut": `sha256=${sha512.slice(0, 64)}`,
    "the digest without the key": `sha256=${"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`,
    "the empty secret": githubSignature("", BODY),
    "the secret's name for a key": githubSignature("NEW", BODY),
    "a zero for every digit": `sha256=${"0".repeat(64)}`,
  };

  it.each(Object.entries(spellings))("is refused with %s", (_name, signature) => {
    expect(signature).not.toBe(GOOD);
    expect(["malformed-signature", "wrong-signature"]).toContain(signed(signature));
  });

  it("is refused in two headers, even when one is right or both are", () => {
    for (const other of [GOOD, githubSignature(SECRETS.OLD, BODY), `sha256=${"0".repeat(64)}`]) {
      const headers = [
        ["X-Hub-Signature-256", GOOD],
        ["X-Hub-Signature-256", other],
      ] as const;
      expect(receive(headers)).toBe("malformed-signature");
      expect(receive(headers.toReversed())).toBe("malformed-signature");
    }
  });

  it("is not replaced by the older one, whatever that says", () => {
    expect(receive([["X-Hub-Signature", `sha1=${sha1}`]])).toBe("missing-signature");
    expect(receive([["X-Hub-Signature", GOOD]])).toBe("missing-signature");
    expect(
      receive([
        ["X-Hub-Signature", `sha1=${sha1}`],
        ["X-Hub-Signature-256", `sha256=${"0".repeat(64)}`],
      ]),
    ).toBe("wrong-signature");
  });

  it("never comes of an unset or empty secret", () => {
    const empty = [["X-Hub-Signature-256", githubSignature("", BODY)]] as const;
    expect(receive(empty, BODY, undefined, { NEW: "", OLD: "", EMPTY: "" })).toBe("source-not-configured");
    expect(receive(empty)).toBe("wrong-signature");
  });

  it("is refused in any other spelling, whatever is done to it", () => {
    const change = fc.oneof(
      fc
        .tuple(
          fc.nat(GOOD.length),
          fc.constantFrom(" ", "\t", ",", ";", "=", '"', "'", "\u00a0", "\u00ad", "\u00b9", "%", "0", "a", "A"),
        )
        .map(([at, letter]) => GOOD.slice(0, at) + letter + GOOD.slice(at)),
      fc.nat(GOOD.length - 1).map((at) => GOOD.slice(0, at) + GOOD.slice(at + 1)),
      fc
        .tuple(fc.nat(GOOD.length - 1), fc.integer({ min: 0x21, max: 0xff }))
        .map(([at, code]) => GOOD.slice(0, at) + String.fromCharCode(code) + GOOD.slice(at + 1)),
      fc.nat(GOOD.length - 1).map((at) => GOOD.slice(0, at) + GOOD.charAt(at).toUpperCase() + GOOD.slice(at + 1)),
    );
    fc.assert(
      fc.property(change, (signature) => {
        fc.pre(signature.replaceAll(/^[ \t]+|[ \t]+$/g, "") !== GOOD && !/[\u007f\u0080-\u009f]/.test(signature));
        expect(isAccepted(signed(signature))).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("what a webhook's signature covers", () => {
  it("is the form as it came, not the payload in it, and not another spelling of the form", () => {
    const type = "application/x-www-form-urlencoded";
    const payload = '{"action":"opened","a b":"é+%"}';
    const form = `payload=${encodeURIComponent(payload)}`;
    const send = (body: string, over: string) =>
      receive([["X-Hub-Signature-256", githubSignature(SECRETS.NEW, over)]], utf8(body), type);
    expect(isAccepted(send(form, form))).toBe(true);
    const others = [
      payload,
      form.replaceAll("%20", "+"),
      form.replaceAll(/%[0-9A-F]{2}/g, (each) => each.toLowerCase()),
      `${form}&`,
      `${form}&x=1`,
      `x=1&${form}`,
    ];
    for (const other of others) {
      expect(send(form, other)).toBe("wrong-signature");
      expect(send(other, form)).toBe("wrong-signature");
    }
    // Each is a request of its own when it is signed itself, and the payload is the same.
    for (const other of others.slice(1)) expect(isAccepted(send(other, other))).toBe(true);
  });

  it("is a byte order mark too, and what is no UTF-8", () => {
    const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...BODY]);
    expect(signed(GOOD, marked)).toBe("wrong-signature");
    expect(signed(githubSignature(SECRETS.NEW, marked))).toBe("wrong-signature");
    const received = signed(githubSignature(SECRETS.NEW, marked), marked);
    if (typeof received === "string") throw new Error(received);
    expect(received.events[0]?.event.body).toEqual(marked);
    // A decoder that replaces what it can't read would take these for one another.
    const [broken, other] = [
      new Uint8Array([...BODY.slice(0, -1), 0xff, 0x7d]),
      new Uint8Array([...BODY.slice(0, -1), 0xfe, 0x7d]),
    ];
    expect(signed(githubSignature(SECRETS.NEW, broken), other)).toBe("wrong-signature");
    expect(signed(githubSignature(SECRETS.NEW, broken), broken)).toBe("invalid-utf8");
  });

  it("is each of the duplicate keys of an object, and all readers see the same one of them", () => {
    const twice = '{"repository":{"id":1,"id":7},"action":"opened","action":"closed"}';
    const once = '{"repository":{"id":7},"action":"closed"}';
    expect(signed(githubSignature(SECRETS.NEW, once), utf8(twice))).toBe("wrong-signature");
    const received = signed(githubSignature(SECRETS.NEW, twice), utf8(twice));
    if (typeof received === "string") throw new Error(received);
    const [first] = received.events;
    expect(first?.event.body).toEqual(utf8(twice));
    expect(first?.event.attributes.type).toBe("com.github.issues.closed");
    expect(ownMember(eventView(first?.event ?? eventWith(null)), "data")).toMatchObject({
      action: "closed",
      repository: { id: 7 },
    });
    expect(first?.key).toContain("7");
  });
});

describe("a bearer token", () => {
  const TOKENS = { NEW: "new-token-é", OLD: "old-token", EMPTY: "" };
  const config = { auth: "bearer", secretNames: ["NEW", "OLD", "EMPTY"] } as const;
  const send = (values: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const headers = new Headers({ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t", ...more });
    for (const value of values) headers.append("authorization", value);
    const result = cloudevents.receive({ ...requestOf({}, ""), headers }, config, "events", contextWith(TOKENS));
    return result.ok ? "accepted" : result.error.reason;
  };

  it("has one spelling", () => {
    expect(send(["Bearer old-token"])).toBe("accepted");
    for (const value of [
      "Bearer Old-Token",
      "Bearer old-token,",
      "Bearer old-token, Bearer old-token",
      "Bearer =old-token",
      'Bearer "old-token"',
      "Bearer old-token%20",
      "Bearer old\u00adtoken",
      "Bearer old\u00a0token",
      "Bearer\u00a0old-token",
      "Bearer old-token\u00a0",
      "Bearer old-toke",
      "Bearer old-tokenn",
      "Bearer token=old-token",
      "Bearer Bearer old-token",
      `Bearer ${btoa("old-token")}`,
      `Basic ${btoa(":old-token")}`,
      "Token old-token",
      "old-token",
      "Bearer",
      "Bearer ",
      "Bearer undefined",
      "Bearer null",
      "Bearer OLD",
    ]) {
      expect(["missing-token", "wrong-token"], value).toContain(send([value]));
    }
    expect(["missing-token", "wrong-token"]).toContain(send(["Bearer old-token", "Bearer old-token"]));
    expect(["missing-token", "wrong-token"]).toContain(send(["Bearer wrong", "Bearer old-token"]));
  });

  it("stands in no other header", () => {
    for (const header of [
      "cookie",
      "x-authorization",
      "proxy-authorization",
      "x-api-key",
      "ce-authorization",
      "x-forwarded-authorization",
    ]) {
      expect(send([], { [header]: "Bearer old-token" }), header).toBe("missing-token");
    }
  });
});

interface SentRequest {
  readonly headers: Headers;
  readonly body: Buffer;
}

const SIGNING = {
  A: "whsec_c2lnbmluZy1zZWNyZXQtbnVtYmVyLW9uZQ==",
  B: "whsec_c2lnbmluZy1zZWNyZXQtbnVtYmVyLXR3bw==",
  EMPTY: "",
  BROKEN: "whsec_!",
};

async function send(
  sign: readonly string[],
  format: string,
  body: Uint8Array,
): Promise<SentRequest & { outcome: Outcome }> {
  const config = http.parse({ http: "https://target.example/", format, sign });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  let sent: SentRequest | undefined;
  const io = targetIo({
    secret: secretsFrom(SIGNING),
    fetch: async (_url, init) => {
      sent = {
        headers: new Headers(init.headers),
        body: Buffer.from(await new Response(init.body as Uint8Array<ArrayBuffer>).arrayBuffer()),
      };
      return new Response(null, { status: 204 });
    },
  });
  const outcome = await http.send(shipmentOf(eventWith(body)), config.value, 1_000, io);
  return { outcome, headers: sent?.headers ?? new Headers(), body: sent?.body ?? Buffer.from("nothing was sent") };
}

const BODIES: Readonly<Record<string, Uint8Array>> = {
  JSON: utf8('{"a":1,"a":2,"n":12345678901234567890}'),
  "a byte order mark": new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
  "no UTF-8": new Uint8Array([0xff, 0x00, 0xfe]),
  "line ends and dots": utf8("1.2.\r\n.3\n"),
  "letters beyond the first plane": utf8('"𐐀\u0000\ufeff"'),
  nothing: new Uint8Array(),
};

describe("the signature that Sluice writes", () => {
  const accepts = (
    secret: string,
    { headers, body }: SentRequest,
    changes: Readonly<Record<string, string>> = {},
  ): boolean => {
    try {
      const all = { ...Object.fromEntries(headers), ...changes };
      new Webhook(secret).verify(body, all);
      return true;
    } catch (error) {
      // It also reads the body as JSON, after the signature.
      return error instanceof SyntaxError;
    }
  };

  it.each(FORMATS.flatMap((format) => Object.keys(BODIES).map((name) => [format, name] as const)))(
    "is over the bytes that are sent: %s, %s",
    async (format, name) => {
      const request = await send(["A"], format, BODIES[name] ?? utf8("?"));
      const { headers } = request;
      const head = `${headers.get("webhook-id")}.${headers.get("webhook-timestamp")}.`;
      const mac = createHmac("sha256", Buffer.from(SIGNING.A.slice(6), "base64"))
        .update(head)
        .update(request.body);
      expect(headers.get("webhook-signature")).toBe(`v1,${mac.digest("base64")}`);
      // The library reads every body as text first.
      if (isUtf8(request.body)) expect(accepts(SIGNING.A, request)).toBe(true);
      expect(accepts(SIGNING.B, request)).toBe(false);
      for (const body of [
        Buffer.concat([request.body, Buffer.from("\n")]),
        Buffer.concat([Buffer.from("\ufeff"), request.body]),
      ]) {
        expect(accepts(SIGNING.A, { ...request, body })).toBe(false);
      }
    },
  );

  it("is one for each secret, newest first, and covers the id and the time", async () => {
    const request = await send(["B", "A"], "binary", BODIES["JSON"] ?? utf8("?"));
    const signature = request.headers.get("webhook-signature") ?? "";
    expect(signature).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
    const [first = "", second = ""] = signature.split(" ");
    const only = (value: string) => ({ "webhook-signature": value });
    expect(accepts(SIGNING.B, request, only(first))).toBe(true);
    expect(accepts(SIGNING.A, request, only(second))).toBe(true);
    expect(accepts(SIGNING.A, request, only(first))).toBe(false);
    for (const value of [
      second.replace("v1,", ""),
      second.replace("v1,", "v1a,"),
      second.replace("v1,", "V1,"),
      second.slice(0, -8),
      second.toUpperCase(),
      ` ,${second.slice(3)}`,
      "",
    ]) {
      expect(accepts(SIGNING.A, request, only(value)), value).toBe(false);
    }
    const id = request.headers.get("webhook-id") ?? "";
    const time = Number(request.headers.get("webhook-timestamp"));
    expect(id).not.toContain(".");
    for (const changes of [
      { "webhook-id": `${id}x` },
      { "webhook-id": id.toUpperCase() },
      { "webhook-id": `${id}.${time}` },
      { "webhook-timestamp": String(time + 1) },
      { "webhook-timestamp": String(time - 301) },
    ]) {
      expect(accepts(SIGNING.A, request, changes), JSON.stringify(changes)).toBe(false);
    }
  });

  it.each(["EMPTY", "BROKEN", "NOT_SET"])(
    "never comes of the secret %s: nothing is sent, not even with another's",
    async (name) => {
      for (const names of [[name], ["A", name]]) {
        const { outcome, body } = await send(names, "binary", utf8("{}"));
        expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
        expect(String(body)).toBe("nothing was sent");
      }
    },
  );
});
