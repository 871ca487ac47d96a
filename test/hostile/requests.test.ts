/**
 * Hostile requests through every source, and what gets in on through matching, transforms and both targets: an answer for
 * everything, no exception, the bytes that came in, headers that can be sent, and no prototype with something new on it.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, eventView } from "../../src/core/event.ts";
import { parseJson } from "../../src/core/json.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Rejection, RejectionReason } from "../../src/core/rejection.ts";
import type { Result } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";
import { compileRunning } from "../../src/core/rule-set.ts";
import type { Received, ReceivedEvent } from "../../src/core/source.ts";
import { applyTransform } from "../../src/core/transform.ts";
import { jsonata } from "../../src/generated/jsonata.ts";
import { rules } from "../../src/generated/rules.ts";
import { sources, targets } from "../support/kinds.ts";
import { describeRejection } from "../../src/http/problem.ts";
import cloudevents from "../../src/sources/cloudevents.ts";
import github from "../../src/sources/github.ts";
import http from "../../src/targets/http.ts";
import { FORMATS } from "../../src/targets/_http-content.ts";
import queue from "../../src/targets/queue.ts";
import { contextWith, githubSignature, requestOf, utf8 } from "../sources/_context.ts";
import { shipmentOf, targetIo } from "../support/target-io.ts";
import { BROKEN_BODIES, HOSTILE_JSON, HOSTILE_NAMES } from "./corpus.ts";

const SECRETS = { SECRET: "source-secret-for-tests", SIGN: "signing-secret-for-tests" };
const context = contextWith(SECRETS);
const ruleSet = compileRunning(rules, { sources, targets, jsonata });

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];
const untouched = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype));

/** Typed so that a reason that is added is added here. */
const REASONS: Readonly<Record<RejectionReason, true>> = {
  "unknown-source": true,
  "source-not-configured": true,
  "body-too-large": true,
  "rules-need-too-much": true,
  "too-many-large-bodies": true,
  "body-timeout": true,
  "body-unreadable": true,
  "unsupported-content-type": true,
  "unsupported-content-encoding": true,
  "malformed-gzip": true,
  "compression-ratio": true,
  "missing-header": true,
  "invalid-header": true,
  "missing-signature": true,
  "malformed-signature": true,
  "wrong-signature": true,
  "stale-timestamp": true,
  "wrong-challenge": true,
  "invalid-payload": true,
  "missing-token": true,
  "wrong-token": true,
  "invalid-utf8": true,
  "invalid-json": true,
  "json-too-deep": true,
  "invalid-form": true,
  "invalid-event": true,
  "batch-too-large": true,
  conflict: true,
  replayed: true,
  "too-many-deliveries": true,
  "backlog-full": true,
  "storage-unavailable": true,
};

const OUTCOMES: Readonly<Record<Outcome["kind"], true>> = {
  delivered: true,
  retryable: true,
  permanent: true,
  unwanted: true,
  released: true,
  held: true,
};

const TARGET_URL = "https://target.example/hooks?team=a";

const httpConfigs = FORMATS.map((format) => {
  const parsed = http.parse({ http: TARGET_URL, format, sign: "SIGN", headers: { "X-Team": "build" } });
  if (!parsed.ok) throw new Error("the entry parses");
  return parsed.value;
});

/** What may stand in a request whatever the event was: nothing of an event makes a header of another name. */
const SENT_HEADER =
  /^(?:user-agent|content-type|x-team|webhook-(?:id|timestamp|signature)|ce-[a-z0-9]+|x-github-(?:event|delivery|hook-[a-z-]+))$/;

