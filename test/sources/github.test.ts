import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JSON_DEPTH_MAX } from "../../src/core/json.ts";
import { isConflict } from "../../src/core/event.ts";
import type { Rejection } from "../../src/core/rejection.ts";
import type { Received } from "../../src/core/source.ts";
import { SECRETS_MAX } from "../../src/sources/_auth-entry.ts";
import { FORM_FIELDS_MAX } from "../../src/sources/_webhook-body.ts";
import github, { DELIVERY_ID_CHARACTERS_MAX, EVENT_NAME_CHARACTERS_MAX } from "../../src/sources/github.ts";
import type { GithubConfig } from "../../src/sources/_github-entry.ts";
import { NOW, contextWith, githubSignature, requestOf, textOf, utf8 } from "./_context.ts";

const OPEN: GithubConfig = { auth: "none" };
const SIGNED = { auth: "signature", secretNames: ["NEW", "OLD"], replays: "flag" } as const satisfies GithubConfig;
const SECRETS = { NEW: "It's a Secret to Everybody", OLD: "yesterday's secret" };
const BODY = '{ "action":"opened", "repository":{"id":17,"url":"https://api.github.com/repos/o/r"} }';

const HEADERS = {
  "Content-Type": "application/json",
  "X-GitHub-Event": "push",
  "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
};

type Headers = Readonly<Record<string, string>>;

function receive(
  headers: Headers,
  body: Uint8Array | string,
  config: GithubConfig = OPEN,
  secrets: Headers = SECRETS,
): { readonly received?: Received; readonly rejection?: Rejection } {
  const result = github.receive(requestOf({ ...HEADERS, ...headers }, body), config, "hub", contextWith(secrets));
  return result.ok ? { received: result.value } : { rejection: result.error };
}

function signed(signature: string, body: Uint8Array | string = BODY, secrets: Headers = SECRETS) {
  return receive({ "X-Hub-Signature-256": signature }, body, SIGNED, secrets);
}

function attributesOf(headers: Headers, payload: object) {
  return receive(headers, JSON.stringify(payload)).received?.events[0]?.event.attributes;
}

