import { describe, expect, test } from "vitest";
import { pruneStored, readLargeView } from "../../src/bus/large-view.ts";
import { PRUNED_BYTES_MAX } from "../../src/core/json-prune.ts";
import type { Json } from "../../src/core/result.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { eventWith } from "../support/target-io.ts";

const LARGE = { key: "bodies/k", bytes: 3_000_000 };
const PAYLOAD = JSON.stringify({ ref: "main", big: "x".repeat(PRUNED_BYTES_MAX), list: [{ n: 1 }, { n: 2 }] });

async function view(transform: Json, stored: string | null | Error = PAYLOAD, within = true) {
  const parsed = parseTransform(transform, jsonataEngine);
  if (!parsed.ok) throw new Error("the transform parses");
  let opened = 0;
  const read = await readLargeView(parsed.value, eventWith("{}").attributes, LARGE, {
    timeoutMs: 1_000,
    within: async (work) => (within ? work : "timeout"),
    io: {
      openBody: async () => {
        opened += 1;
        if (stored instanceof Error) throw stored;
        return stored === null ? null : (new Blob([stored]).stream() as ReadableStream<Uint8Array>);
      },
    },
  });
  return read.ok ? { view: read.value(), opened } : { outcome: read.error, opened };
}

describe("what a transform sees of a stored payload", () => {
  test("is the attributes and the parts that it names", async () => {
    const { view: seen } = await view({ template: { paths: { r: "$.data.ref", n: "$.data.list[1].n" }, body: "<r>" } });
    expect(seen).toEqual({ ...eventWith("{}").attributes, data: { ref: "main", list: [{ n: 1 }, { n: 2 }] } });
  });

  test("is the attributes where it names no data, and nothing is read", async () => {
    expect(await view({ path: "$.type" })).toEqual({ view: { ...eventWith("{}").attributes }, opened: 0 });
    expect(await view({ constant: 1 })).toMatchObject({ opened: 0 });
  });

  test.each([
    ["all of it", { path: "$.data" }, "the path $.data reads the whole payload"],
    ["an expression", { jsonata: "data.ref" }, "a JSONata expression may read the whole payload"],
    ["a part that is too large", { path: "$.data.big" }, `over ${PRUNED_BYTES_MAX} bytes`],
  ] as const)("can't be %s", async (_, transform, detail) => {
    const { outcome } = await view(transform as Json);
    expect(outcome).toMatchObject({ kind: "permanent", reason: "too-large", detail: expect.stringContaining(detail) });
  });

  test("is not there when the body is gone, out of reach, too slow or another", async () => {
    const ref = { path: "$.data.ref" };
    expect((await view(ref, null)).outcome).toMatchObject({ kind: "permanent", reason: "body-missing" });
    expect((await view(ref, new Error("away"))).outcome).toMatchObject({ kind: "retryable", reason: "network" });
    expect((await view(ref, PAYLOAD, false)).outcome).toMatchObject({ kind: "retryable", reason: "timeout" });
    expect((await view(ref, PAYLOAD.slice(0, -1))).outcome).toMatchObject({ kind: "permanent", reason: "too-large" });
  });
});

test("a payload that comes too late is let go of, so that its connection is free again", async () => {
  const parsed = parseTransform({ path: "$.data.ref" }, jsonataEngine);
  if (!parsed.ok) throw new Error("the transform parses");
  let cancelled = false;
  const hanging = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true;
    },
  });
  const read = await readLargeView(parsed.value, eventWith("{}").attributes, LARGE, {
    timeoutMs: 1_000,
    within: async () => new Promise((resolve) => setImmediate(() => resolve("timeout"))),
    io: { openBody: async () => hanging },
  });
  expect(read).toMatchObject({ error: { kind: "retryable", reason: "timeout" } });
  expect(cancelled).toBe(true);
});

test("what is kept of a stored payload is JSON", async () => {
  const open = async () => new Blob([PAYLOAD]).stream() as ReadableStream<Uint8Array>;
  const pruned = await pruneStored([{ names: ["ref"], depth: "values" }], "k", open);
  expect(pruned.ok && new TextDecoder().decode(pruned.value)).toBe('{"ref":"main"}');
});
