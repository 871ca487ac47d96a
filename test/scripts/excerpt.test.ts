import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { EXCERPT_CELLS_MAX, createExcerpts, excerptOf, formatExcerpt } from "../../scripts/excerpt.ts";
import { fileProblem } from "../../scripts/problem.ts";

function shown(line: string, column: number, isStrict = false): readonly string[] {
  return formatExcerpt(excerptOf(line, { line: 7, column }, isStrict)).split("\n");
}

/** What the caret stands below. */
function pointedAt([line = "", caret = ""]: readonly string[]): string {
  return line.slice(caret.indexOf("^"));
}

describe("an excerpt", () => {
  it("is the line with its number, and a caret below the place", () => {
    expect(shown("type: [com.github.psh]", 8)).toEqual(["    7 | type: [com.github.psh]", "      |        ^"]);
  });
  it("points behind the line's end where that is the place", () => {
    expect(shown("abc", 4)).toEqual(["    7 | abc", "      |    ^"]);
    expect(shown("abc", 40)).toEqual(["    7 | abc", "      |    ^"]);
  });
  it("writes tabs as blanks, and counts them", () => {
    expect(shown("\t\tkey: x", 3)).toEqual(["    7 |     key: x", "      |     ^"]);
  });
  it("counts wide and combined characters as terminals do", () => {
    expect(shown("名: x", 4)).toEqual(["    7 | 名: x", "      |     ^"]);
    expect(shown("😀: x", 5)).toEqual(["    7 | 😀: x", "      |     ^"]);
    expect(shown("e\u0301: x", 5)).toEqual(["    7 | e\u0301: x", "      |    ^"]);
  });
  it("shows a line of the limit whole, and cuts a longer one around the place", () => {
    const line = (length: number) => "ab ".repeat(100).slice(0, length);
    expect(shown(line(EXCERPT_CELLS_MAX), 1)[0]).toBe(`    7 | ${line(EXCERPT_CELLS_MAX)}`);
    const start = shown(line(EXCERPT_CELLS_MAX + 1), 1);
    expect(start[0]).toMatch(/^ {4}7 \| ab .*…$/);
    expect(start[0]).toHaveLength("    7 | ".length + EXCERPT_CELLS_MAX - 1);
    const middle = shown(`${line(150)}HERE${line(150)}`, 151);
    expect(pointedAt(middle)).toMatch(/^HERE.*…$/);
    expect(middle[0]).toMatch(/^ {4}7 \| …/);
    const end = shown(`${line(150)}HERE`, 151);
    expect(pointedAt(end)).toBe("HERE");
  });
  it("keeps the terminal to itself", () => {
    const text = shown("a\u001b[31mb\u0007\u202ec\u2028d", 11)[0] ?? "";
    expect(text).toBe("    7 | a [31mb  c d");
  });
  it("points at the place in any line of plain letters", () => {
    const lines = fc.string({ unit: fc.constantFrom("a", "b", " ", "\t", "[", "é"), maxLength: 300 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const [line = "", caret = ""] = shown(`${before}§${after}`, before.length + 1);
        expect(line.charAt(caret.indexOf("^"))).toBe("§");
        expect(line.length).toBeLessThanOrEqual(EXCERPT_CELLS_MAX + "    7 | ".length);
      }),
    );
  });
});

describe("secrets", () => {
  const SECRETS = [
    "hunter2",
    "correct-horse",
    "whsec_c2VjcmV0",
    "Zm9vYmFy+/==",
    "JBSWY3DPEHPK3PXP",
    "p4ss,w0rd!",
    "s3cr:et",
  ];

  it("that someone pasted into sources.yaml or targets.yaml are not shown", () => {
    for (const secret of SECRETS) {
      for (const line of [
        `  secrets: [${secret}]`,
        `  - ${secret}`,
        `  ${secret}`,
        `github: { kind: github, secrets: ["${secret}", OLD_SECRET] }`,
        `  sign: '${secret}'`,
        `  headers: { Authorization: { secret: ${secret} } }`,
        `  headers: { X-Api-Key: ${secret} }`,
        `  auth: { bearer: [${secret}] }`,
      ]) {
        for (const column of [1, line.indexOf(secret) + 1, line.length]) {
          const text = shown(line, column, true)[0] ?? "";
          const parts = secret.split(/[,!:]/).filter((part) => part.length > 2);
          expect([line, parts.filter((part) => text.includes(part))]).toEqual([line, []]);
        }
      }
    }
  });
  it("in the paths of URLs are not shown, either", () => {
    const [line = ""] = shown("chat: { http: https://hooks.chat.dev/T0/B1/verysecret, retry: none }", 15, true);
    expect(line).toBe("    7 | chat: { http: https://hooks.chat.dev/…, retry: none }");
    expect(shown("a: { http: https://user:pw@ci.dev/ }", 6, true)[0]).toBe("    7 | a: { http: … }");
  });
  it("in comments are not shown, either", () => {
    expect(shown("  secrets: [NEW_SECRET] # was hunter2, once", 12, true)).toEqual([
      "    7 |   secrets: [NEW_SECRET] # …",
      "      |            ^",
    ]);
    expect(shown("a: 1 # hunter2", 10, true)).toEqual(["    7 | a: 1 # …", "      |      ^"]);
  });
  it("leave the rest of the line readable, and the caret at its place", () => {
    const line = "github: { kind: gihub, secrets: [GITHUB_WEBHOOK_SECRET], bus: default }";
    expect(shown(line, 17, true)).toEqual([`    7 | ${line}`, `      | ${" ".repeat(16)}^`]);
    expect(pointedAt(shown("a: { secrets: [hunter2], kynd: github }", 26, true))).toBe("kynd: … }");
    expect(pointedAt(shown("ci: { secrets: [hunter2] }", 17, true))).toBe("…] }");
    const limits = "ci: { rate: 50/s, timeout: 15s, concurrency: 4, local: print }";
    expect(shown(limits, 7, true)[0]).toBe(`    7 | ${limits}`);
  });
  it("of known forms are not shown in rules", () => {
    for (const secret of [
      "ghp_abcdefghij",
      "whsec_c2VjcmV0",
      "xoxb-1-2-abc",
      "AKIAIOSFODNN7EXAMPLE",
      `a1${"x".repeat(40)}`,
    ]) {
      expect(shown(`  constant: { token: ${secret} }`, 3)[0]).toBe("    7 |   constant: { token: … }");
    }
    expect(shown("  type: [com.github.pull_request_review_comment.created]", 3)[0]).toContain("comment.created");
  });
});

describe("excerpts of problems", () => {
  const dirs: string[] = [];
  afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

  it("are read from their files, and left out where there is no line", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-excerpt-"));
    dirs.push(dir);
    const file = join(dir, "rule.yaml");
    await writeFile(file, "a: 1\r\n\r\nb: 2\n");
    const excerpt = createExcerpts();
    const at = (line: number, column = 1, name = file) =>
      excerpt({ file: name, line, column, message: "m", severity: "error" })?.line;
    expect([at(1), at(2), at(3), at(4), at(9)]).toEqual(["a: 1", undefined, "b: 2", undefined, undefined]);
    expect([at(1, 1, dir), at(1, 1, join(dir, "none.yaml")), at(1)]).toEqual([undefined, undefined, "a: 1"]);
    expect(excerpt(fileProblem(file, "a file has at most 5 bytes"))).toBeUndefined();
  });
});
