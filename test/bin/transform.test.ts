import { describe, expect, it } from "vitest";
import { jsonLines, runSluice } from "./run-sluice.ts";

async function outputs(...lines: readonly unknown[]): Promise<string> {
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const { code, stdout, stderr } = await runSluice(["transform"], { input });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

const EVENT = { type: "com.github.push", data: { after: "abc", size: 12, repository: { full_name: "o/r" } } };

describe("transform on lines of JSON", () => {
  it("prints what a constant, a path and a template make", async () => {
    const template = { paths: { sha: "$.data.after", size: "$.data.size" }, body: { text: "<sha>", size: "<size>" } };
    const made = await outputs(
      { transform: { constant: { a: [1, null] } }, event: EVENT },
      { transform: { path: "$.data.repository" }, event: EVENT },
      { transform: { template }, event: EVENT },
      { transform: JSON.stringify({ template }), event: JSON.stringify(EVENT) },
    );
    expect(jsonLines(made)).toEqual([
      { output: { a: [1, null] } },
      { output: { full_name: "o/r" } },
      { output: { text: "abc", size: 12 } },
      { output: { text: "abc", size: 12 } },
    ]);
  });

  it("evaluates JSONata at a given time and with a given seed, and shows an event of its own as one", async () => {
    const event = '{"specversion": "1.0", "id": "1", "source": "/x", "type": "y", "data": data.size}';
    const lines = [
      { transform: { jsonata: "[$now(), $random()]" }, event: EVENT },
      { transform: { jsonata: event }, event: EVENT },
      { transform: { jsonata: "data.missing" }, event: EVENT },
      { transform: { jsonata: "data.(" }, event: EVENT },
    ];
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const run = async (seed: string) => {
      const { stdout } = await runSluice(["transform", "--accepted-at", "2026-03-01T10:30:00+01:00", "--seed", seed], {
        input,
      });
      return jsonLines(stdout);
    };
    const first = await run("a");
    expect(first).toEqual([
      { output: ["2026-03-01T09:30:00.000Z", expect.any(Number)] },
      { output: { specversion: "1.0", id: "1", source: "/x", type: "y", data: 12 } },
      { error: "the result is undefined: the expression found nothing; write a default with ??" },
      { error: expect.stringMatching(/^transform\.jsonata: .* at line 1, column \d+/) },
    ]);
    expect(await run("a")).toEqual(first);
    expect((await run("b"))[0]).not.toEqual(first[0]);
  });

  it("keeps numbers of a template's text as they were written, and each answer on one line", async () => {
    const template = {
      paths: { sha: "$.data.after" },
      body: '{\n  "price": 1.50,\n  "id": 12345678901234567890,\r\n  "sha": <sha>\n}',
    };
    const made = await outputs(
      { transform: { template }, event: EVENT },
      { transform: { path: "$.type" }, event: EVENT },
    );
    expect(made.split("\n")).toHaveLength(3);
    expect(made).toContain('"price": 1.50');
    expect(made).toContain("12345678901234567890");
    expect(jsonLines(made)[0]).toMatchObject({ output: { sha: "abc" } });
    expect(jsonLines(made)[1]).toEqual({ output: "com.github.push" });
  });

  it("answers mistakes and failures with their reason, and goes on", async () => {
    const made = await outputs(
      { transform: { path: "data" }, event: EVENT },
      { transform: { path: "$.data.missing", required: true }, event: EVENT },
      { transform: '{"constant":1,"constant":2}', event: EVENT },
      { transform: "{", event: EVENT },
      { transform: { template: { body: "<nothing>" } }, event: EVENT },
      { transform: { constant: 1 }, event: 5 },
      { event: EVENT },
      { transform: { constant: 1 }, event: {} },
    );
    const failed = (error: RegExp) => ({ error: expect.stringMatching(error) as string });
    expect(jsonLines(made)).toEqual([
      failed(/^transform\.path: a path begins with \$/),
      failed(/nothing at the required path \$\.data\.missing/),
      failed(/^transform\.constant: .* twice/),
      failed(/^transform: expected JSON/),
      failed(/^transform\.template\.body: unknown placeholder/),
      failed(/^event: expected an object/),
      failed(/^the line: expected the member transform/),
      { output: 1 },
    ]);
  });
});

describe("transform on files", () => {
  const rule = (name: string): string => `${import.meta.dirname}/../../rules/default/${name}.yaml`;

  it("takes a rule file's transform", async () => {
    const args = ["transform", "--transform", rule("deploy-on-main"), "--event", JSON.stringify(EVENT)];
    expect((await runSluice(args)).stdout).toBe('{"text":"o/r is at abc","commit":"abc"}\n');
    expect((await runSluice([...args, "--json"])).stdout).toBe('{"output":{"text":"o/r is at abc","commit":"abc"}}\n');
  });

  it("says that a rule has none", async () => {
    const run = await runSluice(["transform", "--transform", rule("push"), "--event", "{}"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("this rule has no transform");
  });
});