describe("a signature", () => {
  it("is the one of GitHub's documentation", () => {
    const documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const { rejection } = signed(documented, "Hello, World!");
    expect(rejection).toMatchObject({ reason: "invalid-json" });
  });

  it("of any named secret is accepted, while one of them is rotated", () => {
    expect(signed(githubSignature(SECRETS.NEW, BODY)).received?.events).toHaveLength(1);
    expect(signed(githubSignature(SECRETS.OLD, BODY)).received?.events).toHaveLength(1);
    expect(signed(githubSignature(SECRETS.OLD, BODY), BODY, { OLD: SECRETS.OLD }).received?.events).toHaveLength(1);
  });

  it("tells which secrets it is right by, all of them where two have one value", () => {
    const verifiedBy = (secret: string, secrets: Headers = SECRETS) =>
      signed(githubSignature(secret, BODY), BODY, secrets).received?.verifiedBy;
    expect(verifiedBy(SECRETS.NEW)).toEqual(["NEW"]);
    expect(verifiedBy(SECRETS.OLD)).toEqual(["OLD"]);
    expect(verifiedBy("x", { NEW: "x", OLD: "x" })).toEqual(["NEW", "OLD"]);
    expect(receive({}, BODY).received).not.toHaveProperty("verifiedBy");
  });

  it("is compared with that of every secret, so that the time tells nothing of which is right", () => {
    let compared = 0;
    const context = contextWith(SECRETS);
    const hashing = {
      ...context.hashing,
      equalBytes: (a: Uint8Array, b: Uint8Array) => {
        compared += 1;
        return context.hashing.equalBytes(a, b);
      },
    };
    for (const secret of [...Object.values(SECRETS), "neither"]) {
      compared = 0;
      const headers = { ...HEADERS, "X-Hub-Signature-256": githubSignature(secret, BODY) };
      github.receive(requestOf(headers, BODY), SIGNED, "hub", { ...context, hashing });
      expect(compared).toBe(2);
    }
  });

  it("of a secret that is no longer set is wrong", () => {
    const { rejection } = signed(githubSignature(SECRETS.OLD, BODY), BODY, { NEW: SECRETS.NEW });
    expect(rejection).toEqual({ reason: "wrong-signature", header: "X-Hub-Signature-256" });
  });

  it("can't be checked when no secret is set, or only empty ones", () => {
    for (const secrets of [{}, { NEW: "", OLD: "" }]) {
      const { rejection } = signed(githubSignature("", BODY), BODY, secrets);
      expect(rejection).toEqual({ reason: "source-not-configured", secretNames: ["NEW", "OLD"] });
    }
  });

  it("with an empty secret's key is wrong, when one of two secrets is empty", () => {
    const { rejection } = signed(githubSignature("", BODY), BODY, { NEW: "", OLD: "x" });
    expect(rejection?.reason).toBe("wrong-signature");
  });

  const good = githubSignature(SECRETS.NEW, BODY);
  const hex = good.slice("sha256=".length);
  it.each([
    ["truncated", good.slice(0, -1)],
    ["truncated by a byte", good.slice(0, -2)],
    ["longer", `${good}00`],
    ["a prefix in another case", good.replace("sha256", "SHA256")],
    ["another prefix", good.replace("sha256", "sha512")],
    ["no prefix", hex],
    ["upper-case digits", `sha256=${hex.toUpperCase()}`],
    ["a space after the sign", `sha256= ${hex}`],
    ["a space before the sign", `sha256 =${hex}`],
    ["two of them", `${good}, ${good}`],
    ["a letter that is no digit", `sha256=g${hex.slice(1)}`],
    ["base64", `sha256=${Buffer.from(hex, "hex").toString("base64")}`],
    ["something after it", `${good};v=1`],
  ])("is malformed with %s", (_name, signature) => {
    const { rejection } = signed(signature);
    expect(rejection).toMatchObject({ reason: "malformed-signature", header: "X-Hub-Signature-256" });
    expect(JSON.stringify(rejection)).not.toContain(hex.slice(1, 20));
  });

  it("is missing without the header, with an empty one and with the old SHA-1 one", () => {
    const missing = { reason: "missing-signature", header: "X-Hub-Signature-256" };
    const sha1 = `sha1=${createHmac("sha1", SECRETS.NEW).update(BODY).digest("hex")}`;
    expect(receive({}, BODY, SIGNED).rejection).toEqual(missing);
    expect(signed("").rejection).toEqual(missing);
    expect(receive({ "X-Hub-Signature": sha1 }, BODY, SIGNED).rejection).toEqual(missing);
  });

  it("is wrong when any bit of it or of the body changes", () => {
    for (let at = 0; at < 64; at++) {
      const digit = (Number.parseInt(hex.charAt(at), 16) ^ 1).toString(16);
      expect(signed(`sha256=${hex.slice(0, at)}${digit}${hex.slice(at + 1)}`).rejection?.reason).toBe(
        "wrong-signature",
      );
    }
    for (const [at] of utf8(BODY).entries()) {
      const changed = utf8(BODY);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(signed(good, changed).rejection?.reason).toBe("wrong-signature");
    }
    expect(signed(good, ` ${BODY}`).rejection?.reason).toBe("wrong-signature");
  });

  it("of a form is over the form, not over the payload in it", () => {
    const form = new URLSearchParams({ payload: BODY }).toString();
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    const send = (signature: string) => receive({ ...type, "X-Hub-Signature-256": signature }, form, SIGNED);
    expect(send(githubSignature(SECRETS.NEW, form)).received?.events).toHaveLength(1);
    expect(send(githubSignature(SECRETS.NEW, BODY)).rejection?.reason).toBe("wrong-signature");
  });

  it("is over the bytes as they came, a byte order mark and broken UTF-8 included", () => {
    const marked = utf8(`\ufeff${BODY}`);
    expect(signed(githubSignature(SECRETS.NEW, marked), marked).received?.events[0]?.event.body).toEqual(marked);
    expect(signed(good, marked).rejection?.reason).toBe("wrong-signature");
    const broken = Uint8Array.of(0x22, 0xff, 0x22);
    expect(signed(githubSignature(SECRETS.NEW, broken), broken).rejection?.reason).toBe("invalid-utf8");
    expect(signed(githubSignature(SECRETS.NEW, '"\ufffd"'), broken).rejection?.reason).toBe("wrong-signature");
  });

  it("is checked before anything is read", () => {
    for (const body of ["{", "[".repeat(1_000), new Uint8Array([0xff])]) {
      const { rejection } = receive({ "X-GitHub-Event": "!", "X-Hub-Signature-256": good }, body, SIGNED);
      expect(rejection?.reason).toBe("wrong-signature");
    }
  });

  it("is not asked for where the file says auth: none", () => {
    expect(receive({ "X-Hub-Signature-256": "nonsense" }, BODY).received?.events).toHaveLength(1);
  });
});

