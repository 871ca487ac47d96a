/** `sluice send github`: a real payload of GitHub's, signed as GitHub signs it. */
import { createHmac, randomUUID } from "node:crypto";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import { request } from "../admin-client.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { chooseExample } from "../github-examples.ts";
import { readInputFile } from "../json-file.ts";
import { showReceipt } from "../receipt.ts";
import { findSourceSecret } from "../source-entry.ts";
import type { Terminal } from "../terminal.ts";

export interface SendGithubOptions {
  readonly to: string;
  readonly rules: string;
  readonly source: string;
  readonly json?: boolean;
  readonly action?: string;
  /** 1 is the first. */
  readonly example?: number;
  readonly id?: string;
  readonly file?: string;
  readonly form?: boolean;
  readonly secretName?: string;
}

export async function sendGithub(event: string, options: SendGithubOptions, terminal: Terminal): Promise<ExitCode> {
  const payload = await choosePayload(event, options);
  if (!payload.ok) return terminal.fail(payload.error);
  const secret = await findSourceSecret({ ...options, kind: "github" }, terminal.env);
  if (!secret.ok) return terminal.fail(secret.error);
  const body = options.form === true ? formEncode(payload.value) : payload.value;
  const id = options.id ?? randomUUID();
  const headers: Record<string, string> = {
    "content-type": options.form === true ? "application/x-www-form-urlencoded" : "application/json",
    "user-agent": "sluice-send",
    "x-github-event": event,
    "x-github-delivery": id,
  };
  if (secret.value !== undefined) {
    headers["x-hub-signature-256"] = `sha256=${createHmac("sha256", secret.value).update(body).digest("hex")}`;
  }
  const url = `${options.to}/webhooks/${options.source}`;
  const answer = await request(url, { method: "POST", headers, body });
  return showReceipt(answer, options, terminal);
}

type Bytes = Uint8Array<ArrayBuffer>;

function encodeText(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text));
}

function formEncode(payload: Bytes): Bytes {
  const text = new TextDecoder().decode(payload);
  return encodeText(new URLSearchParams({ payload: text }).toString());
}

async function choosePayload(event: string, options: SendGithubOptions): Promise<Result<Bytes, Failure>> {
  if (options.file !== undefined) {
    const { action, example } = options;
    if (action !== undefined || example !== undefined) {
      return err({
        message: "--action and --example choose among the published examples; --file is a payload itself",
        isUsage: true,
      });
    }
    const bytes = await readInputFile("--file", options.file);
    return bytes.ok ? ok(new Uint8Array(bytes.value)) : bytes;
  }
  const hint = "All of them: sluice send github --help. A payload of your own: --file payload.json.";
  const example = chooseExample(event, options, hint);
  return example.ok ? ok(encodeText(JSON.stringify(example.value))) : example;
}
