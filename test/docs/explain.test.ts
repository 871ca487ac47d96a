import { describe, expect, it } from "vitest";
import { runSluice } from "../bin/run-sluice.ts";
import { codeBlocksOf } from "./code-blocks.ts";

const PROMPT = "$ npm run -s sluice -- explain ";

const examples = (await codeBlocksOf("rules.md"))
  .filter(({ language, text }) => language === "console" && text.startsWith(PROMPT))
  .map(({ text }) => {
    const end = text.indexOf("\n");
    return { args: text.slice(PROMPT.length, end).split(" "), shown: text.slice(end + 1) };
  });

describe("docs/rules.md", () => {
  it("has examples of explain", () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  it.each(examples)("shows what explain $args prints", async ({ args, shown }) => {
    expect(await runSluice(["explain", ...args])).toEqual({ code: 0, stdout: shown, stderr: "" });
  });
});