describe("headers", () => {
  it.each(["text/plain", "", "application/jsonp", "application/json+x", "application/cloudevents+json", "json"])(
    "of content type %j are refused first",
    (type) => {
      const { rejection } = receive({ "Content-Type": type }, BODY, SIGNED);
      const expected = ["application/json", "application/x-www-form-urlencoded"];
      expect(rejection).toEqual({ reason: "unsupported-content-type", found: type, expected });
    },
  );

  it.each(["application/json; charset=utf-8", "Application/JSON", "application/json;charset=utf8"])(
    "may say %s",
    (type) => expect(receive({ "Content-Type": type }, BODY).received?.events).toHaveLength(1),
  );

  it.each(["X-GitHub-Event", "X-GitHub-Delivery"])("need %s", (header) => {
    expect(receive({ [header]: "" }, BODY).rejection).toEqual({ reason: "missing-header", header });
  });

  it.each(["Push", "pu-sh", "a b", "push\tx", "com.github.push", "é"])("refuse the event %j", (name) => {
    expect(receive({ "X-GitHub-Event": name }, BODY).rejection).toMatchObject({
      reason: "invalid-header",
      header: "X-GitHub-Event",
    });
  });

  it.each(["a b", "a\tb", "a\u0080b", "é"])("refuse the delivery %j", (id) => {
    expect(receive({ "X-GitHub-Delivery": id }, BODY).rejection).toMatchObject({
      reason: "invalid-header",
      header: "X-GitHub-Delivery",
    });
  });

  it.each([
    ["X-GitHub-Event", EVENT_NAME_CHARACTERS_MAX],
    ["X-GitHub-Delivery", DELIVERY_ID_CHARACTERS_MAX],
  ])("bound the length of %s", (header, max) => {
    expect(receive({ [header]: "x".repeat(max) }, BODY).received?.events).toHaveLength(1);
    expect(receive({ [header]: "x".repeat(max + 1) }, BODY).rejection?.reason).toBe("invalid-header");
  });

  it("that name the hook go on to targets, and nothing else does", () => {
    const hook = {
      "X-GitHub-Hook-ID": "292430182",
      "X-GitHub-Hook-Installation-Target-Type": "repository",
      "X-GitHub-Hook-Installation-Target-ID": "79929171",
      "User-Agent": "GitHub-Hookshot/044aadd",
      Authorization: "Basic x",
      "X-Hub-Signature-256": githubSignature(SECRETS.NEW, BODY),
    };
    expect(receive(hook, BODY, SIGNED).received?.events[0]?.rawHeaders).toEqual({
      "x-github-event": "push",
      "x-github-delivery": HEADERS["X-GitHub-Delivery"],
      "x-github-hook-id": "292430182",
      "x-github-hook-installation-target-type": "repository",
      "x-github-hook-installation-target-id": "79929171",
    });
  });

  it("that name the hook in no known form count as absent", () => {
    const event = receive({ "X-GitHub-Hook-ID": "1, 2" }, BODY).received?.events[0];
    expect(event?.rawHeaders).not.toHaveProperty("x-github-hook-id");
    expect(event?.fingerprint.scope).toBe("");
  });
});

