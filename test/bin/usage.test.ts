/** What every command has in common: help, exit codes, the way out of an error. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INPUT_BYTES_MAX } from "../../bin/json-file.ts";
import { runProgram } from "../../bin/program.ts";
import type { Terminal } from "../../bin/terminal.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { startServer } from "../support/http-server.ts";
import { SECRETS } from "../support/router-process.ts";
import { runSluice } from "./run-sluice.ts";

const RULES = join(import.meta.dirname, "../../rules");

let dir: string;
/** An address where nothing listens. */
let nobody: string;
beforeAll(async () => {
  const server = await startServer(() => {});
  nobody = new URL(server.url).origin;
  await server.close();
  dir = await mkdtemp(join(tmpdir(), "sluice-usage-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs a command in this process. */
async function run(...args: readonly string[]) {
  const printed: string[] = [];
  const said: string[] = [];
  const terminal: Terminal = {
    ...createTerminal(process),
    print: (line) => void printed.push(line),
    say: (line) => void said.push(line),
    fail: ({ message, hint, isUsage }) => {
      said.push(`error: ${message}`, ...(hint === undefined ? [] : [hint]));
      return isUsage === true ? 2 : 1;
    },
    env: SECRETS,
  };
  const code = await runProgram(args, terminal);
  return { code, stdout: printed.join("\n"), stderr: said.join("\n") };
}

describe("help", () => {
  it.each([
    ["start"],
    ["deploy"],
    ["send github"],
    ["send cloudevent"],
    ["events"],
    ["event"],
    ["dead"],
    ["redrive"],
    ["rejections"],
    ["rules"],
    ["targets"],
    ["pause"],
    ["resume"],
    ["signing-key create"],
    ["signing-key public"],
    ["check"],
    ["plan"],
    ["explain"],
    ["match"],
    ["transform"],
    ["test"],
  ])("of %s has examples", async (command) => {
    const { code, stdout, stderr } = await run(...command.split(" "), "--help");
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(new RegExp(`Examples:\n {2}npm run( -s)? sluice -- ${command}`));
  });

  it("lists the events that can be sent", async () => {
    expect((await run("send", "github", "--help")).stdout).toMatch(/^Events: branch_protection_rule, .*workflow_run$/m);
  });
});

describe("a wrong call", () => {
  it.each([
    [["evnets"], /unknown command 'evnets'[^]*events/],
    [["start", "--prot", "1"], /unknown option '--prot'[^]*--port/],
    [["start", "--port", "65536"], /from 0 to 65535/],
    [["start", "--port", "-1"], /from 0 to 65535/],
    [["event"], /missing required argument 'receipt'/],
    [["pause"], /missing required argument 'target'/],
    [["events", "--to", "localhost"], /Expected an address such as http:/],
    [["send", "github", "push", "--source", "../x"], /Expected a source's name/],
    [["send", "github", "push", "--example", "0"], /Expected a number from 1 on/],
    [["send", "github", "pusj"], /unknown event "pusj"; did you mean "push"\?/],
    [["send", "github", "issues", "--action", "opend"], /unknown action "opend"; did you mean "opened"\?/],
    [["send", "github", "push", "--example", "99"], /push has \d+ examples/],
    [["send", "cloudevent", "--data", "{"], /--data: expected JSON/],
    [["send", "cloudevent", "--data", "1", "--file", "x"], /not both/],
    [["send", "cloudevent", "--type", ""], /this is no CloudEvent/],
    [["redrive"], /expected receipts/],
    [["redrive", "--all", "evt_x"], /not both/],
    [["redrive", "evt_x", "--rule", "default/push"], /belong to --all/],
    [["redrive", "evt_x", "evt_y", "--delivery", "dlv_x"], /belongs to one receipt/],
  ])("of %j is told, with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await run(
      ...args,
      ...(args[0] === "send" && args[1] !== undefined ? ["--rules", RULES] : []),
    );
    expect(stderr).toMatch(message);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("what can't be done", () => {
  it.each([[["events"]], [["send", "github", "push", "--rules", RULES]]])(
    "without a router, %j says how to start one",
    async (args) => {
      const { code, stderr } = await run(...args, "--to", nobody);
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^error: no router answers at ${nobody} \\(ECONNREFUSED\\)\nRun npm start`));
    },
  );

  it("names a secret that isn't set, and where it could be", async () => {
    const noToken = await runSluice(["events"], { cwd: dir, env: { ADMIN_TOKEN: "" } });
    expect(noToken).toMatchObject({ code: 1, stdout: "" });
    expect(noToken.stderr).toMatch(/no ADMIN_TOKEN is set, in the environment or in \.dev\.vars\nnpm start writes one/);
    const noSecret = await run(
      "send",
      "github",
      "push",
      "--rules",
      RULES,
      "--secret-name",
      "NO_SUCH_SECRET",
      "--to",
      nobody,
    );
    expect(noSecret.stderr).toMatch(/^error: the secret NO_SUCH_SECRET is not set/);
  });

  it("names a source that isn't there, or is of another kind", async () => {
    const missing = await run("send", "github", "push", "--rules", RULES, "--source", "githab");
    expect(missing.stderr).toMatch(/unknown source "githab"; did you mean "github"\?/);
    const other = await run("send", "github", "push", "--rules", RULES, "--source", "events");
    expect(other.stderr).toMatch(/the source events is of kind cloudevents, not github/);
  });

  it("takes a payload file of the largest size, and none that is larger", async () => {
    const file = join(dir, "large.json");
    const send = () => run("send", "github", "push", "--rules", RULES, "--to", nobody, "--file", file);
    await writeFile(file, Buffer.alloc(INPUT_BYTES_MAX, " "));
    expect((await send()).stderr).toMatch(/no router answers/);
    await writeFile(file, Buffer.alloc(INPUT_BYTES_MAX + 1, " "));
    expect((await send()).stderr).toMatch(new RegExp(`larger than ${INPUT_BYTES_MAX} bytes`));
  });
});
