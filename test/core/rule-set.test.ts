import { describe, expect, it } from "vitest";
import type { AnySource, AnyTarget } from "../../src/core/rule-set.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { err, ok } from "../../src/core/result.ts";
import type { RuleDefinition, RulesDocument } from "../../src/core/rule.ts";

const source: AnySource = {
  kind: "test",
  summary: "",
  schema: {},
  parse: (entry) => (entry["bad"] === undefined ? ok({ read: entry }) : err([{ path: ["bad"], message: "is bad" }])),
  secretNames: () => [],
  isOpen: () => false,
  receive: () => err({ reason: "missing-token" }),
};
const target: AnyTarget = {
  kind: "test",
  summary: "",
  schema: {},
  parse: (entry) => ok({ read: entry }),
  secretNames: () => [],
  queueBindings: () => [],
  serviceBindings: () => [],
  urls: () => [],
  localOnly: () => [],
  preview: () => ({ action: "nothing", headers: {}, body: null }),
  send: () => Promise.resolve({ kind: "delivered" }),
};
const registry = { sources: { test: source }, targets: { test: target } };

function rule(path: string, more: Partial<RuleDefinition> = {}): RuleDefinition {
  const bus = path.split("/")[0] ?? "";
  return { path, bus, pattern: { type: ["push"] }, targets: ["ci"], mode: "live", ...more };
}

function document(rules: readonly RuleDefinition[], more: Partial<RulesDocument> = {}): RulesDocument {
  return {
    version: "v",
    sources: [{ name: "github", kind: "test", bus: "default", entry: { a: 1 } }],
    targets: [{ name: "ci", kind: "test", entry: { b: 2 }, timeoutMs: 1, retryDelaysMs: [], maxAgeMs: 1 }],
    rules,
    ...more,
  };
}

const pathsOf = (rules: readonly { readonly definition: RuleDefinition }[]) =>
  rules.map(({ definition }) => definition.path);

describe("matching", () => {
  const set = compileRules(
    document([
      rule("default/b"),
      rule("other/a"),
      rule("default/off", { mode: "off" }),
      rule("default/z", { mode: "shadow" }),
      rule("default/y", { mode: "shadow", pattern: { data: { ref: ["main"] } } }),
      rule("shade/a", { mode: "shadow" }),
      rule("default/c", { pattern: { type: ["pull"] } }),
      rule("default/a", { pattern: { data: { ref: ["main"] } } }),
    ]),
    registry,
  );
  it("answers the live rules of the bus that match, in the order of their paths", () => {
    expect(pathsOf(set.match("default", { type: "push", data: { ref: "main" } }))).toEqual(["default/a", "default/b"]);
    expect(pathsOf(set.match("default", { type: "push" }))).toEqual(["default/b"]);
    expect(pathsOf(set.match("other", { type: "push" }))).toEqual(["other/a"]);
    expect(pathsOf(set.match("shade", { type: "push" }))).toEqual([]);
  });
  it("answers the shadow rules apart from them, in the order of their paths", () => {
    const push = { type: "push", data: { ref: "main" } };
    expect(pathsOf(set.matchShadow("default", push))).toEqual(["default/y", "default/z"]);
    expect(pathsOf(set.matchShadow("default", { type: "push" }))).toEqual(["default/z"]);
    expect(pathsOf(set.matchShadow("shade", { type: "push" }))).toEqual(["shade/a"]);
    expect(set.matchShadow("other", { type: "push" })).toEqual([]);
    expect(set.matchShadow("absent", { type: "push" })).toEqual([]);
  });
  it("wants deliveries of live rules only", () => {
    expect(set.pairs).toEqual(["default/a ci", "default/b ci", "default/c ci", "other/a ci"]);
  });
  it("finds nothing on a bus that is not there", () => {
    for (const bus of ["absent", "__proto__", "constructor"]) expect(set.match(bus, { type: "push" })).toEqual([]);
  });
  it("lists rules by path, off ones too, and the buses of sources and rules", () => {
    expect(pathsOf(set.rules)).toEqual([
      "default/a",
      "default/b",
      "default/c",
      "default/off",
      "default/y",
      "default/z",
      "other/a",
      "shade/a",
    ]);
    expect(set.buses).toEqual(["default", "other", "shade"]);
    expect(set.version).toBe("v");
  });
});

describe("looking up", () => {
  const set = compileRules(document([rule("default/a", { transform: { constant: 1 } }), rule("default/b")]), registry);
  it("finds sources and targets with what their kinds read", () => {
    expect(set.source("github")).toMatchObject({ definition: { name: "github" }, config: { read: { a: 1 } } });
    expect(set.source("github")?.source).toBe(source);
    expect(set.target("ci")).toMatchObject({ definition: { name: "ci" }, config: { read: { b: 2 } } });
    expect(set.target("ci")?.target).toBe(target);
  });
  it("finds rules with their transform compiled", () => {
    expect(set.rule("default/a")?.transform).toEqual({ kind: "constant", text: "1" });
    expect(set.rule("default/b")?.transform).toBeUndefined();
  });
  it("finds nothing under names that every object has", () => {
    for (const name of ["constructor", "__proto__", "toString", ""]) {
      expect([set.source(name), set.target(name), set.rule(name)]).toEqual([undefined, undefined, undefined]);
    }
  });
});

describe("a document that could not have been generated throws", () => {
  it.each<[string, RulesDocument]>([
    ["no target gone", document([rule("default/a", { targets: ["gone"] })])],
    ["default/a is there twice", document([rule("default/a"), rule("default/a")])],
    ["no kind constructor", document([], { sources: [{ name: "x", kind: "constructor", bus: "default", entry: {} }] })],
    ["bad: is bad", document([], { sources: [{ name: "x", kind: "test", bus: "default", entry: { bad: 1 } }] })],
  ])("%s", (message, wrong) => expect(() => compileRules(wrong, registry)).toThrow(message));

  it("a pattern and a transform with the first event, as they are compiled then", () => {
    const pattern = compileRules(document([rule("default/a", { pattern: { type: "push" } })]), registry);
    expect(() => pattern.match("default", { type: "push" })).toThrow("type: expected an object");
    const transform = compileRules(document([rule("default/a", { transform: {} })]), registry);
    expect(() => transform.rule("default/a")?.transform).toThrow("expected constant, path, template or jsonata");
  });
});
