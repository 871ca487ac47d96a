/**
 * `sluice signing-key`: makes keys that targets sign with, and tells the public key of one. The secret goes to standard output
 * alone, so that it can be piped to where it is kept; everything said about it goes to standard error.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import { hashing } from "../../src/hashing.ts";
import { signingKey } from "../../src/targets/_standard-webhooks.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { findSecret } from "../local/dev-vars.ts";
import type { Terminal } from "../terminal.ts";

/** Standard Webhooks asks for 24 to 64 bytes. */
const SYMMETRIC_BYTES = 32;
/** What stands before the seed in PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
/** A secret on standard input; the longest that there is has 93 characters. */
const INPUT_CHARS_MAX = 1_024;

export interface CreateOptions {
  readonly hmac?: boolean;
  /** Also where a person would see the secret. */
  readonly show?: boolean;
}

export interface PublicOptions {
  readonly json?: boolean;
}

export function createKey({ hmac, show }: CreateOptions, terminal: Terminal): ExitCode {
  if (terminal.stdoutIsTerminal && show !== true) {
    return terminal.fail({
      message: "the secret would stand here for everybody to see, and in the terminal's memory",
      hint: "Pipe it to where it is kept, as in: npm run -s sluice -- signing-key create | npx wrangler secret put CI_SIGNING_KEY\nOr say --show.",
      isUsage: true,
    });
  }
  if (hmac === true) {
    terminal.print(`whsec_${randomBytes(SYMMETRIC_BYTES).toString("base64")}`);
    return EXIT_OK;
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_PREFIX.length);
  terminal.print(`whsk_${seed.toString("base64")}`);
  terminal.say(`public key, for receivers: ${publicKeyOf(seed).whpk}`);
  return EXIT_OK;
}

export async function showPublicKey(
  name: string | undefined,
  { json }: PublicOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const secret = name === undefined ? await readSecret(terminal) : await namedSecret(name, terminal);
  if (!secret.ok) return terminal.fail(secret.error);
  const what = name === undefined ? "the secret on standard input" : `the secret ${name}`;
  const key = signingKey(secret.value, hashing);
  if (!key.ok) return terminal.fail({ message: `${what} ${key.error}` });
  if (key.value.version !== "v1a") {
    return terminal.fail({
      message: `${what} has no public key: it signs by HMAC, and receivers need the secret itself`,
      hint: "A key that has one: npm run -s sluice -- signing-key create",
    });
  }
  const { whpk, pem } = publicKeyOf(key.value.bytes);
  terminal.print(json === true ? JSON.stringify({ publicKey: whpk, pem }) : whpk);
  return EXIT_OK;
}

async function namedSecret(name: string, { env }: Terminal): Promise<Result<string, Failure>> {
  const found = await findSecret(name, env);
  if (!found.ok) return found;
  if (found.value !== undefined) return ok(found.value);
  return err({
    message: `the secret ${name} is set neither in the environment nor in .dev.vars`,
    hint: "A secret that only Cloudflare knows can't be read back: keep the public key when you make one.",
  });
}

async function readSecret({ stdin, stdinIsTerminal }: Terminal): Promise<Result<string, Failure>> {
  if (stdinIsTerminal) {
    return err({ message: "expected the name of a secret, or the secret on standard input", isUsage: true });
  }
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > INPUT_CHARS_MAX)
      return err({ message: "what stands on standard input is too long for a secret" });
  }
  return ok(text.trim());
}

function publicKeyOf(seed: Uint8Array): { readonly whpk: string; readonly pem: string } {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  return { whpk: `whpk_${raw.toString("base64")}`, pem: publicKey.export({ format: "pem", type: "spki" }).toString() };
}
