import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../bin/program.ts";
import { TEST_FILE_BYTES_MAX } from "../../bin/rule-tests.ts";
import type { Terminal } from "../../bin/terminal.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { FAILURES_SHOWN_MAX, FINDINGS_SHOWN_MAX } from "../../bin/test-report.ts";

const CLI = join(import.meta.dirname, "../../bin/sluice.ts");

const FILES = {
  "sources.yaml": "",
  "targets.yaml": "ci: { http: https://ci.acme.dev/hooks }\n",
  "default/build.yaml": `pattern:
  type: [com.github.push]
  data: { ref: [refs/heads/main, { prefix: refs/tags/ }] }
transform: { path: $.data.after, required: true }
targets: [ci]
mode: shadow
`,
  "default/build.test.yaml": `cases:
  - name: main
    event: { github: push, with: { ref: refs/heads/main, after: 1a } }
    match: true
    output: 1a
  - name: a tag
    event: { github: push, example: 1 }
    match: true
  - name: a branch
    event: { github: push, with: { ref: refs/heads/dev } }
    match: false
  - name: nothing to build
    event: { type: com.github.push, data: { ref: refs/tags/a } }
    match: true
    error: required path $.data.after
`,
  "shop/order.yaml": "pattern: { type: [order] }\ntargets: [ci]\nmode: off\n",
  "shop/order.test.json":
    '{"cases": [{"name": "an order", "event": "events/order.json", "match": true, "output": {"total": 9.5}}]}\n',
  "shop/events/order.json": '{"type": "order", "data": {"total": 9.5}}',
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function write(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Runs the command in this process, on these files over the ones above. */
async function test(name: string, files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  await write(name, { ...FILES, ...files });
  return runTest(name, ...args);
}

/** The same on the files that are there. */
async function runTest(name: string, ...args: readonly string[]) {
  const printed: string[] = [];
  const said: string[] = [];
  const terminal: Terminal = {
    ...createTerminal(process),
    print: (line) => void printed.push(`${line}\n`),
    say: (line) => void said.push(`${line}\n`),
    fail: ({ message, isUsage }) => {
      said.push(`error: ${message}\n`);
      return isUsage === true ? 2 : 1;
    },
    paint: (_, text) => text,
    tint: (_, text) => text,
    cwd: dir,
  };
  const code = await runProgram(["test", "--rules", join(dir, name), ...args], terminal);
  return { code, stderr: said.join(""), stdout: printed.join("").replace(/\(\d+\.\d s\)/, "(… s)") };
}

/** The build rule's cases with a text replaced by another. */
function cases(before: string, after: string): Readonly<Record<string, string>> {
  const text = FILES["default/build.test.yaml"];
  expect(text).toContain(before);
  return { "default/build.test.yaml": text.replace(before, after) };
}

describe("cases that hold", () => {
  it("are counted, with what they cover, whatever the rule's mode", async () => {
    expect(await test("good", {})).toEqual({
      code: 0,
      stderr: "",
      stdout: `Not covered:
  good/shop/order.yaml:1:10: no case shows an event that this rule leaves alone: add one with match: false

5 cases of 2 rules: 5 passed (… s)
coverage: 100 % of 2 rules, 100 % of 4 pattern alternatives
`,
    });
  });

  it("are chosen by rule, bus or file", async () => {
    for (const [given, count] of [
      ["default/build", "4 cases of 1 rule"],
      ["chosen/default/build.test.yaml", "4 cases of 1 rule"],
      ["shop", "1 case of 1 rule"],
      ["chosen/shop/order.yaml", "1 case of 1 rule"],
      ["chosen/shop/", "1 case of 1 rule"],
      ["chosen", "5 cases of 2 rules"],
      ["./chosen/", "5 cases of 2 rules"],
    ] as const) {
      expect((await test("chosen", {}, given, "--no-coverage")).stdout).toMatch(new RegExp(`^${count}: `));
    }
    const unknown = await test("chosen", {}, "defualt/build");
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toMatch(/unknown rule "defualt\/build"; did you mean "default\/build"\?/);
    expect((await test("chosen", {}, "order")).stderr).toMatch(/did you mean "shop\/order"\?/);
  });
});

describe("a case that doesn't hold", () => {
  it.each([
    ["output: 1a", "output: 1b", '5:13: the output differs (- expected, + made)\n    - "1b"\n    + "1a"\n'],
    ["output: 1a", "output-includes: [1a]", "5:22: the output differs"],
    [
      "match: false",
      "match: true",
      '11:12: expected a match, but the rule leaves this event alone: data.ref: expected "refs/heads/main" or starts with "refs/tags/", found "refs/heads/dev"',
    ],
    ["refs/heads/dev", "refs/tags/dev", "11:12: expected no match, but the rule wants this event"],
    [
      "error: required path",
      "error: wrong path",
      '15:12: expected the transform to fail with "wrong path $.data.after", but it says: the event has nothing at the required path $.data.after',
    ],
    [
      "    error: required path $.data.after\n",
      "",
      "12:5: the transform fails: the event has nothing at the required path $.data.after",
    ],
    ["output: 1a", "error: required", "5:12: expected the transform to fail, but it made an output"],
    ["github: push, example: 1", "github: pusj", '7:22: unknown event "pusj"; did you mean "push"?'],
  ])("with %j instead of %j is shown with its place", async (before, after, shown) => {
    const run = await test("bad", cases(before, after));
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/^FAIL default\/build: /);
    expect(run.stdout).toContain(`  bad/default/build.test.yaml:${shown}`);
    expect(run.stdout).toContain("4 passed, 1 failed (… s)");
  });

  it("is one of so many that are shown, and the others are counted", async () => {
    const list = Array.from({ length: FAILURES_SHOWN_MAX + 2 }, (_, index) => {
      return `  - { name: ${index}a, event: { type: order }, match: false }\n`;
    });
    const file = `cases:\n${list.join("")}`;
    const { stdout } = await test("many", {
      "default/new.yaml": FILES["shop/order.yaml"],
      "default/new.test.yaml": file,
    });
    expect(stdout.match(/^FAIL/gm)).toHaveLength(FAILURES_SHOWN_MAX);
    expect(stdout).toContain("… and 2 more failures\n");
  });
});

describe("a test file with mistakes", () => {
  it("has each of them said with its place, and the other files' cases run", async () => {
    const run = await test("wrong", {
      "default/build.test.yaml": "cases:\n  - name: a\n    event: { githb: push }\n    match: yes\n",
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^wrong\/default\/build\.test\.yaml:3:14: error: unknown key "githb"; did you mean "github"\?$/m,
    );
    expect(run.stderr).toMatch(/^wrong\/default\/build\.test\.yaml:4:12: error: expected true or false/m);
    expect(run.stdout).toContain("1 case of 2 rules: 1 passed");
  });

  it("or without its rule, or beside another one for the rule, is an error", async () => {
    const run = await test("stray", { "default/biuld.test.yaml": "", "default/build.test.yml": "" });
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(
      "stray/default/biuld.test.yaml:1:1: error: there is no rule default/biuld for these tests; did you mean default/build?\n" +
        "stray/default/build.test.yml:1:1: error: the tests of default/build stand also in default/build.test.yaml\n",
    );
  });

  it("has so many bytes and no more", async () => {
    const text = FILES["default/build.test.yaml"];
    const padded = (bytes: number) => ({ "default/build.test.yaml": `${text}#${" ".repeat(bytes - text.length - 1)}` });
    expect((await test("big", padded(TEST_FILE_BYTES_MAX))).code).toBe(0);
    const run = await test("big", padded(TEST_FILE_BYTES_MAX + 1));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`a test file has at most ${TEST_FILE_BYTES_MAX} bytes`);
  });

  it("that can't be read is one of its mistakes, whatever stands in its place", async () => {
    await write("odd", FILES);
    const file = join(dir, "odd/shop/order.test.json");
    for (const [leadsTo, message] of [
      [join(dir, "nowhere"), "it can't be read (ENOENT)"],
      [dir, "it is no file"],
      ["/dev/zero", "it is no file"],
    ] as const) {
      await rm(file, { force: true });
      await symlink(leadsTo, file);
      const run = await runTest("odd", "--no-coverage");
      expect(run).toMatchObject({ code: 1, stderr: `odd/shop/order.test.json:1:1: error: ${message}\n` });
      expect(run.stdout).toContain("4 cases of 2 rules: 4 passed");
    }
  });

  it("is not looked at while rules are wrong", async () => {
    const run = await test("wrong-rule", { "default/build.yaml": "pattern: {}\ntargets: [ci]\n" });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(/^wrong-rule\/default\/build\.yaml:1:10: error: [^]*1 mistake in the rule files/);
  });
});

describe("coverage", () => {
  const text = FILES["default/build.test.yaml"];
  const onlyMain = { "default/build.test.yaml": text.slice(0, text.indexOf("  - name: a tag")) };

  it("lists alternatives that no case meets, and rules without a case", async () => {
    const run = await test("cover", { ...onlyMain, "default/new.yaml": FILES["shop/order.yaml"] });
    expect(run.code).toBe(0);
    expect(run.stdout.split("\n")).toEqual([
      "Not covered:",
      '  cover/default/build.yaml:3:34: this alternative is matched by no case: {"prefix":"refs/tags/"}',
      "  cover/default/build.yaml:2:3: no case shows an event that this rule leaves alone: add one with match: false",
      "  cover/default/new.yaml:1:1: this rule has no case: write new.test.yaml beside it",
      "  cover/shop/order.yaml:1:10: no case shows an event that this rule leaves alone: add one with match: false",
      "",
      "2 cases of 3 rules: 2 passed (… s)",
      "coverage: 66 % of 3 rules, 60 % of 5 pattern alternatives",
      "",
    ]);
  });

  it("that is lower than asked for fails the run", async () => {
    expect((await test("min", onlyMain, "--min-coverage", "75")).code).toBe(0);
    const run = await test("min", onlyMain, "--min-coverage", "76");
    expect(run.code).toBe(1);
    expect(run.stderr).toBe("error: 75 % of the pattern alternatives are covered, and --min-coverage asks for 76 %\n");
    expect((await test("min", {}, "--min-coverage", "101")).stderr).toMatch(/Expected a number from 0 to 100/);
  });

  it("shows so many findings, all of them or none", async () => {
    const many = Object.fromEntries(
      Array.from({ length: FINDINGS_SHOWN_MAX }, (_, index) => [`default/r${index}.yaml`, FILES["shop/order.yaml"]]),
    );
    const findings = async (...args: readonly string[]) =>
      (await test("findings", many, ...args)).stdout.match(/^ {2}findings\//gm)?.length ?? 0;
    expect(await findings()).toBe(FINDINGS_SHOWN_MAX);
    expect((await test("findings", many)).stdout).toContain("  … and 1 more; --coverage shows them all\n");
    expect(await findings("--coverage")).toBe(FINDINGS_SHOWN_MAX + 1);
    expect(await findings("--no-coverage")).toBe(0);
  });
});

describe("test --update", () => {
  it("writes outputs that differ or are missing, keeps comments, and says what it wrote", async () => {
    const before = `# Kept.
cases:
  - name: main
    event: { github: push, with: { ref: refs/heads/main, after: 1a } } # this too
    match: true
    output: 1b # and this
  - name: bare
    event: { github: push, with: { ref: refs/heads/main, after: 2b } }
    match: true
  - name: part
    event: { github: push, with: { ref: refs/heads/main, after: 3c } }
    match: true
    output-includes: 4d
`;
    const run = await test("update", { "default/build.test.yaml": before }, "--update", "default");
    expect(await readFile(join(dir, "update/default/build.test.yaml"), "utf8")).toBe(
      before
        .replace("1b # and", "1a # and")
        .replace("2b } }\n    match: true\n", "2b } }\n    match: true\n    output: 2b\n"),
    );
    expect(run.stderr).toBe("update/default/build.test.yaml: wrote the output of 2 cases: main; bare\n");
    expect(run.stdout).toContain("FAIL default/build: part\n");
    expect(run.stdout).toContain("3 cases of 1 rule: 2 passed, 1 failed, 2 written");
    expect(run.code).toBe(1);
  });

  it("leaves a byte order mark and the ends of lines as they are", async () => {
    const before =
      "\ufeffcases:\r\n  - name: main\r\n    event: { github: push, with: { ref: refs/tags/a, after: [1, 2] } }\r\n    match: true\r\n";
    const run = await test("windows", { "default/build.test.yaml": before }, "--update", "default");
    expect(run.code).toBe(0);
    expect(await readFile(join(dir, "windows/default/build.test.yaml"), "utf8")).toBe(
      `${before.trimEnd()}\r\n    output:\r\n      - 1\r\n      - 2\r\n`,
    );
    expect((await runTest("windows", "default")).code).toBe(0);
  });

  it("writes no payload that goes on as it came, unless the case has an output", async () => {
    const order = (output: string) =>
      `{"cases": [{"name": "a", "event": "events/order.json", "match": true${output}}]}\n`;
    await test("payload", { "shop/order.test.json": order("") }, "--update");
    expect(await readFile(join(dir, "payload/shop/order.test.json"), "utf8")).toBe(order(""));
    await test("payload", { "shop/order.test.json": order(', "output": {"total": 1}') }, "--update");
    expect(await readFile(join(dir, "payload/shop/order.test.json"), "utf8")).toBe(order(', "output": {"total": 9.5}'));
  });

  it("does not go with --watch", async () => {
    expect(await test("both", {}, "--update", "--watch")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("test --json", () => {
  it("has everything in one line", async () => {
    const run = await test("json", cases("output: 1a", "output: 1b"), "--json");
    expect(run).toMatchObject({ code: 1, stderr: "" });
    expect(run.stdout.trimEnd()).not.toContain("\n");
    const file = "json/default/build.test.yaml";
    expect(JSON.parse(run.stdout)).toEqual({
      ok: false,
      tookMs: expect.any(Number) as number,
      counts: { rules: 2, cases: 5, passed: 4, failed: 1, written: 0 },
      problems: [],
      cases: [
        {
          rule: "default/build",
          name: "main",
          ok: false,
          file,
          line: 5,
          column: 13,
          message: "the output differs",
          expected: "1b",
          actual: "1a",
        },
        { rule: "default/build", name: "a tag", ok: true, file, line: 6, column: 11 },
        { rule: "default/build", name: "a branch", ok: true, file, line: 9, column: 11 },
        { rule: "default/build", name: "nothing to build", ok: true, file, line: 12, column: 11 },
        { rule: "shop/order", name: "an order", ok: true, file: "json/shop/order.test.json", line: 1, column: 21 },
      ],
      coverage: {
        rules: { covered: 2, of: 2, percent: 100 },
        alternatives: { covered: 4, of: 4, percent: 100 },
        uncovered: [
          {
            rule: "shop/order",
            kind: "miss",
            message: expect.any(String) as string,
            file: "json/shop/order.yaml",
            line: 1,
            column: 10,
          },
        ],
      },
    });
  });

  it("has the mistakes of wrong rules", async () => {
    const run = await test("json-wrong", { "default/build.yaml": "pattern: {}\ntargets: [ci]\n" }, "--json");
    expect(run).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      ok: false,
      error: `1 mistake in the rule files of ${join(dir, "json-wrong")}`,
      problems: [{ file: "json-wrong/default/build.yaml", line: 1 }],
    });
  });
});

describe("test --watch", () => {
  it("runs again when a file changes, and ends on a signal", async () => {
    await write("watch", FILES);
    const child = spawn(process.execPath, [CLI, "test", "--rules", "watch", "--watch"], { cwd: dir });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    const ended = new Promise<number | null>((resolve) => {
      child.once("close", resolve);
    });
    const see = async (text: string): Promise<void> => {
      await expect.poll(() => stdout, { timeout: 8_000, interval: 50 }).toContain(text);
    };
    await see("coverage: ");
    expect(stdout).toContain("5 passed (");
    stdout = "";
    await write("watch", cases("output: 1a", "output: 1b"));
    await see("4 passed, 1 failed");
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  }, 20_000);
});
