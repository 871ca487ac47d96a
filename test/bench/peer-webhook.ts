/**
 * adnanh's `webhook` on the benches' events: it verifies the signature, matches on the body and answers; it forwards nothing, it
 * runs a command. Where it is not installed, Debian's package is unpacked into the folder that is given.
 */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { BenchSystem } from "./e2e-round.ts";
import { run, startPeer } from "./peer-process.ts";

const COMMAND = "/bin/true";

/** `runs`: the rule matches and a command is run; otherwise its last condition is one that no event meets. */
export async function webhookSystem(
  dir: string,
  secret: string,
  { runs }: { readonly runs: boolean },
): Promise<Result<BenchSystem, string>> {
  const binary = await webhookBinary(dir);
  if (!binary.ok) return binary;
  return ok({
    name: runs ? `webhook, running ${COMMAND}` : "webhook, matching only",
    path: "/hooks/github",
    secret,
    start: async () => {
      const file = join(dir, "hooks.json");
      await writeFile(file, JSON.stringify([hook(secret, runs)]));
      return startPeer(binary.value, (port) => ["-hooks", file, "-ip", "127.0.0.1", "-port", String(port)], dir);
    },
  });
}

function hook(secret: string, runs: boolean): unknown {
  const repository = { source: "payload", name: "repository.full_name" };
  const signature = { source: "header", name: "X-Hub-Signature-256" };
  return {
    id: "github",
    "execute-command": COMMAND,
    "success-http-response-code": 202,
    "trigger-rule-mismatch-http-response-code": runs ? 401 : 202,
    "trigger-rule": {
      and: [
        { match: { type: "payload-hmac-sha256", secret, parameter: signature } },
        { match: { type: "regex", regex: runs ? "/" : "^no such repository$", parameter: repository } },
      ],
    },
  };
}

async function webhookBinary(dir: string): Promise<Result<string, string>> {
  if ((await run("webhook", ["-version"], dir)).ok) return ok("webhook");
  const downloaded = await run("apt-get", ["download", "webhook"], dir);
  if (!downloaded.ok) return err(`no webhook on the PATH, and no package of it: ${downloaded.error}`);
  const file = (await readdir(dir)).find((name) => name.endsWith(".deb"));
  if (file === undefined) return err("apt-get has left no package");
  const unpacked = await run("dpkg", ["-x", file, dir], dir);
  return unpacked.ok ? ok(join(dir, "usr/bin/webhook")) : unpacked;
}
