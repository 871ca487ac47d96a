import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { formatProblem } from "../../scripts/problem.ts";
import { DESCRIPTION_CHARS_MAX, RULE_TARGETS_MAX } from "../../scripts/read-rule.ts";
import { RETRIES_MAX } from "../../scripts/read-target.ts";
import { DEFAULT_RETRY_DELAYS_MS } from "../../src/core/retry.ts";
import { NAME_CHARS_MAX } from "../../scripts/rule-name.ts";
import { FILE_BYTES_MAX } from "../../scripts/checked-file.ts";
import { ENTRIES_MAX, RULES_MAX, readRules } from "../../scripts/rule-files.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const SOURCES = "github: { kind: github, secrets: [S] }\n";
const TARGETS = "ci: { http: https://ci.example.com/ }\n";
const RULE = "pattern: { type: [a] }\ntargets: [ci]\n";
const GOOD = { "sources.yaml": SOURCES, "targets.yaml": TARGETS, "default/a.yaml": RULE };

async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-rules-"));
  folders.push(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

async function read(files: Readonly<Record<string, string | Uint8Array>>) {
  const dir = await folderOf(files);
  const { document, problems } = await readRules(dir);
  return {
    document,
    problems: problems.map((problem) => formatProblem(problem, dir)),
    files: problems.map(({ file }) => relative(dir, file)),
  };
}

/** The problems of a folder that is good but for one file. */
async function problemsOf(name: string, text: string | Uint8Array): Promise<readonly string[]> {
  return (await read({ ...GOOD, [name]: text })).problems;
}

const rule = (more: string): string => `${RULE}${more}\n`;

describe("a folder that is right", () => {
  it("becomes a document, sorted, with every default filled in", async () => {
    const { document, problems } = await read({
      ...GOOD,
      "sources.yaml": `${SOURCES}app: { kind: cloudevents, auth: none, bus: apps }\n`,
      "apps/z.json": '{"pattern": {"type": ["a"]}, "targets": ["ci"], "mode": "off", "description": "d"}',
      "default/b.yml": rule("transform: { path: $.data }\norder: none\nmode: live"),
      "default/c.yaml": rule("mode: shadow"),
    });
    expect(problems).toEqual([]);
    expect(document).toEqual({
      version: expect.stringMatching(/^[0-9a-f]{12}$/),
      sources: [
        { name: "app", kind: "cloudevents", bus: "apps", entry: { auth: "none" } },
        { name: "github", kind: "github", bus: "default", entry: { secrets: ["S"] } },
      ],
      targets: [
        {
          name: "ci",
          kind: "http",
          entry: { http: "https://ci.example.com/" },
          timeoutMs: 15_000,
          retryDelaysMs: DEFAULT_RETRY_DELAYS_MS,
          maxAgeMs: 259_200_000,
        },
      ],
      rules: [
        { path: "apps/z", bus: "apps", description: "d", pattern: { type: ["a"] }, targets: ["ci"], mode: "off" },
        { path: "default/a", bus: "default", pattern: { type: ["a"] }, targets: ["ci"], mode: "live" },
        {
          path: "default/b",
          bus: "default",
          pattern: { type: ["a"] },
          transform: { path: "$.data" },
          targets: ["ci"],
          mode: "live",
        },
        { path: "default/c", bus: "default", pattern: { type: ["a"] }, targets: ["ci"], mode: "shadow" },
      ],
    });
  });
  it("has a version that says whether it changed, wherever it stands", async () => {
    const versionOf = async (files: Readonly<Record<string, string>>) => (await read(files)).document.version;
    const version = await versionOf(GOOD);
    expect(await versionOf({ ...GOOD, "default/a.yaml": `# a comment\n${RULE}` })).toBe(version);
    expect(await versionOf({ ...GOOD, "default/a.yaml": RULE.replace("[a]", "[b]") })).not.toBe(version);
    expect(await versionOf({ ...GOOD, "targets.yaml": TARGETS.replace(" }", ", timeout: 9s }") })).not.toBe(version);
  });
  it("may hold tests, schemas, notes and hidden files", async () => {
    const more = {
      "default/a.test.yaml": "[",
      "schemas/x.json": "[",
      "README.md": "#",
      "default/notes.md": "#",
      ".gitkeep": "",
    };
    expect((await read({ ...GOOD, ...more })).problems).toEqual([]);
  });
  it("may be empty", async () => {
    expect((await read({ "sources.yaml": "# none yet\n", "targets.yaml": "" })).problems).toEqual([]);
  });
  it("reads shared keys of targets", async () => {
    const { document, problems } = await read({
      ...GOOD,
      "targets.yaml":
        "ci: { http: https://a.example/, timeout: 1s, retry: [1s, 24h], max-age: 7d }\nq: { queue: Q, retry: none, timeout: 25s, max-age: 1m }\n",
      "default/a.yaml": RULE.replace("[ci]", "[ci, q]"),
    });
    expect(problems).toEqual([]);
    expect(document.targets).toMatchObject([
      {
        timeoutMs: 1_000,
        retryDelaysMs: [1_000, 86_400_000],
        maxAgeMs: 604_800_000,
        entry: { http: "https://a.example/" },
      },
      { kind: "queue", timeoutMs: 25_000, retryDelaysMs: [], maxAgeMs: 60_000 },
    ]);
    expect(Object.keys(document.targets[0]?.entry ?? {})).toEqual(["http"]);
  });
});

describe("a rule that is wrong", () => {
  it.each([
    ["targts: [ci]", '3:1: error: unknown key "targts"; did you mean "targets"?'],
    ["mode: shadwo", '3:7: error: unknown value "shadwo"; did you mean "shadow"?'],
    ["mode: lve", '3:7: error: unknown value "lve"; did you mean "live"?'],
    ["transform: { jsonata: 'x +' }", "3:23: error: Unexpected end of expression (S0207) at line 1, column 3"],
    ["transform:\n  template: { paths: { a: data }, body: <a> }", "4:27: error: a path begins with $"],
    ["transform:\n  template:\n    body: [x, '<rev>']", '5:15: error: unknown placeholder "rev"'],
    ["description: 5", "3:14: error: expected a non-empty string, found the number 5"],
    [`description: ${"x".repeat(DESCRIPTION_CHARS_MAX + 1)}`, "3:14: error: expected at most"],
  ])("%s", async (line, expected) => {
    const problems = await problemsOf("default/a.yaml", rule(line));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`default/a.yaml:${expected}`);
  });
  it.each([
    ["targets: [ci]", "1:1: error: expected the key pattern"],
    ["pattern: { type: [a] }", "1:1: error: expected the key targets"],
    ["pattern: { type: a }\ntargets: [ci]", "1:18: error:"],
    ["pattern: { type: [a] }\ntargets: ci", "2:10: error: expected a list; write targets: [ci]"],
    ["pattern: { type: [a] }\ntargets: [c1]", '2:11: error: unknown target "c1"'],
    ["pattern: { type: [a] }\ntargets: [ci, ci]", '2:15: error: the string "ci" is in the list twice'],
    ["pattern: { type: [a] }\ntargets: []", "2:10: error: expected a non-empty list"],
    ["pattern: { type: [a] }\ntargets: [5]", "2:11: error: expected a name of targets.yaml"],
    ["[]", "1:1: error: expected a rule"],
    ["", "1:1: error: expected a rule"],
    ["pattern: [", "1:"],
  ])("%j", async (text, expected) => {
    const problems = await problemsOf("default/a.yaml", text);
    expect(problems[0]).toContain(`default/a.yaml:${expected}`);
  });
  it("has a bounded number of targets", async () => {
    const names = Array.from({ length: RULE_TARGETS_MAX + 1 }, (_, n) => `t${n}`);
    const files = (count: number) => ({
      ...GOOD,
      "targets.yaml": names
        .slice(0, count)
        .map((name) => `${name}: { queue: Q }`)
        .join("\n"),
      "default/a.yaml": RULE.replace("ci", names.slice(0, count).join(", ")),
    });
    expect((await read(files(RULE_TARGETS_MAX))).problems).toEqual([]);
    expect((await read(files(RULE_TARGETS_MAX + 1))).problems).toEqual([expect.stringContaining("at most 100 items")]);
  });
});

