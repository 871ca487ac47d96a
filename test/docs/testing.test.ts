import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TEST_FILE_BYTES_MAX } from "../../bin/rule-tests.ts";
import { EVENT_FILE_BYTES_MAX } from "../../bin/test-event.ts";
import { FINDINGS_SHOWN_MAX } from "../../bin/test-report.ts";
import { CASES_MAX, CASE_NAME_CHARS_MAX } from "../../scripts/read-test.ts";
import { runSluice } from "../bin/run-sluice.ts";
import { codeBlocksOf } from "./code-blocks.ts";

const blocks = await codeBlocksOf("testing.md");
const dir = await mkdtemp(join(tmpdir(), "sluice-testing-"));
afterAll(() => rm(dir, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), text);
}

await write("rules/sources.yaml", "");
await write("rules/targets.yaml", "ci: { http: https://ci.acme.dev/hooks }\n");
for (const { language, text } of blocks) {
  if (language === "json") await write("rules/default/events/release.json", text);
  if (language !== "yaml") continue;
  await write(/^# (rules\/\S+)/.exec(text)?.[1] ?? "a block without its file", text);
}
const run = async () => {
  const { stdout, ...rest } = await runSluice(["test"], { cwd: dir });
  return { ...rest, stdout: stdout.replace(/\(\d+\.\d s\)/, "(0.1 s)") };
};

describe("docs/testing.md", () => {
  it("shows rules and cases that hold", async () => {
    expect(blocks.map(({ language }) => language)).toEqual(["yaml", "yaml", "yaml", "yaml", "json", "text"]);
    const { code, stdout } = await run();
    expect(stdout).toContain("\n6 cases of 2 rules: 6 passed");
    expect(code).toBe(0);
  });

  it("shows what comes when two of them don't", async () => {
    const cases = blocks[1]?.text ?? "";
    const spoilt = cases.replace("{ ref: refs/heads/main", "{ reff: refs/heads/main").replace("4d5e6f", "4d5e6g");
    await write("rules/default/deploy-on-main.test.yaml", spoilt);
    const { code, stdout } = await run();
    expect(stdout).toBe(blocks.at(-1)?.text);
    expect(code).toBe(1);
  });

  it("names the limits that there are", async () => {
    expect([TEST_FILE_BYTES_MAX, EVENT_FILE_BYTES_MAX]).toEqual([2 ** 20, 2 ** 20]);
    expect([CASES_MAX, CASE_NAME_CHARS_MAX, FINDINGS_SHOWN_MAX]).toEqual([1_000, 200, 20]);
  });
});
