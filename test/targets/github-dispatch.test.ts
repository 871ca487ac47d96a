import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { EVENT_TYPE_CHARS_MAX } from "../../src/targets/_event-type.ts";
import githubDispatch, {
  CLIENT_PAYLOAD_BYTES_MAX,
  CLIENT_PAYLOAD_MEMBERS_MAX,
  outcomeOfGithubDispatch,
} from "../../src/targets/github-dispatch.ts";
import { LOCAL, eventWith } from "../support/target-io.ts";
import { answerOf, configOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;
const members = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, n]));

describe("a repository_dispatch", () => {
  it("is asked of the repository's API with the token", async () => {
    const { url, headers } = await sendBy(githubDispatch);
    expect(url).toBe("https://api.github.com/repos/octocat/hello/dispatches");
    expect(headers.get("authorization")).toBe("Bearer github-token-0007");
    expect(headers.get("accept")).toBe("application/vnd.github+json");
    expect(headers.get("x-github-api-version")).toBe("2022-11-28");
    // GitHub refuses requests without one.
    expect(headers.get("user-agent")).toBe("Sluice/1");
  });

  it.each(["https://github.example.com/api/v3", "https://github.example.com/api/v3/"])("goes to %s", async (api) => {
    const { url } = await sendBy(githubDispatch, { entry: { api } });
    expect(url).toBe("https://github.example.com/api/v3/repos/octocat/hello/dispatches");
    expect(githubDispatch.urls(configOf(githubDispatch, { api }))).toEqual([api]);
  });

  it("works on this machine only where its api is there", async () => {
    const config = configOf(githubDispatch, { api: "http://localhost:3000/" });
    expect(githubDispatch.localOnly(config)).toEqual([expect.stringContaining("localhost:3000")]);
    const entry = { api: "http://localhost:3000/" };
    expect((await sendBy(githubDispatch, { entry })).outcome).toMatchObject({
      kind: "permanent",
      reason: "configuration",
    });
    const local = await sendBy(githubDispatch, { entry, io: { local: LOCAL } });
    expect(local.url).toBe("http://localhost:3000/repos/octocat/hello/dispatches");
  });

  it("without a transform carries the event, its data as it came and without extensions", async () => {
    const event = eventWith('{ "n": 12345678901234567890 }', { subject: "main", partitionkey: "7", sluicehops: 1 });
    expect((await sendBy(githubDispatch, { event })).text).toBe(
      '{"event_type":"com.github.push","client_payload":{"specversion":"1.0","id":"72d3162e-cc78-11e3-81ab-4c9367dc0958",' +
        '"source":"https://github.com/octocat/hello","type":"com.github.push","subject":"main",' +
        '"datacontenttype":"application/json","data":{ "n": 12345678901234567890 }}}',
    );
  });

  it("carries a transform's object, or its text under the name text, with the entry's event type", async () => {
    const entry = { "event-type": "deploy" };
    expect((await sendBy(githubDispatch, { entry, made: { sha: "abc" } })).body).toEqual({
      event_type: "deploy",
      client_payload: { sha: "abc" },
    });
    expect((await sendBy(githubDispatch, { entry, made: "abc" })).body).toEqual({
      event_type: "deploy",
      client_payload: { text: "abc" },
    });
  });

  it("has at most CLIENT_PAYLOAD_MEMBERS_MAX members", async () => {
    const fits = await sendBy(githubDispatch, { made: members(CLIENT_PAYLOAD_MEMBERS_MAX) });
    expect(fits.outcome).toMatchObject({ kind: "delivered" });
    const { outcome, url } = await sendBy(githubDispatch, { made: members(CLIENT_PAYLOAD_MEMBERS_MAX + 1) });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
      detail: "the transform's object has 11 members, a client_payload takes 10; put them into one",
    });
  });

  it("has at most CLIENT_PAYLOAD_BYTES_MAX bytes: a text is cut, an object or an event refused", async () => {
    const made = (chars: number): Json => ({ a: "x".repeat(chars) });
    const room = CLIENT_PAYLOAD_BYTES_MAX - JSON.stringify(made(0)).length;
    expect((await sendBy(githubDispatch, { made: made(room) })).outcome).toMatchObject({ kind: "delivered" });
    const tooLarge = { kind: "permanent", reason: "too-large" };
    expect((await sendBy(githubDispatch, { made: made(room + 1) })).outcome).toMatchObject(tooLarge);
    const event = eventWith(JSON.stringify(made(CLIENT_PAYLOAD_BYTES_MAX)));
    expect((await sendBy(githubDispatch, { event })).outcome).toMatchObject(tooLarge);
    const large = { event: eventWith(null), shipment: { large: { key: "k", bytes: 9_000_000 } } };
    expect((await sendBy(githubDispatch, large)).outcome).toMatchObject(tooLarge);
    const text = await sendBy(githubDispatch, { made: "é".repeat(CLIENT_PAYLOAD_BYTES_MAX) });
    expect(Buffer.byteLength(JSON.stringify(text.body["client_payload"]))).toBeLessThanOrEqual(
      CLIENT_PAYLOAD_BYTES_MAX,
    );
  });

  it("has an event type of at most EVENT_TYPE_CHARS_MAX characters", async () => {
    const event = (chars: number) => eventWith("{}", { type: "t".repeat(chars) });
    expect((await sendBy(githubDispatch, { event: event(EVENT_TYPE_CHARS_MAX) })).outcome).toMatchObject({
      kind: "delivered",
    });
    expect((await sendBy(githubDispatch, { event: event(EVENT_TYPE_CHARS_MAX + 1) })).outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
      detail: "the event's type has 101 characters, GitHub takes 100; set event-type in targets.yaml",
    });
  });

  it.each(["octocat", "octocat/hello/x", "../hello", "octocat/..", "octocat/a b", "octocat/a?b", "", "-x/y"])(
    "is not asked of %j",
    (repository) => {
      expect(githubDispatch.parse({ "github-dispatch": repository, token: "T" })).toMatchObject({
        ok: false,
        error: [{ path: ["github-dispatch"] }],
      });
    },
  );

  it("takes no query in its api, and no token that a header can't hold", async () => {
    const parsed = githubDispatch.parse({ "github-dispatch": "a/b", token: "T", api: "https://x.example.com/?a" });
    expect(parsed).toMatchObject({ ok: false, error: [{ path: ["api"] }] });
    const { outcome } = await sendBy(githubDispatch, { secrets: { DEPLOY_TOKEN: "hunter22\nx" } });
    expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect(JSON.stringify(outcome)).not.toContain("hunter22");
  });
});

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit; messages as GitHub sends them. */
describe("an answer of GitHub's", () => {
  it("204 is a delivery", () => {
    expect(outcomeOfGithubDispatch(answerOf(204), NOW)).toEqual({ kind: "delivered", answer: { status: 204 } });
  });

  const SECONDARY =
    '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}';
  const PRIMARY = '{"message":"API rate limit exceeded for user ID 1."}';
  const RESET = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1_000 + 90) };

  it.each<[number, string, Record<string, string>, number]>([
    [403, SECONDARY, { "retry-after": "120" }, 120_000],
    [429, SECONDARY, { "retry-after": "120", ...RESET }, 120_000],
    [403, SECONDARY, {}, 60_000],
    [403, PRIMARY, RESET, 90_000],
    [429, PRIMARY, RESET, 90_000],
    [403, "", { ...RESET, "x-ratelimit-reset": String(NOW / 1_000 - 5) }, 0],
    [403, "", { "x-ratelimit-remaining": "0" }, 60_000],
    [403, "", { ...RESET, "x-ratelimit-reset": String(NOW / 1_000 + 1_000_000) }, 86_400_000],
  ])("%i %s with %j says when", (status, body, headers, retryAfterMs) => {
    expect(outcomeOfGithubDispatch(answerOf(status, body, headers), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs,
    });
  });

  it.each([
    [401, '{"message":"Bad credentials"}', "401: Bad credentials (the token is wrong"],
    [
      403,
      '{"message":"Resource not accessible by personal access token"}',
      "403: Resource not accessible by personal access token (the token may not",
    ],
    [404, '{"message":"Not Found"}', "404: Not Found (the repository is not there"],
    [
      422,
      '{"message":"Invalid request.\\n\\nNo more than 10 properties are allowed"}',
      "422: Invalid request. No more than 10",
    ],
    [404, "", "404 (the repository"],
  ])("%i %s is final", (status, body, words) => {
    // A spent limit is told with every answer; it refuses nothing else.
    const headers = { "x-ratelimit-remaining": "4999" };
    expect(outcomeOfGithubDispatch(answerOf(status, body, headers), NOW)).toMatchObject({
      kind: "permanent",
      reason: "status",
      detail: expect.stringContaining(words) as string,
    });
  });

  it("of a repository that was renamed is a redirect, of a server in trouble tried again", () => {
    expect(outcomeOfGithubDispatch(answerOf(307), NOW)).toMatchObject({ kind: "permanent", reason: "redirect" });
    expect(outcomeOfGithubDispatch(answerOf(502), NOW)).toMatchObject({ kind: "retryable" });
  });
});