describe("a target that is wrong", () => {
  it.each([
    ["http: https://a.example/, timout: 5s", 'unknown key "timout"; did you mean "timeout"?'],
    ["http: https://a.example/, formt: raw", 'unknown key "formt"; did you mean "format"?'],
    ["http: https://a.example/, timeout: 26s", "from 1s to 25s"],
    ["http: https://a.example/, timeout: 999ms", "from 1s to 25s"],
    ["http: https://a.example/, max-age: 8d", "from 1m to 7d"],
    ["http: https://a.example/, retry: 5s", "expected a list of durations"],
    ["http: https://a.example/, retry: [soon]", "expected a duration"],
    [`http: https://a.example/, retry: [${"1s, ".repeat(RETRIES_MAX)}1s]`, "at most 20 retries"],
    ["http: https://a.example/, rat: 5/s", 'unknown key "rat"; did you mean "rate"?'],
    ["http: https://a.example/, concurency: 5", 'unknown key "concurency"; did you mean "concurrency"?'],
    ["http: https://a.example/, queue: Q", "expected one kind of target, found http and queue"],
    ["http: https://a.example/, bus: b", "expected one kind of target, found http and bus"],
    ["service: S, method: fetch", '"fetch" is a name that the platform keeps for itself'],
    ["service: S, bus: b", "expected one kind of target, found service and bus"],
    ["htp: https://a.example/", 'unknown kind of target "htp"; did you mean "http"?'],
    ["timeout: 5s", "expected the key that names the kind of target: bus or dingtalk or discord or"],
    ["http: ftp://a.example/", "error:"],
  ])("{ %s }", async (entry, expected) => {
    const problems = await problemsOf("targets.yaml", `ci: { ${entry} }\n`);
    expect(problems[0]).toMatch(/^targets\.yaml:1:\d+: error: /);
    expect(problems.some((problem) => problem.includes(expected))).toBe(true);
  });
  it("does not make its rules wrong", async () => {
    expect(await problemsOf("targets.yaml", "ci: { http: 5 }\n")).toHaveLength(1);
  });
  it("may have as many retries as there can be", async () => {
    expect(await problemsOf("targets.yaml", `ci: { queue: Q, retry: [${"1s, ".repeat(RETRIES_MAX - 1)}1s] }`)).toEqual(
      [],
    );
  });
  it("has a name that fits in a URL", async () => {
    const [problem] = (await read({ ...GOOD, "targets.yaml": `${TARGETS}Big_Name: { queue: Q }\n` })).problems;
    expect(problem).toContain("targets.yaml:2:1: error: expected the target's name in lower-case letters");
  });
});

