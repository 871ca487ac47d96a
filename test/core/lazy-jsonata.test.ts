import { describe, expect, it, vi } from "vitest";
import type { JsonataEngine } from "../../src/core/jsonata.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { lazyJsonata } from "../../src/core/lazy-jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";

const CONTEXT = { acceptedAt: 0, seed: "s" };

function compiled(engine: ReturnType<typeof lazyJsonata>, text: string) {
  const result = engine.compile(text);
  if (!result.ok) throw new Error("compile");
  return result.value;
}

describe("JSONata that is loaded late", () => {
  it("is loaded with the first evaluation, once, and answers as the engine itself", async () => {
    const load = vi.fn<() => Promise<JsonataEngine>>(async () => jsonataEngine);
    const engine = lazyJsonata(load);
    const expression = compiled(engine, "a.b & 'x'");
    expect(load).not.toHaveBeenCalled();
    expect(await engine.evaluate(expression, { a: { b: "1" } }, CONTEXT)).toEqual({ ok: true, value: "1x" });
    expect(await engine.evaluate(expression, { a: { b: "2" } }, CONTEXT)).toEqual({ ok: true, value: "2x" });
    expect(await engine.evaluate(compiled(engine, "1 + 1"), null, CONTEXT)).toEqual({ ok: true, value: 2 });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("compiles an expression once", async () => {
    const compile = vi.fn<JsonataEngine["compile"]>(jsonataEngine.compile);
    const engine = lazyJsonata(async () => ({ ...jsonataEngine, compile }));
    const expression = compiled(engine, "a");
    await engine.evaluate(expression, { a: 1 }, CONTEXT);
    await engine.evaluate(expression, { a: 2 }, CONTEXT);
    expect(compile).toHaveBeenCalledTimes(1);
  });

  it("tells a mistake when it is evaluated, as it was looked for before", async () => {
    const engine = lazyJsonata(async () => jsonataEngine);
    const result = await engine.evaluate(compiled(engine, "a +"), {}, CONTEXT);
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining("expression") });
  });

  it("makes a transform", async () => {
    const parsed = parseTransform(
      { jsonata: "data.ref" },
      lazyJsonata(async () => jsonataEngine),
    );
    if (!parsed.ok) throw new Error("parse");
    const made = await applyTransform(parsed.value, { data: { ref: "main" } }, CONTEXT);
    expect(made).toEqual({ ok: true, value: { kind: "body", text: '"main"' } });
  });
});
