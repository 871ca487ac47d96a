/**
 * Recorded webhooks of every vendor: test/conformance/webhooks/<kind>.json. Each says where its vectors come from; every vendor has
 * a genuine, a tampered, a stale and a rotated case.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sources } from "../support/kinds.ts";
import type { HandshakeAnswer, Received, Source, SourceAnswer, SourceRequest } from "../../src/core/source.ts";
import { describeRejection } from "../../src/http/problem.ts";
import type { VectorCase, VectorFile } from "../support/webhook-vectors.ts";
import { VECTOR_KINDS, readVectors, vectorContext, vectorRequest } from "../support/webhook-vectors.ts";

const FOLDER = new URL("webhooks/", import.meta.url);
const described = Object.entries(sources).filter(([, source]) => "description" in source);
const files = readdirSync(fileURLToPath(FOLDER.href)).map((name) => name.replace(/\.json$/, ""));

/** What a case says of its outcome, of what came out. */
function seen({ events, answer }: Received, { expect: wanted }: VectorCase): VectorCase["expect"] {
  const list = events.map(({ event: { attributes }, replay }, index) => {
    const all = { ...attributes, ...(replay === undefined ? {} : { isReplayWatched: true }) } as Record<
      string,
      unknown
    >;
    const names = Object.keys(wanted.events?.[index] ?? {});
    return Object.fromEntries(names.map((name) => [name, all[name]]));
  });
  return { events: list, ...(wanted.answer === undefined ? {} : { answer: answer as SourceAnswer }) };
}

/** What the vendor gets: that it proved something stays here. */
function answerOf({ verifiedBy: _verifiedBy, ...answer }: HandshakeAnswer): SourceAnswer {
  return answer;
}

it("are there for every vendor, and for no other", () => {
  expect(files.toSorted()).toEqual(described.map(([kind]) => kind).toSorted());
});

describe.each(files)("the vectors of %s", (kind) => {
  const file: VectorFile = readVectors(readFileSync(fileURLToPath(new URL(`${kind}.json`, FOLDER).href), "utf8"));
  const source = sources[kind] as Source<unknown>;

  it("say where they come from, and have a case of each kind", () => {
    expect(file.from).toMatch(/^https:\/\//);
    for (const wanted of VECTOR_KINDS) expect(file.cases.map((each) => each.kind)).toContain(wanted);
  });

  it.each(file.cases.map((each) => ({ ...each, title: `${each.kind}: ${each.name}` })))("$title", (one) => {
    // Secrets and `auth: none` don't go together.
    const parsed = source.parse(one.entry?.["auth"] === undefined ? { ...file.entry, ...one.entry } : one.entry);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const request: SourceRequest = vectorRequest(one.request);
    const context = vectorContext(one.now, { ...file.secrets, ...one.secrets });
    const result =
      request.method === "POST"
        ? source.receive(request, parsed.value, kind, context)
        : source.handshake?.(request, parsed.value, context);
    if (result === undefined) throw new Error(`${kind} answers no ${request.method}`);
    if (!result.ok) {
      expect({ reason: result.error.reason }).toEqual(one.expect);
      const { status } = describeRejection(result.error);
      expect(status).toBeGreaterThanOrEqual(400);
      return;
    }
    for (const { event, data } of "events" in result.value ? result.value.events : []) {
      expect(data).toEqual(JSON.parse(new TextDecoder().decode(event.body ?? new Uint8Array())));
    }
    const got = "events" in result.value ? seen(result.value, one) : { answer: answerOf(result.value) };
    expect(got).toEqual(one.expect);
    if ("events" in result.value && one.kind === "genuine") expect(result.value.verifiedBy).toHaveLength(1);
    if ("events" in result.value && one.kind === "rotated") expect(result.value.verifiedBy).not.toContain("OLD_SECRET");
  });
});