describe("a source that is wrong", () => {
  it.each([
    ["kind: githb", 'unknown kind of source "githb"; did you mean "github"?'],
    ["kind: constructor", "unknown kind of source"],
    ["kind: lark", 'unknown kind of source "lark"; docs/sources.md lists all '],
    ["kind: lark", "; hmac is for a sender without a kind of its own"],
    ["kind: github, secrets: [S], buss: work", 'unknown key "buss"; did you mean "bus"? (known: kind, bus, gzip)'],
    ["kind: 5", "expected a kind of source, found the number 5"],
    ["secrets: [S]", "expected the member kind, such as github; docs/sources.md lists all "],
    ["kind: github, secrets: [S], bus: My_Bus", "expected the bus's name"],
    ["kind: github, secret: [S]", "did you mean"],
    ["kind: github, secrets: [S, T, S]", "is named twice"],
    ["kind: github", "secrets"],
  ])("{ %s }", async (entry, expected) => {
    const problems = await problemsOf("sources.yaml", `github: { ${entry} }\n`);
    expect(problems[0]).toMatch(/^sources\.yaml:1:\d+: error: /);
    expect(problems.some((problem) => problem.includes(expected))).toBe(true);
  });
  it("is never quoted where a secret may stand", async () => {
    const problems = await problemsOf("sources.yaml", "github: { kind: github, secrets: ['hunter2-is-it'] }\n");
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("hunter2");
  });
});