async function ship({ event, rawHeaders }: ReceivedEvent): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const config of httpConfigs) {
    const io = targetIo({
      secret: context.secret,
      fetch: async (url, init) => {
        expect(url).toBe(TARGET_URL);
        for (const [name] of new Headers(init.headers)) expect(name).toMatch(SENT_HEADER);
        if (config.format !== "structured") {
          expect(Buffer.compare(init.body as Uint8Array, event.body ?? new Uint8Array())).toBe(0);
        } else JSON.parse(decodeUtf8(init.body as Uint8Array) ?? "");
        return new Response("fine");
      },
    });
    outcomes.push(await http.send(shipmentOf(event, { rawHeaders }), config, 1_000, io));
  }
  const io = targetIo({
    queue: () => ({
      send: async (message) => {
        expect(JSON.parse(message)).toMatchObject({ deliveryid: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W" });
      },
    }),
  });
  outcomes.push(await queue.send(shipmentOf(event, { rawHeaders }), { binding: "AUDIT" }, 1_000, io));
  return outcomes;
}

interface Seen {
  accepted: number;
  refused: number;
}

/** Follows what a source said to the end, and counts it. */
async function follow(result: Result<Received, Rejection>, seen: Seen = { accepted: 0, refused: 0 }): Promise<void> {
  seen[result.ok ? "accepted" : "refused"] += 1;
  if (!result.ok) {
    expect(Object.hasOwn(REASONS, result.error.reason)).toBe(true);
    const problem = describeRejection(result.error);
    expect(problem.detail.length).toBeLessThan(600);
    for (const secret of Object.values(SECRETS)) expect(problem.detail).not.toContain(secret);
    expect(() => new Headers(problem.headers)).not.toThrow();
    return;
  }
  for (const received of result.value.events) {
    const view = eventView(received.event);
    expect(ruleSet.match("default", view).every((rule) => ruleSet.rules.includes(rule))).toBe(true);
    for (const { transform } of ruleSet.rules) {
      if (transform === undefined) continue;
      const made = await applyTransform(transform, view, { acceptedAt: 0, seed: "" });
      if (!made.ok) expect(made.error.reason).toBe("transform-failed");
      else if (made.value.kind === "body") JSON.parse(made.value.text);
    }
    for (const outcome of await ship(received)) {
      expect(Object.hasOwn(OUTCOMES, outcome.kind)).toBe(true);
      // The network is fine here: what can't be sent is known before anything is tried.
      expect(["delivered", "permanent"]).toContain(outcome.kind);
      if (outcome.kind === "permanent") expect(["too-large", "configuration"]).toContain(outcome.reason);
    }
  }
}

function fromGithub(body: Uint8Array, changes: Readonly<Record<string, string>> = {}) {
  const headers = {
    "content-type": "application/json",
    "x-github-event": "issues",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": githubSignature(SECRETS.SECRET, body),
    ...changes,
  };
  const config = { auth: "signature", secretNames: ["SECRET"], replays: "flag" } as const;
  return github.receive(requestOf(headers, body), config, "github", context);
}

function fromCloudEvents(contentType: string, body: Uint8Array, changes: Readonly<Record<string, string>> = {}) {
  const headers = { authorization: `Bearer ${SECRETS.SECRET}`, "content-type": contentType, ...changes };
  return cloudevents.receive(requestOf(headers, body), { auth: "bearer", secretNames: ["SECRET"] }, "events", context);
}

const CE_HEADERS = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "com.example.order.placed" };

/** Where a hostile value stands in a payload: where sources, rules and transforms look, and around all of it. */
const PLACES: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => `{"x":${value}}`,
  (value) => `{"action":${value},"issue":{"title":${value},"labels":[${value}]},"ref":${value},"after":${value}}`,
  (value) => `{"repository":{"id":${value},"full_name":${value},"html_url":${value},"url":${value}},"sender":${value}}`,
  (value) =>
    `{"action":"opened","issue":${value},"repository":${value},"organization":${value},"head_commit":${value}}`,
];

const SHORT_JSON = HOSTILE_JSON.filter((text) => text.length < 200_000);
const EVENT_NAMES = ["issues", "push", "constructor", "tostring", "__proto__", "pull_request"];

describe("a signed webhook", () => {
  it("with any payload is accepted as it came when it is a JSON object of bounded depth, else refused", async () => {
    for (const value of HOSTILE_JSON) {
      for (const place of value.length < 200_000 ? PLACES : PLACES.slice(0, 3)) {
        const body = utf8(place(value));
        const parsed = parseJson(new TextDecoder().decode(body));
        const result = fromGithub(body);
        expect(result.ok, place(value).slice(0, 80)).toBe(parsed.ok && isJsonObject(parsed.value));
        if (result.ok) expect(Buffer.compare(result.value.events[0]?.event.body ?? body.subarray(1), body)).toBe(0);
        await follow(result);
      }
    }
  });

  it("under any event's name and id, as JSON or as a form, has an answer", async () => {
    const seen = { accepted: 0, refused: 0 };
    for (const name of [...EVENT_NAMES, ...HOSTILE_NAMES.filter((each) => /^[ -~]*$/.test(each))]) {
      for (const value of SHORT_JSON.slice(0, 30)) {
        const payload = PLACES[2]?.(value) ?? "";
        await follow(fromGithub(utf8(payload), { "x-github-event": name, "x-github-delivery": name || "x" }), seen);
        const form = utf8(`payload=${encodeURIComponent(payload)}`);
        await follow(
          fromGithub(form, { "content-type": "application/x-www-form-urlencoded", "x-github-event": name }),
          seen,
        );
      }
    }
    expect(seen.accepted).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  }, 20_000);

  it("that is broken is refused, in whatever form", async () => {
    for (const body of BROKEN_BODIES) {
      for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/json;"]) {
        await follow(fromGithub(body, { "content-type": type }));
      }
      expect(fromGithub(body).ok).toBe(false);
    }
  });

  it("is refused after any change to its bytes or its signature", () => {
    const body = utf8('{"action":"opened","issue":{"title":"x"}}');
    const signature = githubSignature(SECRETS.SECRET, body);
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = body.map((byte, index) => (index === at ? byte ^ change : byte));
        const result = fromGithub(changed, { "x-hub-signature-256": signature });
        expect(result).toMatchObject({ ok: false, error: { reason: "wrong-signature" } });
      }),
    );
    const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.nat(signature.length), fc.nat(1), visible, (at, dropped, letter) => {
        const changed = signature.slice(0, at) + letter + signature.slice(at + dropped);
        fc.pre(changed !== signature);
        expect(fromGithub(body, { "x-hub-signature-256": changed }).ok).toBe(false);
      }),
    );
  });
});