describe("the body", () => {
  it("is kept byte for byte", () => {
    const body = utf8('\ufeff{ "n" : 1.0e2, "n": 12345678901234567890,\r\n"ü":"\\u00fc" } ');
    expect(receive({}, body).received?.events[0]?.event.body).toEqual(body);
  });

  it("is the decoded payload of a form", () => {
    const payload = '{"a":"x + y & ü = 100%"}';
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    for (const form of [
      new URLSearchParams({ payload }).toString(),
      `%70ayload=${encodeURIComponent(payload)}`,
      `&a=b&${new URLSearchParams({ payload })}&c&`,
    ]) {
      expect(textOf(receive(type, form).received?.events[0]?.event.body)).toBe(payload);
    }
  });

  it.each([
    ["", "invalid-form"],
    ["a=b", "invalid-form"],
    ["Payload=%7B%7D", "invalid-form"],
    ["payload=%7B%7D&payload=%7B%7D", "invalid-form"],
    ["payload=%7B%7", "invalid-form"],
    ["payload=%7B%7D&a=%", "invalid-form"],
    ["payload=%zz", "invalid-form"],
    ["payload", "invalid-json"],
    ["payload=", "invalid-json"],
    ["payload=%5B%5D", "invalid-json"],
    ["payload={}x", "invalid-json"],
    ["payload=%22%FF%22", "invalid-utf8"],
    [`payload=${"[".repeat(1_000)}`, "json-too-deep"],
  ])("of a form is refused: %s", (form, reason) => {
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    expect(receive(type, form).rejection?.reason).toBe(reason);
  });

  it("of a form has a bounded number of fields", () => {
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    const form = (fields: number): string => `${"a=b&".repeat(fields - 1)}payload={}`;
    expect(receive(type, form(FORM_FIELDS_MAX)).received?.events).toHaveLength(1);
    expect(receive(type, form(FORM_FIELDS_MAX + 1)).rejection?.reason).toBe("invalid-form");
  });

  it.each([
    ["", "invalid-json"],
    ["{", "invalid-json"],
    ["[]", "invalid-json"],
    ["null", "invalid-json"],
    ["{} {}", "invalid-json"],
    ["{'a':1}", "invalid-json"],
  ])("is refused: %j", (body, reason) => expect(receive({}, body).rejection?.reason).toBe(reason));

  it("is refused when it is not UTF-8", () => {
    for (const bytes of [
      [0x7b, 0xff, 0x7d],
      [...utf8('{"a":"'), 0xc0, 0xa0, ...utf8('"}')],
      [0xff, 0xfe, 0x7b, 0],
    ]) {
      expect(receive({}, Uint8Array.from(bytes)).rejection?.reason).toBe("invalid-utf8");
    }
  });

  it("has a bounded depth", () => {
    const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(receive({}, nested(JSON_DEPTH_MAX)).received?.events).toHaveLength(1);
    expect(receive({}, nested(JSON_DEPTH_MAX + 1)).rejection).toEqual({
      reason: "json-too-deep",
      depthMax: JSON_DEPTH_MAX,
    });
  });
});

describe("the fingerprint", () => {
  const fingerprint = (headers: Headers, body: string) => {
    const event = receive(headers, body).received?.events[0];
    if (event === undefined) throw new Error("the request is accepted");
    return event.fingerprint;
  };

  it("is the same for a payload in either encoding, under any header but the hook's", () => {
    const form = new URLSearchParams({ payload: BODY }).toString();
    const asForm = fingerprint({ "Content-Type": "application/x-www-form-urlencoded" }, form);
    expect(asForm).toEqual(fingerprint({ "X-Other": "1" }, BODY));
  });

  it("conflicts for other bytes from the same hook only", () => {
    const first = fingerprint({ "X-GitHub-Hook-ID": "1" }, BODY);
    expect(first.scope).toBe("1");
    expect(isConflict(first, fingerprint({ "X-GitHub-Hook-ID": "1" }, `${BODY} `))).toBe(true);
    expect(isConflict(first, fingerprint({ "X-GitHub-Hook-ID": "2" }, `${BODY} `))).toBe(false);
    expect(isConflict(first, fingerprint({ "X-GitHub-Hook-ID": "1" }, BODY))).toBe(false);
  });
});

