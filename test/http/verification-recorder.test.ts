import { describe, expect, it } from "vitest";
import type { VerificationEntry } from "../../src/bus/ports.ts";
import { WRITE_AGAIN_MS, WRITE_EVERY_MS, createVerificationRecorder } from "../../src/http/verification-recorder.ts";

function openBench() {
  const written: VerificationEntry[] = [];
  let now = 1_000;
  let broken = false;
  const recorderFor = createVerificationRecorder();
  const recorderOf = (write: () => Promise<void>) =>
    recorderFor({
      now: () => now,
      write: (source, entries) => {
        expect(entries.every((entry) => entry.source === source)).toBe(true);
        written.push(...entries);
        return write();
      },
    });
  return {
    written: () => written.splice(0),
    /** Each request has a recorder of its own; what they remember is one. */
    record: (source: string, ...secrets: readonly string[]) =>
      recorderOf(() => (broken ? Promise.reject(new Error("out of reach")) : Promise.resolve())).record(
        source,
        secrets,
      ),
    recordAndDie: (source: string, ...secrets: readonly string[]) =>
      void recorderOf(() => new Promise(() => {})).record(source, secrets),
    wait: (ms: number) => void (now += ms),
    break: (is: boolean) => void (broken = is),
  };
}

describe("the recorder of verifications", () => {
  it("writes a secret at once when it is first seen, then once a minute", async () => {
    const { record, written, wait } = openBench();
    await record("github", "OLD");
    expect(written()).toEqual([{ source: "github", secret: "OLD", at: 1_000 }]);
    wait(WRITE_EVERY_MS - 1);
    await record("github", "OLD");
    expect(written()).toEqual([]);
    wait(1);
    await record("github", "OLD");
    expect(written()).toEqual([{ source: "github", secret: "OLD", at: 1_000 + WRITE_EVERY_MS }]);
  });

  it("costs one row a minute however many requests there are", async () => {
    const { record, written, wait } = openBench();
    for (let n = 0; n < 3_000; n++) {
      await record("github", "OLD");
      wait(WRITE_EVERY_MS / 1_000);
    }
    expect(written()).toHaveLength(3);
  });

  it("keeps each secret of each source apart", async () => {
    const { record, written } = openBench();
    await record("github", "NEW", "OLD");
    await record("github", "OLD");
    await record("events", "OLD");
    expect(written().map(({ source, secret }) => `${source} ${secret}`)).toEqual([
      "github NEW",
      "github OLD",
      "events OLD",
    ]);
  });

  it("tells who waits that a write failed, and tries again with a later request, not with each", async () => {
    const { record, written, wait, break: setBroken } = openBench();
    setBroken(true);
    await expect(record("github", "OLD")).rejects.toThrow("out of reach");
    setBroken(false);
    wait(WRITE_AGAIN_MS - 1);
    await record("github", "OLD");
    expect(written()).toHaveLength(1);
    wait(1);
    await record("github", "OLD");
    expect(written()).toEqual([{ source: "github", secret: "OLD", at: 1_000 + WRITE_AGAIN_MS }]);
  });

  it("goes on after a request that died while it wrote", async () => {
    const { record, recordAndDie, written, wait } = openBench();
    recordAndDie("github", "OLD");
    wait(WRITE_AGAIN_MS);
    await record("github", "OLD");
    expect(written()).toHaveLength(2);
  });

  it("writes nothing for a request without a secret", async () => {
    const { record, written } = openBench();
    await record("open");
    expect(written()).toEqual([]);
  });
});
