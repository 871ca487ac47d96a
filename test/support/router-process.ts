/** The router as a user runs it: `sluice start` in a process of its own, on rules and state in a folder of the test's. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CLI = join(import.meta.dirname, "../../bin/sluice.ts");
const READY_TIMEOUT_MS = 30_000;

export const SECRETS = {
  GITHUB_WEBHOOK_SECRET: "github-secret-for-tests",
  INGEST_TOKEN: "ingest-token-for-tests",
  ADMIN_TOKEN: "admin-token-for-tests",
  TARGET_SIGNING_SECRET: "whsec_dGFyZ2V0LXNlY3JldC1mb3ItdGVzdHMtMzJieXRlcw==",
};

export interface Workspace {
  readonly dir: string;
  /** Writes files under `rules/`, as texts by path. */
  readonly writeRules: (files: Readonly<Record<string, string>>) => Promise<void>;
  readonly start: (args?: readonly string[]) => Promise<RouterProcess>;
  readonly remove: () => Promise<void>;
}

export interface RouterProcess {
  readonly url: string;
  readonly pid: number;
  /** What it has written to standard output and standard error so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  /** SIGKILL to it and everything that it started, as a power cut would. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function createWorkspace(): Promise<Workspace> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const running = new Set<RouterProcess>();
  return {
    dir,
    async writeRules(files) {
      for (const [path, text] of Object.entries(files)) {
        const file = join(dir, "rules", path);
        await mkdir(join(file, ".."), { recursive: true });
        await writeFile(file, text);
      }
    },
    async start(args = []) {
      const router = await startProcess(dir, args);
      running.add(router);
      return router;
    },
    async remove() {
      await Promise.all([...running].map((router) => router.kill()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startProcess(dir: string, args: readonly string[]): Promise<RouterProcess> {
  const child = spawn(
    process.execPath,
    [CLI, "start", "--port", "0", "--state", join(dir, "state"), "--rules", join(dir, "rules"), ...args],
    { cwd: dir, env: { ...process.env, ...SECRETS, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  const url = await Promise.race([
    waitForReady(texts),
    exited.then(() => {
      throw new Error(`the router ended before it was ready:\n${texts.stderr}`);
    }),
  ]);
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    signalGroup(child, name);
    await exited;
  };
  return {
    url,
    pid: child.pid ?? 0,
    output: () => ({ ...texts }),
    kill: () => signal("SIGKILL"),
    stop: () => signal("SIGTERM"),
  };
}

async function waitForReady(texts: { readonly stdout: string }): Promise<string> {
  return waitFor("the ready line", () => /^ready (http:\/\/\S+)$/m.exec(texts.stdout)?.[1], READY_TIMEOUT_MS);
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // A process that was started detached leads a group: workerd is in it.
  process.kill(-child.pid, name);
}

/** Polls until there is a value; fails with what was waited for. */
export async function waitFor<Value>(
  what: string,
  look: () => Value | undefined | Promise<Value | undefined>,
  timeoutMs = 20_000,
): Promise<Value> {
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > endsAt) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface SentWebhook {
  readonly event: string;
  readonly body: string | Uint8Array;
  readonly id?: string;
  /** Its name in sources.yaml. */
  readonly source?: string;
}

/** A signed GitHub webhook. */
export function sendGithub(
  url: string,
  { event, body, id = randomUUID(), source = "github" }: SentWebhook,
): Promise<Response> {
  const signature = createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex");
  return fetch(`${url}/webhooks/${source}`, {
    method: "POST",
    body: body as BodyInit,
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${signature}`,
    },
  });
}

export async function admin<Body>(url: string, path: string, init: RequestInit = {}): Promise<Body> {
  const response = await fetch(`${url}/api/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` },
  });
  return (await response.json()) as Body;
}