describe("a CloudEvent with the right token", () => {
  it("with any data, in each mode, has an answer", async () => {
    const seen = { accepted: 0, refused: 0 };
    for (const value of [...HOSTILE_JSON, ...BROKEN_BODIES.map((each) => new TextDecoder().decode(each))]) {
      const binary = fromCloudEvents("application/json", utf8(value), CE_HEADERS);
      if (binary.ok) expect(Buffer.compare(binary.value.events[0]?.event.body ?? utf8(""), utf8(value))).toBe(0);
      await follow(binary, seen);
      const event = `{"specversion":"1.0","id":"1","source":"/x","type":"t","data":${value}}`;
      await follow(fromCloudEvents("application/cloudevents+json", utf8(event)), seen);
      await follow(fromCloudEvents("application/cloudevents-batch+json", utf8(`[${event},${event}]`)), seen);
      await follow(fromCloudEvents("text/plain", utf8(value), CE_HEADERS), seen);
    }
    expect(seen.accepted).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
  });

  it("with any value or name of an attribute has an answer", async () => {
    const seen = { accepted: 0, refused: 0 };
    for (const value of [...SHORT_JSON, ...HOSTILE_NAMES.map((name) => JSON.stringify(name))]) {
      for (const name of ["id", "source", "type", "subject", "time", "datacontenttype", "specversion", "data_base64"]) {
        const event = `{"specversion":"1.0","id":"1","source":"/x","type":"t",${JSON.stringify(name)}:${value}}`;
        await follow(fromCloudEvents("application/cloudevents+json", utf8(event)), seen);
      }
    }
    for (const name of HOSTILE_NAMES) {
      const event = { specversion: "1.0", id: name, source: "/x", type: name, subject: name };
      const text = JSON.stringify(event).replace(/\}$/, `,${JSON.stringify(name)}:"x"}`);
      await follow(fromCloudEvents("application/cloudevents+json", utf8(text)), seen);
    }
    expect(seen.accepted).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
  });

  it("under any headers has an answer", async () => {
    const name = fc.oneof(
      fc.constantFrom(
        ...Object.keys(CE_HEADERS),
        "content-type",
        "ce-time",
        "ce-subject",
        "ce-constructor",
        "ce-__proto__",
      ),
      fc.stringMatching(/^ce-[a-z0-9_-]{1,30}$/),
    );
    const value = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
      fc.constantFrom("%00", "%0d%0ax: 1", "%ed%a0%80", "%ff", "%", '"\\', '"a"b"', "application/cloudevents+x", ";=;"),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value), fc.uint8Array({ maxLength: 64 }), async (headers, body) => {
        const sendable = Object.fromEntries(
          Object.entries(headers).filter(([, text]) => !/[\u007f-\u009f]/.test(text)),
        );
        await follow(fromCloudEvents("application/json", body, { ...CE_HEADERS, ...sendable }));
        await follow(fromGithub(body, sendable));
      }),
      { numRuns: 300 },
    );
  });
});

it("JSON of any shape with hostile names in it goes through, and comes out as the bytes that came in", async () => {
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(...SHORT_JSON.filter((text) => text.length < 300)),
      fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
      fc.double().map((number) => JSON.stringify(number)),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      fc
        .array(fc.tuple(fc.constantFrom(...HOSTILE_NAMES, "id", "action", "full_name"), tie("value")), { maxLength: 4 })
        .map((members) => `{${members.map(([name, member]) => `${JSON.stringify(name)}:${member}`).join(",")}}`),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(value, fc.constantFrom(...PLACES), fc.constantFrom(...EVENT_NAMES), async (text, place, name) => {
      await follow(fromGithub(utf8(place(text)), { "x-github-event": name }));
      await follow(fromCloudEvents("application/json", utf8(place(text)), CE_HEADERS));
    }),
    { numRuns: 300 },
  );
});

it("no prototype has got anything new from all of this", () => {
  expect(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype))).toEqual(untouched);
  expect("polluted" in {}).toBe(false);
});