describe("a repeat", () => {
  it("of an id is somebody's redelivery, signed or not", () => {
    const good = githubSignature(SECRETS.NEW, BODY);
    expect(signed(good).received?.events[0]?.repeat).toBe("redelivery");
    expect(receive({}, BODY).received?.events[0]?.repeat).toBe("redelivery");
  });

  const replayOf = (headers: Headers, body: string, config: GithubConfig = SIGNED) => {
    const all = { ...HEADERS, "X-Hub-Signature-256": githubSignature(SECRETS.NEW, body), ...headers };
    const result = github.receive(requestOf(all, body), config, "hub", contextWith(SECRETS));
    if (!result.ok) throw new Error("the request is accepted");
    return result.value.events[0]?.replay;
  };

  it("of signed content is known whatever the headers say, for they are not signed", () => {
    const first = replayOf({}, BODY);
    expect(first?.content).toMatch(/[0-9a-f]{64}$/);
    const changed = { "X-GitHub-Delivery": "another", "X-GitHub-Event": "issues", "X-GitHub-Hook-ID": "9" };
    expect(replayOf(changed, BODY)).toEqual(first);
    expect(replayOf({ "X-Hub-Signature-256": githubSignature(SECRETS.OLD, BODY) }, BODY)).toEqual(first);
    expect(replayOf({}, `${BODY} `)?.content).not.toBe(first?.content);
  });

  it("is flagged, refused or not looked for, as the file says", () => {
    expect(replayOf({}, BODY)).toMatchObject({ refuse: false });
    expect(replayOf({}, BODY, { ...SIGNED, replays: "refuse" })).toMatchObject({ refuse: true });
    expect(replayOf({}, BODY, { ...SIGNED, replays: "ignore" })).toBeUndefined();
  });

  it("can't be told without a signature", () => {
    expect(receive({}, BODY).received?.events[0]).not.toHaveProperty("replay");
  });
});

describe("the key", () => {
  const owners = ["repository", "organization", "installation", "enterprise", "sender"];
  it.each(owners.map((owner, at) => [owner, owners.slice(at)] as const))("is the id of the %s", (owner, present) => {
    const payload = Object.fromEntries(present.map((name, at) => [name, { id: 100 + at }]));
    const { received } = receive({}, JSON.stringify(payload));
    expect(received?.events[0]?.key).toBe(`${owner}:100`);
  });

  it("is the source's name when the payload has no owner", () => {
    for (const body of ["{}", '{"repository":null,"sender":{"id":""}}', '{"__proto__":{"repository":{"id":1}}}']) {
      expect(receive({}, body).received?.events[0]?.key).toBe("hub");
    }
  });
});

