/** What every source must hold, whichever file in src/sources it is. A new file is picked up by being there. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import type { Source } from "../../src/core/source.ts";
import { contextWith, requestOf, utf8 } from "../sources/_context.ts";

const FOLDER = new URL("../../src/sources/", import.meta.url);

const files = readdirSync(fileURLToPath(FOLDER.href)).filter((file) => file.endsWith(".ts") && !file.startsWith("_"));

const sources = await Promise.all(
  files.map(async (file) => {
    const module = (await import(new URL(file, FOLDER).href)) as { readonly default: Source<unknown> };
    return { kind: file.replace(/\.ts$/, ""), source: module.default };
  }),
);

const SECRET_NAMES = ["FIRST_SECRET", "SECOND_SECRET"];
/** Valid in every form that a key can have: text, hexadecimal digits, base64. */
const SECRETS = { FIRST_SECRET: "f1".repeat(32), SECOND_SECRET: "5e".repeat(32) };

/** The ways in which an entry names what it authenticates by. */
const CLOSED_ENTRIES: readonly JsonObject[] = [
  { secrets: SECRET_NAMES },
  { auth: { bearer: SECRET_NAMES } },
  { secrets: SECRET_NAMES, header: "X-Signature" },
];

function closedEntry(source: Source<unknown>): JsonObject {
  const entry = CLOSED_ENTRIES.find((entry) => source.parse(entry).ok);
  if (entry === undefined) throw new Error(`no closed entry for ${source.kind}: add its form to CLOSED_ENTRIES`);
  return entry;
}

function configOf(source: Source<unknown>, entry: JsonObject): unknown {
  const parsed = source.parse(entry);
  if (!parsed.ok) throw new Error(`the entry parses: ${JSON.stringify(parsed.error)}`);
  return parsed.value;
}

function pathsOf(source: Source<unknown>, entry: JsonObject): readonly string[] {
  const parsed = source.parse(entry);
  return parsed.ok ? [] : parsed.error.map((mistake) => JSON.stringify(mistake.path));
}

function deepFreeze<Value extends Json>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

/** Content types under which some source would read a body. */
const CONTENT_TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
];

/** Bodies that no reader gets past: an answer about their content would show that they were read. */
const UNREADABLE = [utf8("{"), utf8("payload=%zz"), utf8("[".repeat(10_000)), Uint8Array.of(0xff, 0xfe)];

const UNAUTHENTICATED = ["missing-signature", "malformed-signature", "wrong-signature", "missing-token", "wrong-token"];

it("finds the sources that are known to be there", () => {
  expect(sources.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["cloudevents", "github"]));
});

describe.each(sources)("the source $kind", ({ kind, source }) => {
  it("is named like its file and says what it is", () => {
    expect(source.kind).toBe(kind);
    expect(source.summary).toMatch(/^\S[^\n]{10,100}[^.\s]$/);
    for (const member of ["parse", "secretNames", "isOpen", "receive"] as const) {
      expect(typeof source[member]).toBe("function");
    }
  });

  it("needs to be told how requests are authenticated", () => {
    expect(pathsOf(source, {})).toEqual(["[]"]);
    for (const auth of [null, true, false, "", "None", "open", [], {}, ["none"]]) {
      expect(pathsOf(source, { auth })).not.toEqual([]);
    }
  });

  it("refuses unknown keys, each at its place", () => {
    const paths = pathsOf(source, { ...closedEntry(source), secretss: ["A"], kind: "x" });
    expect(paths).toEqual(expect.arrayContaining(['["secretss"]', '["kind"]']));
    expect(
      pathsOf(source, JSON.parse('{"auth":"none","__proto__":{"a":1},"constructor":1}') as JsonObject),
    ).toHaveLength(2);
  });

  it("names its secrets and never holds one", () => {
    expect(source.secretNames(configOf(source, closedEntry(source)))).toEqual(SECRET_NAMES);
    expect(source.secretNames(configOf(source, { auth: "none" }))).toEqual([]);
    const pasted = JSON.parse(JSON.stringify(closedEntry(source)).replaceAll("FIRST_SECRET", "hunter2!")) as JsonObject;
    const parsed = source.parse(pasted);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });

  it("is open only where the file says auth: none", () => {
    expect(source.isOpen(configOf(source, { auth: "none" }))).toBe(true);
    expect(source.isOpen(configOf(source, closedEntry(source)))).toBe(false);
  });

  it("makes a configuration that is the same when it was written as JSON into the generated rules", () => {
    const config: unknown = configOf(source, closedEntry(source));
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it("leaves the entry as it was", () => {
    expect(source.parse(deepFreeze(structuredClone(closedEntry(source)) as { [name: string]: Json })).ok).toBe(true);
  });

  it("refuses a request that proves nothing, before it reads it", () => {
    const config = configOf(source, closedEntry(source));
    const reasons = new Set<string>();
    for (const contentType of CONTENT_TYPES) {
      for (const body of UNREADABLE) {
        const result = source.receive(
          requestOf({ "content-type": contentType }, body),
          config,
          kind,
          contextWith(SECRETS),
        );
        if (result.ok) throw new Error("an unauthenticated request is refused");
        reasons.add(result.error.reason);
        expect([...UNAUTHENTICATED, "unsupported-content-type"]).toContain(result.error.reason);
      }
    }
    expect([...reasons].some((reason) => UNAUTHENTICATED.includes(reason))).toBe(true);
  });

  it("says that it is not configured while none of its secrets is set, and never falls open", () => {
    const config = configOf(source, closedEntry(source));
    for (const secrets of [{}, { FIRST_SECRET: "" }]) {
      for (const contentType of CONTENT_TYPES) {
        const headers = { "content-type": contentType, authorization: "Bearer ", "ce-specversion": "1.0" };
        const result = source.receive(requestOf(headers, "{}"), config, kind, contextWith(secrets));
        if (result.ok) throw new Error("a source without secrets accepts nothing");
        if (result.error.reason === "unsupported-content-type") continue;
        expect(result.error).toEqual({ reason: "source-not-configured", secretNames: SECRET_NAMES });
      }
    }
  });

  it("answers every request as data, the same request with the same answer, and no secret in it", () => {
    const header = fc.constantFrom(
      "authorization",
      "x-hub-signature-256",
      "x-github-event",
      "ce-id",
      "ce-specversion",
      "x-a",
    );
    const headers = fc.dictionary(header, fc.stringMatching(/^[ -~]{0,40}$/));
    const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.json().map(utf8));
    const entry = fc.constantFrom<JsonObject>({ auth: "none" }, closedEntry(source));
    fc.assert(
      fc.property(fc.constantFrom(...CONTENT_TYPES), headers, body, entry, (contentType, headers, body, entry) => {
        const config = configOf(source, entry);
        const before = body.slice();
        const receive = () =>
          source.receive(
            requestOf({ ...headers, "content-type": contentType }, body),
            config,
            kind,
            contextWith(SECRETS),
          );
        const result = receive();
        expect(receive()).toEqual(result);
        expect(body).toEqual(before);
        for (const secret of Object.values(SECRETS)) expect(JSON.stringify(result)).not.toContain(secret);
      }),
      { numRuns: 300 },
    );
  });
});
