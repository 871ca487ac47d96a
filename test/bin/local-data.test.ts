import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { knownPort, localDataSecret, localPublicUrl } from "../../bin/local/local-data.ts";
import { dataSecretProblem } from "../../src/core/data-token.ts";

const dir = await mkdtemp(join(tmpdir(), "sluice-local-data-"));

afterAll(() => rm(dir, { recursive: true, force: true }));

describe("the secret of a local run", () => {
  it("is made up once, kept with the state and nobody else's to read", async () => {
    const first = await localDataSecret(dir);
    expect(dataSecretProblem(first)).toBeUndefined();
    expect(await localDataSecret(dir)).toBe(first);
    const file = join(dir, "data-secret");
    expect(await readFile(file, "utf8")).toBe(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("the address of a local run", () => {
  it("is known before it starts: the port itself, or a free one", async () => {
    expect(await knownPort(8_787, "127.0.0.1")).toBe(8_787);
    const port = await knownPort(0, "127.0.0.1");
    expect(port).toBeGreaterThan(0);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  it.each([
    ["127.0.0.1", "http://127.0.0.1:80"],
    ["0.0.0.0", "http://127.0.0.1:80"],
    ["::", "http://[::1]:80"],
    ["::1", "http://[::1]:80"],
    ["box.local", "http://box.local:80"],
  ])("on %s is one that can be sent to", (host, expected) => {
    expect(localPublicUrl(host, 80)).toBe(expected);
  });
});