describe("attributes", () => {
  const repository = { url: "https://api.github.com/repos/o/r", owner: { url: "https://api.github.com/users/o" } };

  it("of a ping are those of an ordinary event", () => {
    expect(attributesOf({ "X-GitHub-Event": "ping" }, { zen: "Keep it logically awesome.", hook_id: 1 })).toEqual({
      specversion: "1.0",
      id: HEADERS["X-GitHub-Delivery"],
      source: "https://github.com",
      type: "com.github.ping",
      time: NOW,
      datacontenttype: "application/json",
    });
  });

  it("fall back for the source, one place after another", () => {
    const places = [
      { repository: { url: "https://a.example/1" } },
      { organization: { url: "https://a.example/2" } },
      { installation: { account: { url: "https://a.example/3" } } },
      { enterprise: { url: "https://a.example/4" } },
      { sender: { url: "https://a.example/5" } },
    ];
    for (const [at] of places.entries()) {
      const payload = Object.assign({}, ...places.slice(at)) as object;
      expect(attributesOf({ "X-GitHub-Event": "new_one" }, payload)?.source).toBe(`https://a.example/${at + 1}`);
      expect(attributesOf({ "X-GitHub-Event": "issue_comment" }, { ...payload, issue: { url: null } })?.source).toBe(
        `https://a.example/${at + 1}`,
      );
    }
  });

  it("pass over a source that is no URI-reference", () => {
    const sender = { url: "https://api.github.com/users/u" };
    for (const url of ["not a url", "https://a.example/{id}", 'x"y', "a\nb", "", null, {}, "x".repeat(1_025)]) {
      expect(attributesOf({}, { repository: { url }, sender })?.source).toBe(sender.url);
    }
    expect(attributesOf({}, { repository: { url: "x".repeat(1_024) } })?.source).toBe("x".repeat(1_024));
  });

  it("leave out what a type lacks", () => {
    const type = (name: string, payload: object) => attributesOf({ "X-GitHub-Event": name }, payload)?.type;
    expect(type("issues", {})).toBe("com.github.issues");
    expect(type("issues", { action: null })).toBe("com.github.issues");
    expect(type("issues", { action: "a\nb" })).toBe("com.github.issues");
    expect(type("issues", { action: {} })).toBe("com.github.issues");
    expect(type("membership", { scope: "team", action: "added" })).toBe("com.github.membership.team.added");
    expect(type("membership", { action: "added" })).toBe("com.github.membership.added");
    expect(type("status", { state: "success" })).toBe("com.github.status.success");
    expect(type("repository_dispatch", { action: "on-demand" })).toBe("com.github.repository_dispatch.on-demand");
    expect(type("repository_ruleset", { action: "edited" })).toBe("com.github.repository_ruleset.edited");
    expect(type("push", { action: "not part of it" })).toBe("com.github.push");
    expect(type("new_one", { action: "done" })).toBe("com.github.new_one.done");
    expect(type("constructor", {})).toBe("com.github.constructor");
    expect(type("__proto__", {})).toBe("com.github.__proto__");
  });

  it("write numbers as text and omit an unusable subject", () => {
    const subject = (number: unknown) => attributesOf({ "X-GitHub-Event": "issues" }, { issue: { number } })?.subject;
    expect(subject(0)).toBe("0");
    expect(subject(123)).toBe("123");
    expect(subject("12 3")).toBe("12 3");
    for (const unusable of [null, undefined, "", true, [1], {}, "a\u0000", "\ud800", "x".repeat(1_025)]) {
      expect(subject(unusable)).toBeUndefined();
    }
  });

  it("take the time from the payload, or the arrival's", () => {
    const time = (name: string, payload: object) => attributesOf({ "X-GitHub-Event": name }, payload)?.time;
    const issue = (updated_at: unknown) => time("issues", { issue: { updated_at } });
    expect(issue("2019-05-15T15:20:18Z")).toBe("2019-05-15T15:20:18Z");
    expect(issue("2021-04-28T22:32:50.000-04:00")).toBe("2021-04-28T22:32:50.000-04:00");
    expect(issue(1_557_933_591)).toBe("2019-05-15T15:19:51.000Z");
    for (const unusable of [null, "", "yesterday", "2019-05-15", "2019-02-30T00:00:00Z", -1, 1e300, true, {}]) {
      expect(issue(unusable)).toBe(NOW);
    }
    const release = { published_at: "2019-05-15T15:20:53Z", created_at: "2019-05-15T15:19:25Z" };
    expect(time("release", { action: "published", release })).toBe(release.published_at);
    expect(time("release", { action: "created", release })).toBe(release.created_at);
    expect(time("release", { action: "edited", release })).toBe(NOW);
    expect(time("release", { action: "$&", release: { "<action>_at": release.created_at } })).toBe(NOW);
    const run = { completed_at: null, started_at: "2019-05-15T15:20:53Z" };
    expect(time("check_run", { check_run: run })).toBe(run.started_at);
  });

  it("of a marketplace purchase have the sender's URL less the name", () => {
    const source = (url: unknown) =>
      attributesOf({ "X-GitHub-Event": "marketplace_purchase" }, { sender: { url } })?.source;
    expect(source("https://api.github.com/users/username")).toBe("https://api.github.com/users");
    expect(source("https://ghe.example/api/v3/users/u")).toBe("https://ghe.example/api/v3/users");
    expect(source("https://api.github.com")).toBe("https://api.github.com");
    expect(source(null)).toBe("https://github.com");
  });

  it("of a commit comment join the comment and the commit", () => {
    const source = (comment: object) =>
      attributesOf({ "X-GitHub-Event": "commit_comment" }, { comment, repository })?.source;
    expect(source({ url: "https://a.example/c/1", commit_id: "abc" })).toBe("https://a.example/c/1/abc");
    expect(source({ url: "https://a.example/c/1", commit_id: null })).toBe(repository.url);
  });
});

