import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKey } from "../../bin/commands/signing-key.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { hashing } from "../../src/hashing.ts";
import { signingKey, webhookSignature } from "../../src/targets/_standard-webhooks.ts";
import { runSluice } from "./run-sluice.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-keys-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function sign(secret: string): Uint8Array {
  const key = signingKey(secret, hashing);
  if (!key.ok) throw new Error(key.error);
  const content = { id: "msg_1", timestampSeconds: 5, body: new TextEncoder().encode("{}") };
  return Buffer.from(webhookSignature(content, [key.value], hashing).replace(/^v1a?,/, ""), "base64");
}

describe("sluice signing-key", () => {
  it("makes a pair: the secret alone on standard output, and what the public key verifies is what it signs", async () => {
    const made = await runSluice(["signing-key", "create"]);
    expect(made.stdout).toMatch(/^whsk_[A-Za-z0-9+/]{43}=\n$/);
    expect(made.stderr).toMatch(/^public key, for receivers: whpk_[A-Za-z0-9+/]{43}=\n$/);
    const secret = made.stdout.trim();
    expect(made.stderr).not.toContain(secret);

    await writeFile(join(dir, ".dev.vars"), `CI_SIGNING_KEY="${secret}"\n`);
    const shown = await runSluice(["signing-key", "public", "CI_SIGNING_KEY", "--json"], { cwd: dir });
    const { publicKey, pem } = JSON.parse(shown.stdout) as { readonly publicKey: string; readonly pem: string };
    expect(made.stderr).toContain(publicKey);
    expect(shown.stdout + shown.stderr).not.toContain(secret.slice(5));
    const signature = sign(secret);
    expect(verify(null, Buffer.from("msg_1.5.{}"), createPublicKey(pem), signature)).toBe(true);
    const raw = Buffer.from(publicKey.slice("whpk_".length), "base64");
    expect(hashing.verifyEd25519(raw, Buffer.from("msg_1.5.{}"), signature)).toBe(true);

    const piped = await runSluice(["signing-key", "public"], { input: made.stdout, cwd: dir });
    expect(piped).toMatchObject({ code: 0, stdout: `${publicKey}\n` });
  });

  it("makes another one each time, and shared secrets on request", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => runSluice(["signing-key", "create", "--hmac"])));
    expect(one?.stdout).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
    expect(one?.stdout).not.toBe(other?.stdout);
    expect(sign(one?.stdout.trim() ?? "")).toHaveLength(32);
  });

  it("shows no secret to who only looks, unless told to", () => {
    const printed: string[] = [];
    const said: string[] = [];
    const terminal = {
      ...createTerminal(process),
      stdoutIsTerminal: true,
      print: (line: string) => void printed.push(line),
      say: (line: string) => void said.push(line),
      fail: ({ hint }: { readonly hint?: string }) => {
        said.push(hint ?? "");
        return 2 as const;
      },
    };
    expect(createKey({}, terminal)).toBe(2);
    expect(printed).toEqual([]);
    expect(said.join()).toContain("wrangler secret put");
    expect(createKey({ show: true }, terminal)).toBe(0);
    expect(printed).toHaveLength(1);
  });

  it.each([
    ["a shared secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", /has no public key: it signs by HMAC/],
    ["half a key", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", /starts with whsk_ but does not go on/],
  ])("says why %s has no public key, without showing it", async (_, secret, message) => {
    const { code, stdout, stderr } = await runSluice(["signing-key", "public", "KEY"], {
      cwd: dir,
      env: { KEY: secret },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("MfKQ9r8G");
  });

  it("says where it has looked for a secret", async () => {
    const { code, stderr } = await runSluice(["signing-key", "public", "NOWHERE"], { cwd: dir });
    expect(code).toBe(1);
    expect(stderr).toContain("neither in the environment nor in .dev.vars");
  });
});
