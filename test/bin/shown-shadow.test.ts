import { describe, expect, it } from "vitest";
import { describeShadow } from "../../bin/shown-shadow.ts";

const terminal = { paint: (_style: unknown, text: string) => text };
const shown = (match: object, charsMax = 100) =>
  describeShadow({ rule: "a/b", targets: ["ci"], ...match }, charsMax, terminal);

describe("what a shadow rule would have sent", () => {
  it("is shown in lines, with what is not shown and what is not kept", () => {
    expect(shown({ output: '{"a":1}' })).toEqual(["  to ci:", "    {", '      "a": 1', "    }"]);
    expect(shown({ output: "x".repeat(120), outputBytes: 500 })).toEqual([
      "  to ci:",
      `    ${"x".repeat(100)}`,
      "    … 20 characters more: --json shows them",
      "    … of 500 bytes only the beginning is kept",
    ]);
  });

  it("says so when other rules of the event have left no room for any of it", () => {
    expect(shown({ output: "", outputBytes: 7_108 })).toEqual([
      "  to ci: 7108 bytes, of which none is kept: the other shadow rules of this event have taken the room",
    ]);
    expect(shown({ output: "" })).toEqual(["  to ci:", "    "]);
  });
});
