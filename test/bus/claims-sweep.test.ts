import { expect, it } from "vitest";
import { CLAIM_MS } from "../../src/bus/claims.ts";
import { CLAIM_KEPT_MS, CLAIMS_PAGE_KEYS, CLAIMS_PAGES_MAX, sweepClaims } from "../../src/bus/claims-sweep.ts";
import { memoryBodyStore } from "../support/body-store.ts";

const NOW = 1_800_000_000_000;
const bytes = new Uint8Array([1]);

function storeOf(uploads: Readonly<Record<string, number>>) {
  const bodies = memoryBodyStore(() => NOW);
  for (const [key, uploadedAt] of Object.entries(uploads)) {
    bodies.objects.set(key, { bytes, contentType: undefined, uploadedAt });
  }
  const logs: string[] = [];
  const sweep = () =>
    sweepClaims({
      bodies,
      now: () => NOW,
      log: (message, fields) => void logs.push(`${message} ${JSON.stringify(fields)}`),
    });
  return { bodies, logs, sweep };
}

it("removes claims that no message can refer to any more, and nothing else", async () => {
  const { bodies, logs, sweep } = storeOf({
    "claims/2027-01-01/a/0": NOW - CLAIM_KEPT_MS - 1,
    "claims/2027-01-02/a/0": NOW - CLAIM_KEPT_MS,
    "claims/2027-01-15/a/0": NOW,
    "bodies/2027-01-01/p/0": NOW - 10 * CLAIM_KEPT_MS,
  });
  await sweep();
  expect([...bodies.objects.keys()]).toEqual([
    "claims/2027-01-02/a/0",
    "claims/2027-01-15/a/0",
    "bodies/2027-01-01/p/0",
  ]);
  expect(logs).toEqual(['claims.swept {"removed":1}']);
});

it("keeps a claim longer than its token is good", () => {
  expect(CLAIM_KEPT_MS).toBeGreaterThan(CLAIM_MS + 3_600_000);
});

it("removes so many in one run, and goes on in the next", async () => {
  const most = CLAIMS_PAGE_KEYS * CLAIMS_PAGES_MAX;
  const uploads = Array.from(
    { length: most + 1 },
    (_, n) => [`claims/2027-01-01/${String(n).padStart(6, "0")}`, 0] as const,
  );
  const { bodies, sweep } = storeOf(Object.fromEntries(uploads));
  await sweep();
  expect(bodies.objects.size).toBe(1);
  await sweep();
  expect(bodies.objects.size).toBe(0);
});

it("asks once when nothing is old", async () => {
  const { bodies, sweep, logs } = storeOf({ "claims/2027-01-15/a/0": NOW });
  await sweep();
  expect(bodies.objects.size).toBe(1);
  expect(logs).toEqual([]);
});

it("does not throw when the store fails, nor without one", async () => {
  const logs: string[] = [];
  const ports = { now: () => NOW, log: (message: string) => void logs.push(message) };
  const bodies = { ...memoryBodyStore(), list: () => Promise.reject(new Error("no")) };
  await sweepClaims({ ...ports, bodies });
  await sweepClaims({ ...ports, bodies: undefined });
  expect(logs).toEqual(["claims.sweep-failed"]);
});