describe("the entry in sources.yaml", () => {
  it("has secrets or says that there are none", () => {
    const value = { auth: "signature", secretNames: ["A"], replays: "flag" };
    expect(github.parse({ secrets: ["A"] })).toEqual({ ok: true, value });
    expect(github.parse({ auth: "none" })).toEqual({ ok: true, value: { auth: "none" } });
    expect(github.secretNames(SIGNED)).toEqual(["NEW", "OLD"]);
  });

  it.each(["flag", "refuse", "ignore"])("may say replays: %s", (replays) => {
    const value = { auth: "signature", secretNames: ["A"], replays };
    expect(github.parse({ secrets: ["A"], replays })).toEqual({ ok: true, value });
  });

  it("has no replays without a signature", () => {
    const parsed = github.parse({ auth: "none", replays: "refuse" });
    expect(parsed.ok ? [] : parsed.error).toEqual([
      { path: ["replays"], at: "key", message: expect.stringContaining("with auth: none nothing is") as string },
    ]);
  });

  it.each([
    [{}, []],
    [{ secrets: ["A"], auth: "none" }, ["auth"]],
    [{ secrets: [] }, ["secrets"]],
    [{ secrets: "A" }, ["secrets"]],
    [{ secrets: ["A", "not a name"] }, ["secrets", 1]],
    [{ auth: "open" }, ["auth"]],
    [{ secrets: ["A"], replays: "drop" }, ["replays"]],
    [{ secrets: ["A"], replays: true }, ["replays"]],
    [{ auth: { bearer: ["A"] } }, ["auth"]],
  ])("is a mistake: %j", (entry, path) => {
    const parsed = github.parse(entry);
    expect(parsed.ok ? [] : parsed.error.map((mistake) => mistake.path)).toContainEqual(path);
    expect(parsed.ok).toBe(false);
  });

  it("has a bounded number of secrets", () => {
    const names = (count: number) => Array.from({ length: count }, (_, at) => `S${at}`);
    expect(github.parse({ secrets: names(SECRETS_MAX) }).ok).toBe(true);
    expect(github.parse({ secrets: names(SECRETS_MAX + 1) }).ok).toBe(false);
  });

  it("never repeats a secret that stands in the wrong place", () => {
    for (const entry of [
      { secrets: ["hunter2 hunter2"] },
      { auth: "hunter2 hunter2" },
      { secrets: "hunter2 hunter2" },
    ]) {
      const parsed = github.parse(entry as never);
      if (parsed.ok) throw new Error("the entry is a mistake");
      expect(JSON.stringify(parsed.error)).not.toContain("hunter2");
    }
  });
});

describe("any request", () => {
  it("is accepted or rejected, never thrown at", () => {
    const type = fc.constantFrom("application/json", "application/x-www-form-urlencoded");
    const payload = fc.json().map((json) => utf8(json));
    const form = fc.json().map((json) => utf8(new URLSearchParams({ payload: json }).toString()));
    const object = fc
      .dictionary(fc.constantFrom("repository", "sender", "action", "issue", "release", "comment"), fc.jsonValue())
      .map((value) => utf8(JSON.stringify(value)));
    const body = fc.oneof(payload, form, object, fc.uint8Array({ maxLength: 60 }));
    const event = fc.oneof(
      fc.constantFrom("push", "issues", "release", "commit_comment"),
      fc.stringMatching(/^[!-~]*$/),
    );
    fc.assert(
      fc.property(
        type,
        event,
        fc.stringMatching(/^[!-~]{0,80}$/),
        body,
        fc.boolean(),
        (type, event, id, body, open) => {
          const headers = { "Content-Type": type, "X-GitHub-Event": event, "X-GitHub-Delivery": id };
          const { received, rejection } = receive(headers, body, open ? OPEN : SIGNED);
          expect((received === undefined) !== (rejection === undefined)).toBe(true);
          expect(open || rejection?.reason === "missing-signature").toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
