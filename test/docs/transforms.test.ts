import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { applyTransform, parseTransform } from "../../src/core/transform.ts";
import { codeBlocksOf } from "./code-blocks.ts";

const [event, ...blocks] = await codeBlocksOf("transforms.md");
const view = JSON.parse(event?.text ?? "") as JsonObject;
const pairs = blocks.flatMap((block, index) =>
  index % 2 === 0 ? [{ transform: block, result: blocks[index + 1] }] : [],
);

describe("docs/transforms.md", () => {
  it("shows an event and then transforms, each with its result", () => {
    expect(event?.language).toBe("json event");
    expect(pairs.length).toBeGreaterThan(7);
    expect(pairs.every(({ transform, result }) => transform.language === "yaml" && result !== undefined)).toBe(true);
  });
  it.each(pairs)("tells the truth about $transform.text", ({ transform, result }) => {
    const parsed = parseTransform((parse(transform.text) as { transform: Json }).transform);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const applied = applyTransform(parsed.value, view);
    if (result?.language === "json") {
      expect(applied.ok && (JSON.parse(applied.value) as Json)).toEqual(JSON.parse(result.text));
    } else {
      expect(applied).toEqual({ ok: false, error: { reason: "transform-failed", detail: result?.text.trim() } });
    }
  });
});
