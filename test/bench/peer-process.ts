/** Starts a peer's server and waits until it answers. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { BenchServer } from "./e2e-round.ts";

const START_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 100;
const INSTALL_TIMEOUT_MS = 300_000;
const ERROR_CHARS_MAX = 2_000;

export async function startPeer(
  command: string,
  args: (port: number) => readonly string[],
  cwd: string,
): Promise<BenchServer> {
  const port = await freePort();
  const child = spawn(command, args(port), { cwd, stdio: ["ignore", "ignore", "pipe"] });
  const endWithParent = () => void child.kill("SIGKILL");
  process.once("exit", endWithParent);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < ERROR_CHARS_MAX) errors += text;
  });
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    process.removeListener("exit", endWithParent);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await ended;
    }
  };
  const until = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${command} did not start: ${errors}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { url, pid: child.pid ?? 0, script: "", stop };
}

/** Runs a command of an installation; the end of what it wrote when it fails. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Result<null, string>> {
  try {
    await promisify(execFile)(command, args, { cwd, timeout: INSTALL_TIMEOUT_MS });
    return ok(null);
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    const said = (stderr ?? "").trim() || message;
    return err(said.slice(-ERROR_CHARS_MAX));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