describe("a target that is a bus", () => {
  it("is one that has rules", async () => {
    expect(await problemsOf("targets.yaml", "ci: { bus: default }\n")).toEqual([]);
  });
  it("is a mistake when nothing else names the bus", async () => {
    expect(await problemsOf("targets.yaml", "ci: { bus: defalt }\n")).toEqual([
      "targets.yaml:1:12: error: the bus defalt has no rules: events sent to ci go nowhere; did you mean default?",
    ]);
  });
  it("has no name that a bus can't have", async () => {
    for (const bus of ["target:ci", "Default", '""', "[default]"]) {
      const problems = await problemsOf("targets.yaml", `ci: { bus: ${bus} }\n`);
      expect(problems.filter((problem) => problem.includes(": error: "))).toHaveLength(1);
    }
  });
});

describe("a source's name", () => {
  it("has no colon, which sets what passes through Sluice again apart", async () => {
    for (const name of ["'target:ci'", "'delivery:dlv_1'"]) {
      const problems = await problemsOf("sources.yaml", `${name}: { kind: github, secrets: [S] }\n`);
      expect(problems).toEqual([expect.stringContaining("error: expected the source's name")]);
    }
  });
});

describe("what is suspicious but not wrong", () => {
  it("warns of a source whose bus has no rules", async () => {
    const problems = await problemsOf("sources.yaml", "github: { kind: github, secrets: [S], bus: defalt }\n");
    expect(problems).toEqual([
      "sources.yaml:1:1: warning: the bus defalt has no rules: events of github go nowhere; did you mean default?",
    ]);
  });
  it("warns of a target whose bus has a source but no rules", async () => {
    const files = {
      ...GOOD,
      "sources.yaml": `${SOURCES}app: { kind: cloudevents, auth: none, bus: apps }\n`,
      "targets.yaml": "ci: { bus: apps }\n",
    };
    expect((await read(files)).problems).toEqual([
      "sources.yaml:2:1: warning: the bus apps has no rules: events of app go nowhere",
      "targets.yaml:1:12: warning: the bus apps has no rules: events sent to ci go nowhere",
    ]);
  });
  it("warns of a target that no rule uses", async () => {
    expect(await problemsOf("targets.yaml", `${TARGETS}spare: { queue: Q }\n`)).toEqual([
      "targets.yaml:2:1: warning: no rule uses the target spare",
    ]);
  });
  it("warns of an order that its target makes pointless, at its place", async () => {
    const { document, problems } = await read({
      ...GOOD,
      "targets.yaml": TARGETS.replace(" }", ", retry: none, max-age: 1m, rate: 5/s }"),
      "default/a.yaml": rule("order: sequence\non_failure: { skip-after: 2 }"),
    });
    expect(problems).toEqual([
      expect.stringMatching(/^default\/a\.yaml:3:8: warning: the target ci has max-age: 1m/),
      expect.stringMatching(/^default\/a\.yaml:4:13: warning: the target ci has retry: none/),
    ]);
    expect(document.rules[0]?.order?.by).toBe("sequence");
    expect(document.targets[0]?.limits).toEqual({ rate: { limit: 5, periodMs: 1_000, burst: 1 } });
  });
  it("warns of files that are not read", async () => {
    expect(await problemsOf("default/a.yaml.bak", "")).toEqual([
      expect.stringContaining("warning: this file is not read"),
    ]);
    expect(await problemsOf("notes.txt", "")).toEqual([expect.stringContaining("warning: this file is not read")]);
  });
});

