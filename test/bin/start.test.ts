/** How a router starts and how it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { SECRETS, createWorkspace, waitFor } from "../support/router-process.ts";
import type { Run } from "./run-sluice.ts";
import { runSluice } from "./run-sluice.ts";

const START_TIMEOUT_MS = 20_000;

const SOURCES = `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
`;

interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly rules: readonly string[];
}

function commandsOf(workspace: Workspace, router: RouterProcess) {
  return (...args: readonly string[]): Promise<Run> =>
    runSluice([...args, "--to", router.url], { cwd: workspace.dir, env: SECRETS });
}

describe("the end of a router", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await createWorkspace();
    await workspace.writeRules({
      "sources.yaml": SOURCES,
      "targets.yaml": 'printer: { http: "https://example.com/", local: print }\n',
      "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [printer]\n",
    });
  });
  afterAll(() => workspace.remove());

  it(
    "is in good order on a signal, whoever still listens",
    async () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const child = spawn(
          process.execPath,
          [join(import.meta.dirname, "../../bin/sluice.ts"), "start", "--port", "0", "--state", "state"],
          { cwd: workspace.dir, env: { ...process.env, ...SECRETS }, stdio: ["ignore", "pipe", "pipe"] },
        );
        const exited = once(child, "exit");
        const [ready] = (await once(child.stdout, "data")) as [Buffer];
        const url = ready.toString().trim().replace("ready ", "");
        child.stdout.destroy();
        child.stderr.destroy();
        const sent = await runSluice(["send", "github", "push", "--to", url], { cwd: workspace.dir, env: SECRETS });
        expect(sent.code).toBe(0);
        // npm passes on what the terminal sends to both, so a signal comes twice.
        child.kill(signal);
        child.kill(signal);
        expect(await exited).toEqual([0, null]);
        await expect(fetch(`${url}/healthz`)).rejects.toThrow();
      }
    },
    START_TIMEOUT_MS,
  );

  it(
    "takes workerd along when it is killed, and loses nothing that was accepted",
    async () => {
      const router = await workspace.start();
      const sent = await commandsOf(workspace, router)("send", "github", "push", "--json");
      const receipt = JSON.parse(sent.stdout) as Receipt;
      // Only the router's own process, as the kernel would when memory runs out.
      process.kill(router.pid, "SIGKILL");
      await waitFor("workerd's end", async () =>
        fetch(`${router.url}/healthz`).then(
          () => undefined,
          () => true,
        ),
      );
      const { port } = new URL(router.url);
      const next = await workspace.start(["--port", port]);
      expect(next.url).toBe(router.url);
      const found = await commandsOf(workspace, next)("event", receipt.id);
      expect(found.stdout).toContain(receipt.id);
      await next.stop();
    },
    START_TIMEOUT_MS,
  );
});

describe("a start", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await createWorkspace();
  });
  afterAll(() => workspace.remove());

  it("lists all mistakes in the rules and fails", async () => {
    await workspace.writeRules({ "sources.yaml": "x: { kind: y }\n", "targets.yaml": "z: {}\n" });
    const run = await runSluice(["start", "--port", "0"], { cwd: workspace.dir });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(/^rules\/sources\.yaml:1:12: error: /m);
    expect(run.stderr).toMatch(/^rules\/targets\.yaml:1:4: error: /m);
  });

  it(
    "makes up what secrets it misses, and writes them where the other commands find them",
    async () => {
      await workspace.writeRules({
        "sources.yaml": SOURCES,
        "targets.yaml": 'printer: { http: "https://example.com/", local: print, sign: SIGNING }\n',
        "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [printer]\n",
      });
      const router = await workspace.start(["--state", "made-up"]);
      expect(router.output().stderr).toContain("Made up and written to .dev.vars: SIGNING\n");
      const file = join(workspace.dir, ".dev.vars");
      expect(await readFile(file, "utf8")).toMatch(/^SIGNING="[0-9a-f]{64}"$/m);
      expect((await stat(file)).mode & 0o077).toBe(0);
      const sent = await commandsOf(workspace, router)("send", "github", "push");
      expect(sent.code).toBe(0);
      await waitFor("the delivery", () => /→ printed: com\.github\.push/.exec(router.output().stderr)?.[0]);
      await router.stop();
    },
    START_TIMEOUT_MS,
  );

  it(
    "goes on when they can't be written, and says so",
    async () => {
      const readOnly = await createWorkspace();
      await readOnly.writeRules({
        "sources.yaml": "github: { kind: github, secrets: [NOT_SET_ANYWHERE] }\n",
        "targets.yaml": 'printer: { http: "https://example.com/", local: print }\n',
        "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [printer]\n",
      });
      await symlink("/nonexistent/folder/file", join(readOnly.dir, ".dev.vars"));
      const router = await readOnly.start();
      expect(router.output().stderr).toMatch(
        /for this run only, because \.dev\.vars can't be written .*NOT_SET_ANYWHERE/,
      );
      await readOnly.remove();
    },
    START_TIMEOUT_MS,
  );
});
