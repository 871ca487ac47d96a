import { describe, expect, it } from "vitest";
import { LINE_CHARS_MAX, describeLogLine } from "../../bin/local/log-line.ts";
import { tableLines } from "../../bin/table.ts";
import { WIDTH_MAX, createTerminal } from "../../bin/terminal.ts";

const plain = (_style: string, text: string): string => text;

function terminalOf(env: Record<string, string>, stream: object) {
  const { stdin } = process;
  return createTerminal({ stdin, cwd: () => "/", env, stdout: stream, stderr: stream } as unknown as NodeJS.Process);
}

describe("colours", () => {
  const screen = { isTTY: true, columns: 90 };

  it("are there on a terminal", () => {
    expect(terminalOf({}, screen).paint("red", "x")).toBe("\u001b[31mx\u001b[39m");
  });

  it.each([
    ["with NO_COLOR", { NO_COLOR: "1" }, screen],
    ["on a dumb terminal", { TERM: "dumb" }, screen],
    ["where there is no terminal, whatever the environment asks for", { FORCE_COLOR: "1" }, {}],
  ])("are not %s", (_case, env, stream) => {
    expect(terminalOf(env, stream).paint("red", "x")).toBe("x");
  });

  it("leave an empty NO_COLOR alone, as no-color.org says", () => {
    expect(terminalOf({ NO_COLOR: "" }, screen).tint("red", "x")).not.toBe("x");
  });
});

describe("progress", () => {
  const written = (stream: object): readonly string[] => {
    const texts: string[] = [];
    const { progress } = terminalOf({}, { ...stream, write: (text: string) => texts.push(text) });
    progress("1 of 2");
    progress(null);
    return texts;
  };

  it("stands in one line of a terminal, and goes away", () => {
    expect(written({ isTTY: true, columns: 90 })).toEqual(["\r\u001b[K1 of 2", "\r\u001b[K"]);
  });

  it("is not written where there is no terminal", () => expect(written({})).toEqual([]));
});

describe("the width of a line", () => {
  it.each([
    [{ isTTY: true, columns: 90 }, 90],
    [{ isTTY: true, columns: 10 }, 60],
    [{ isTTY: true, columns: 500 }, WIDTH_MAX],
    [{ isTTY: true, columns: 0 }, WIDTH_MAX],
    [{}, WIDTH_MAX],
  ])("of %j is %i", (stream, width) => {
    expect(terminalOf({}, stream).width).toBe(width);
  });
});

describe("a table", () => {
  const columns = [
    { title: "ID", value: ([id]: readonly string[]) => id ?? "" },
    { title: "NAME", value: ([, name]: readonly string[]) => name ?? "", charsMin: 6 },
    { title: "NOTE", value: ([, , note]: readonly string[]) => note ?? "", charsMin: 5 },
  ];

  it("is as wide as what stands in it", () => {
    const rows = [
      ["1", "a", "x"],
      ["200", "long name", ""],
    ];
    expect(tableLines(rows, columns, { width: 80, paint: plain })).toEqual([
      "ID   NAME       NOTE",
      "1    a          x",
      "200  long name",
    ]);
  });

  it("cuts columns that allow it, the last one first, and no others", () => {
    const rows = [["a-long-receipt", "a long name", "a long note"]];
    expect(tableLines(rows, columns, { width: 36, paint: plain })[1]).toBe("a-long-receipt  a long name  a long…");
    expect(tableLines(rows, columns, { width: 31, paint: plain })[1]).toBe("a-long-receipt  a long …  a lo…");
    expect(tableLines(rows, columns, { width: 10, paint: plain })[1]).toBe("a-long-receipt  a lon…  a lo…");
  });

  it("lets no value steer the terminal", () => {
    expect(tableLines([["\u001b[2J", "a\nb", ""]], columns, { width: 80, paint: plain })[1]).toBe(" [2J  a b");
  });
});

describe("a line of the Worker's log", () => {
  const attempt = {
    message: "delivery.attempted",
    rule: "default/push",
    target: "ci",
    attempt: 1,
    outcome: "delivered",
    status: 204,
    next: "delivered",
    durationMs: 12,
  };
  const shown = (fields: object): string => describeLogLine(JSON.stringify({ ...attempt, ...fields }), { tint: plain });

  it("says what an attempt came to, and what comes next", () => {
    expect(shown({})).toBe("✓ delivered default/push → ci: 204, 12 ms");
    expect(
      shown({ outcome: "retryable", reason: "status", status: 500, attempt: 2, next: "retry", delayMs: 4_800 }),
    ).toBe("✗ failed default/push → ci: 500, 12 ms, attempt 2, again in 5s");
    expect(shown({ outcome: "permanent", reason: "transform-failed", status: undefined, next: "dead" })).toBe(
      "✗ failed default/push → ci: transform-failed, 12 ms, dead",
    );
  });

  it("shows other messages with their fields, and passes on what isn't Sluice's", () => {
    const line = describeLogLine('{"message":"accept.failed","partition":"v1/x/4/0","error":"no"}', { tint: plain });
    expect(line).toBe("accept.failed partition=v1/x/4/0 error=no");
    expect(describeLogLine("{ not json\u0007", { tint: plain })).toBe("{ not json ");
    expect(describeLogLine("x".repeat(LINE_CHARS_MAX), { tint: plain })).toHaveLength(LINE_CHARS_MAX);
    expect(describeLogLine("x".repeat(LINE_CHARS_MAX + 1), { tint: plain })).toHaveLength(LINE_CHARS_MAX);
  });
});