describe("a folder that is wrong", () => {
  it.each([
    ["sources.yml", SOURCES, "name it sources.yaml"],
    ["stray.yaml", RULE, "a rule stands in its bus's folder, as in default/stray.yaml"],
    ["default/a.json", "{}", "the rule default/a is also in"],
    ["default/My Rule.yaml", RULE, "a rule's file is named in lower-case letters"],
    [`default/${"x".repeat(64)}.yaml`, RULE, "63 characters at most"],
    ["My-Bus/a.yaml", RULE, "a bus is named in lower-case letters"],
    ["default/more/a.yaml", RULE, "a bus has no folders"],
    ["default/b.yaml", new Uint8Array([0xff, 0xfe]), "expected UTF-8 text"],
    ["targets.yaml", "[]", "expected names with an entry each, found an empty list"],
  ])("%s", async (name, text, expected) => {
    const problems = await problemsOf(name, text);
    expect(problems.some((problem) => problem.includes(": error: ") && problem.includes(expected))).toBe(true);
  });
  it("lacks sources.yaml or targets.yaml", async () => {
    expect((await read({ "default/x.md": "" })).problems).toEqual([
      "sources.yaml:1:1: error: there is no sources.yaml; an empty one will do",
      "targets.yaml:1:1: error: there is no targets.yaml; an empty one will do",
    ]);
  });
  it("is not there", async () => {
    const dir = join(await folderOf({}), "absent");
    expect((await readRules(dir)).problems).toMatchObject([{ severity: "error", message: "there is no such folder" }]);
  });
  it("is told of everything at once, in order", async () => {
    const { files } = await read({
      "sources.yaml": "github: { kind: githb }\nx: { kind: y }\n",
      "targets.yaml": "ci: { htp: x }\n",
      "default/b.yaml": "pattern: 5\ntargets: [no]\n",
      "default/a.yaml": "x: 1\n",
    });
    expect(files).toEqual([
      "default/a.yaml",
      "default/a.yaml",
      "default/a.yaml",
      "default/b.yaml",
      "default/b.yaml",
      "sources.yaml",
      "sources.yaml",
      "targets.yaml",
    ]);
  });
  it("has a bounded number of rules", async () => {
    const dir = await folderOf(GOOD);
    const tooMany = async () =>
      (await readRules(dir)).problems.filter(({ message }) => message.includes("at most 20000 rules"));
    for (let n = 1; n < RULES_MAX; n++) writeFileSync(join(dir, `default/r${n}.yaml`), "");
    expect(await tooMany()).toEqual([]);
    writeFileSync(join(dir, "default/one-more.yaml"), "");
    expect(await tooMany()).toHaveLength(1);
  }, 60_000);
  it("takes names of 63 characters", async () => {
    expect(await problemsOf(`default/${"x".repeat(NAME_CHARS_MAX)}.yaml`, RULE)).toEqual([]);
  });
  it("has files of bounded size and a bounded number of entries", async () => {
    const padded = (bytes: number) => `${RULE}#${"x".repeat(bytes - RULE.length - 1)}`;
    expect(await problemsOf("default/a.yaml", padded(FILE_BYTES_MAX))).toEqual([]);
    expect(await problemsOf("default/a.yaml", padded(FILE_BYTES_MAX + 1))).toEqual([
      expect.stringContaining(`at most ${FILE_BYTES_MAX} bytes`),
    ]);
    const targets = (count: number) => Array.from({ length: count }, (_, n) => `t${n}: { queue: Q }`).join("\n");
    const errors = async (count: number) =>
      (await problemsOf("targets.yaml", targets(count))).filter((problem) => problem.includes("entries"));
    expect(await errors(ENTRIES_MAX)).toEqual([]);
    expect(await errors(ENTRIES_MAX + 1)).toHaveLength(1);
  });
});
