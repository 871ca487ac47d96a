import { describe, expect, it } from "vitest";
import { writeDataToken } from "../../src/core/data-token.ts";
import { hashing } from "../../src/hashing.ts";
import type { DataPorts } from "../../src/http/data.ts";
import { DATA_CACHE_SECONDS_MAX, serveData } from "../../src/http/data.ts";
import { memoryBodyStore } from "../support/body-store.ts";
import { secretsFrom } from "../support/target-io.ts";

const NOW = 1_800_000_000_000;
const DATA_SECRET = "a-secret-of-the-data-tokens";
const KEY = "claims/2027-01-15/msg_1/0";
const ETAG = '"10-etag"';
const logs: string[] = [];

const bodies = memoryBodyStore();
await bodies.put(KEY, new TextEncoder().encode("0123456789"), "application/json");
await bodies.put("empty", new Uint8Array(), undefined);

function tokenFor(key: string, expiresAt = NOW + 60_000): string {
  return writeDataToken({ key, expiresAt }, DATA_SECRET, hashing);
}

async function ask(
  headers: Record<string, string> = {},
  { token = tokenFor(KEY), method = "GET", ports = {} as Partial<DataPorts> } = {},
) {
  const request = new Request("https://sluice.example/data/x", { method, headers });
  const all = {
    bodies,
    secret: secretsFrom({ DATA_SECRET }),
    hashing,
    now: () => NOW,
    log: (text: string) => void logs.push(text),
  };
  const response = await serveData(request, token, { ...all, ...ports });
  const shown = Object.fromEntries(response.headers);
  const text = await response.text();
  // A body that is neither read nor cancelled keeps its connection.
  expect(bodies.openBodies()).toBe(0);
  return { status: response.status, headers: shown, text };
}

describe("a claimed body", () => {
  it("is answered whole, as a file of its own type that no browser runs", async () => {
    const { status, headers, text } = await ask();
    expect([status, text]).toEqual([200, "0123456789"]);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": "10",
      "content-disposition": "attachment",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes",
      etag: ETAG,
    });
  });

  it("without a type is bytes", async () => {
    const { headers, text } = await ask({}, { token: tokenFor("empty") });
    expect([headers["content-type"], text]).toEqual(["application/octet-stream", ""]);
  });

  it("is kept by a cache no longer than its token is good, nor longer than an hour", async () => {
    const ageOf = async (leftMs: number) =>
      (await ask({}, { token: tokenFor(KEY, NOW + leftMs) })).headers["cache-control"];
    expect(await ageOf(5_000)).toBe("private, no-transform, max-age=5");
    expect(await ageOf(86_400_000)).toBe(`private, no-transform, max-age=${DATA_CACHE_SECONDS_MAX}`);
  });

  it("is described to HEAD, ranges or not", async () => {
    for (const range of ["", "bytes=2-3"]) {
      const { status, headers, text } = await ask(range === "" ? {} : { range }, { method: "HEAD" });
      expect([status, headers["content-length"], text]).toEqual([200, "10", ""]);
    }
  });

  it.each([
    ["bytes=0-0", "0", "bytes 0-0/10"],
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
    ["bytes=9-999", "9", "bytes 9-9/10"],
    ["BYTES=1-1", "1", "bytes 1-1/10"],
  ])("is answered in part for %s", async (range, expected, contentRange) => {
    const { status, headers, text } = await ask({ range });
    expect([status, text, headers["content-range"]]).toEqual([206, expected, contentRange]);
    expect(headers["content-length"]).toBe(String(expected.length));
  });

  it.each(["bytes=10-", "bytes=-0", "bytes=99-100"])("has nothing for %s", async (range) => {
    const { status, headers } = await ask({ range });
    expect([status, headers["content-range"], headers["content-type"]]).toEqual([
      416,
      "bytes */10",
      "application/problem+json",
    ]);
  });

  it.each(["bytes=0-1,3-4", "bytes=4-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", `bytes=0-${"9".repeat(40)}`])(
    "is answered whole for %s",
    async (range) => expect(await ask({ range })).toMatchObject({ status: 200, text: "0123456789" }),
  );

  it("that is empty has no range", async () => {
    expect((await ask({ range: "bytes=0-" }, { token: tokenFor("empty") })).status).toBe(416);
  });

  it.each([ETAG, `"other", ${ETAG}`, `W/${ETAG}`, "*"])("is not sent again to who has it: %s", async (tag) => {
    const { status, headers, text } = await ask({ "if-none-match": tag, range: "bytes=0-1" });
    expect([status, headers["etag"], text]).toEqual([304, ETAG, ""]);
  });

  it("is answered in part only if it is the one that the rest belongs to", async () => {
    expect((await ask({ range: "bytes=0-1", "if-range": ETAG })).status).toBe(206);
    expect((await ask({ range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
  });
});

describe("a refused request for a body", () => {
  const typeOf = (text: string) => (JSON.parse(text) as { type: string }).type;

  it("tells an end of its time from a body that is gone only to who has a right token", async () => {
    const refused = async (token: string) => {
      const { status, text } = await ask({}, { token });
      return [status, typeOf(text)];
    };
    expect(await refused(tokenFor(KEY, NOW))).toEqual([410, "urn:sluice:problem:data-expired"]);
    expect(await refused(tokenFor("claims/gone"))).toEqual([404, "urn:sluice:problem:data-removed"]);
    const forged = `${tokenFor(KEY, NOW).slice(0, -2)}AA`;
    expect(await refused(forged)).toEqual([404, "urn:sluice:problem:not-found"]);
    expect(await refused("nothing")).toEqual([404, "urn:sluice:problem:not-found"]);
  });

  it.each([
    ["DATA_SECRET", { secret: () => undefined }],
    ["DATA_SECRET", { secret: secretsFrom({ DATA_SECRET: "short" }) }],
    ["BODIES", { bodies: undefined }],
  ])("says that %s is missing", async (name, ports) => {
    const { status, text } = await ask({}, { ports });
    expect(status).toBe(503);
    expect(text).toContain(name);
  });

  it("is one to try again when the store fails, and the log says why", async () => {
    const failing = { ...bodies, read: () => Promise.reject(new Error("internal error")) };
    const { status, headers } = await ask({}, { ports: { bodies: failing } });
    expect([status, headers["retry-after"]]).toEqual([503, "5"]);
    expect(logs).toEqual(["data.failed"]);
  });

  it("shows neither the secret nor the key", async () => {
    for (const token of [tokenFor(KEY, NOW), tokenFor("claims/gone"), "x"]) {
      const { text } = await ask({}, { token });
      expect(text).not.toContain(DATA_SECRET);
      expect(text).not.toContain("claims");
    }
  });
});
