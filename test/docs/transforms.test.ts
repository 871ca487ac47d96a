import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { structuredJson } from "../../src/core/event.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";
import { codeBlocksOf } from "./code-blocks.ts";

/** When the page's event was accepted. */
const ACCEPTED_AT = Date.parse("2026-03-01T09:30:00Z");

const [event, ...blocks] = (await codeBlocksOf("transforms.md")).filter(({ language }) => language !== "sh");
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
  it.each(pairs)("tells the truth about $transform.text", async ({ transform, result }) => {
    const parsed = parseTransform((parse(transform.text) as { transform: Json }).transform, jsonataEngine);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const applied = await applyTransform(parsed.value, view, { acceptedAt: ACCEPTED_AT, seed: "example" });
    if (result?.language === "json") {
      if (!applied.ok) throw new Error(applied.error.detail);
      const { value } = applied;
      const text = value.kind === "body" ? value.text : structuredJson(value.event);
      expect(JSON.parse(text) as Json).toEqual(JSON.parse(result.text));
    } else {
      expect(applied).toEqual({ ok: false, error: { reason: "transform-failed", detail: result?.text.trim() } });
    }
  });
});
