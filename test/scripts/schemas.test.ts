/** The schemas of the rule files beside the readers of the files: what a reader takes, its schema takes. */
import { readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEventValue } from "../../bin/event-input.ts";
import { RULES_DIR } from "../../scripts/generate.ts";
import { readRule } from "../../scripts/read-rule.ts";
import { readSource } from "../../scripts/read-source.ts";
import { readTarget } from "../../scripts/read-target.ts";
import { readTest } from "../../scripts/read-test.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { readRules } from "../../scripts/rule-files.ts";
import { readRuleText } from "../../scripts/rule-text.ts";
import type { SchemaNames } from "../../scripts/schemas.ts";
import { ruleFileSchemas, schemaNames, schemaText } from "../../scripts/schemas.ts";
import { parsePatternText } from "../../src/core/pattern.ts";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";
import { codeBlocksOf } from "../docs/code-blocks.ts";
import { changedJson } from "../support/changed-json.ts";
import type { Corpus } from "../support/rule-file-corpus.ts";
import { RULES, SOURCES, TARGETS, TESTS } from "../support/rule-file-corpus.ts";

/** The largest schema; editors read it whenever a rule is opened. */
const SCHEMA_BYTES_MAX = 200_000;

const TARGET_NAMES = ["audit", "ci"];
const registry = await loadRegistry();
const { document } = await readRules(RULES_DIR, registry);
const projectNames = schemaNames(document);
const projectSchemas = ruleFileSchemas(registry, projectNames);
const schemas = ruleFileSchemas(registry, { ...projectNames, targets: TARGET_NAMES });

// Strict of what a schema says, not of how: lists of types and tuples of open length are meant.
const ajv = new Ajv({ strictSchema: true, strictTypes: false, strictTuples: false, keywords: ["patternErrorMessage"] });

type FileName = "rule.json" | "sources.json" | "targets.json" | "test.json";
type Accepts = (value: Json) => boolean;

const validatorOf = (schema: JsonObject): Accepts => {
  const validate = ajv.compile(schema);
  return (value) => validate(value) === true;
};

const takes: Readonly<Record<FileName, Accepts>> = {
  "rule.json": validatorOf(schemas["rule.json"] as JsonObject),
  "sources.json": validatorOf(schemas["sources.json"] as JsonObject),
  "targets.json": validatorOf(schemas["targets.json"] as JsonObject),
  "test.json": validatorOf(schemas["test.json"] as JsonObject),
};

function entriesRead(read: (name: string, entry: Json, mistakes: Mistake[]) => unknown): Accepts {
  return (value) => {
    if (value === null) return true;
    if (!isJsonObject(value)) return false;
    return Object.keys(value).every((name) => read(name, value[name] as Json, []) !== undefined);
  };
}

const reads: Readonly<Record<FileName, Accepts>> = {
  "rule.json": (value) => readRule("default", "a", value, TARGET_NAMES, []) !== undefined,
  "sources.json": entriesRead((name, entry, mistakes) => readSource(name, entry, registry.sources, mistakes)),
  "targets.json": entriesRead((name, entry, mistakes) => readTarget(name, entry, registry.targets, mistakes)),
  "test.json": (value) => {
    const cases = readTest(value, []);
    return cases?.every(({ event }) => event.kind !== "inline" || readEventValue(event.value).ok) === true;
  },
};

const corpora: readonly (readonly [FileName, Corpus])[] = [
  ["rule.json", RULES],
  ["sources.json", SOURCES],
  ["targets.json", TARGETS],
  ["test.json", TESTS],
];

function parse(text: string): Json {
  const { value, problems } = readRuleText(text, false);
  if (value === undefined) throw new Error(`${text.slice(0, 80)}: ${problems[0]?.message}`);
  return value;
}

describe("what is right", () => {
  it.each(corpora)("is right to %s too", (name, { right }) => {
    for (const text of right) {
      expect(reads[name](parse(text)), text.slice(0, 200)).toBe(true);
      expect(takes[name](parse(text)), text.slice(0, 200)).toBe(true);
    }
  });

  it("are all patterns that were observed and are none of the refused ones", () => {
    const lines = readFileSync(join(import.meta.dirname, "../conformance/patterns/observed.ndjson"), "utf8");
    const patterns = lines
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { readonly pattern: string }).pattern);
    const right = patterns.filter((text) => parsePatternText(text).ok);
    expect(right.length).toBeGreaterThan(800);
    const refused = right.filter((text) => !takes["rule.json"]({ pattern: JSON.parse(text) as Json, targets: ["ci"] }));
    expect(refused).toEqual([]);
  });

  it.each(corpora)("stays right to %s whatever is changed in it, as long as its reader takes it", (name, { right }) => {
    const parts = [...partsOf(projectSchemas[name] as JsonObject), ...right.flatMap((text) => scalarsOf(parse(text)))];
    const start = fc.constantFrom(...right.filter((text) => text.length < 1_000).map(parse));
    let taken = 0;
    const property = fc.property(changedJson(start, [...new Set(parts)]), (value) => {
      if (!reads[name](value)) return;
      taken++;
      expect(takes[name](value), JSON.stringify(value)).toBe(true);
    });
    fc.assert(property, { numRuns: 2_000 });
    expect(taken).toBeGreaterThan(100);
  });
});

describe("what is wrong", () => {
  it.each(corpora)("is wrong to %s, less what no schema can say", (name, { wrong }) => {
    for (const { text, gap } of wrong) {
      expect(reads[name](parse(text)), text.slice(0, 200)).toBe(false);
      expect(takes[name](parse(text)), `${gap ?? "said"}: ${text.slice(0, 200)}`).toBe(gap !== undefined);
    }
  });

  it("is the target that targets.yaml doesn't have", () => {
    const project = validatorOf(projectSchemas["rule.json"] as JsonObject);
    expect(projectNames.targets).toContain("printer");
    expect(project({ pattern: { type: ["a"] }, targets: ["printer"] })).toBe(true);
    expect(project({ pattern: { type: ["a"] }, targets: ["printre"] })).toBe(false);
  });
});

describe("the files of the project", () => {
  it("begin with the schema that they are right by", async () => {
    const files = await readdir(RULES_DIR, { recursive: true });
    const yaml = files.filter((file) => file.endsWith(".yaml"));
    expect(yaml.length).toBeGreaterThan(6);
    for (const file of yaml) {
      const text = await readFile(join(RULES_DIR, file), "utf8");
      const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1] ?? "";
      const name = relative(join(RULES_DIR, "schemas"), resolve(RULES_DIR, dirname(file), schema));
      expect([file, name]).toEqual([file, schemaOf(file)]);
      expect(validatorOf(projectSchemas[schemaOf(file)] as JsonObject)(parse(text)), file).toBe(true);
    }
  });

  it("are as the documentation writes them", async () => {
    const shown = { ...projectNames, targets: ["audit", "ci", "orders", "printer"] } satisfies SchemaNames;
    const documented = ruleFileSchemas(registry, shown);
    let looked = 0;
    for (const page of ["rules.md", "transforms.md", "testing.md"]) {
      for (const { language, text } of await codeBlocksOf(page)) {
        const isModeline = text.startsWith("# yaml-language-server: $schema=../schemas/rule.json\n");
        const file = isModeline ? "default/a.yaml" : /^# rules\/(\S+)/.exec(text)?.[1];
        const isTransform = text.startsWith("transform:");
        if (language !== "yaml" || (file === undefined && !isTransform)) continue;
        const value = parse(isTransform ? `pattern: { type: [a] }\ntargets: [ci]\n${text}` : text);
        const isRight = validatorOf(documented[schemaOf(file ?? "default/a.yaml")] as JsonObject)(value);
        expect([text, isRight]).toEqual([text, !text.includes("rules/default/wrong.yaml")]);
        looked++;
      }
    }
    expect(looked).toBeGreaterThan(12);
  });
});

describe("the schemas", () => {
  it("are the same for the same rules, and small enough to be read while somebody types", () => {
    const again = ruleFileSchemas(registry, schemaNames(document));
    for (const [name, schema] of Object.entries(projectSchemas)) {
      expect(schemaText(schema)).toBe(schemaText(again[name] as JsonObject));
      expect(schemaText(schema).length).toBeLessThan(SCHEMA_BYTES_MAX);
    }
  });

  it("say something of every member", () => {
    const silent = Object.entries(schemas).flatMap(([name, schema]) => membersWithoutText(schema, schema, name));
    expect(silent).toEqual([]);
  });

  it("offer GitHub's types and events, and the names of the project, and refuse no others", () => {
    expect(projectNames.eventTypes).toContain("com.github.pull_request.opened");
    expect(projectNames.eventTypes).toContain("com.github.push");
    expect(projectNames.examples).toContain("push");
    expect(projectNames.buses).toContain("default");
    const text = Object.values(projectSchemas).map(schemaText).join("\n");
    for (const name of ["com.github.issues.labeled", "printer", "default", "push"]) expect(text).toContain(`"${name}"`);
    expect(takes["rule.json"](parse("pattern: { type: [org.example.mine] }\ntargets: [ci]"))).toBe(true);
    expect(takes["sources.json"](parse("a: { kind: github, auth: none, bus: a-new-one }"))).toBe(true);
    expect(takes["test.json"](parse("cases: [{ name: a, event: { github: brand_new }, match: true }]"))).toBe(true);
  });

  it("take a project that has no targets yet", () => {
    const empty = ruleFileSchemas(registry, { ...projectNames, targets: [], buses: [] });
    expect(validatorOf(empty["rule.json"] as JsonObject)(parse("pattern: { type: [a] }\ntargets: [ci]"))).toBe(true);
    expect(validatorOf(empty["targets.json"] as JsonObject)(parse("a: { bus: b }"))).toBe(true);
  });
});

function schemaOf(file: string): FileName {
  if (file === "sources.yaml" || file === "targets.yaml")
    return file === "sources.yaml" ? "sources.json" : "targets.json";
  return file.endsWith(".test.yaml") ? "test.json" : "rule.json";
}

/** Names of members, and the values that stand in a schema: what a file may hold in the wrong place. */
function partsOf(schema: Json): readonly Json[] {
  if (Array.isArray(schema)) return schema.slice(0, 20).flatMap(partsOf);
  if (!isJsonObject(schema)) return typeof schema === "string" && schema.length > 40 ? [] : [schema];
  const names = isJsonObject(schema["properties"]) ? Object.keys(schema["properties"]) : [];
  return [...names, ...Object.values(schema).flatMap(partsOf)];
}

function scalarsOf(value: Json): readonly Json[] {
  if (typeof value !== "object" || value === null) return [value];
  return Object.values(value).flatMap((member) => scalarsOf(member as Json));
}

function membersWithoutText(schema: Json, root: JsonObject, path: string): readonly string[] {
  if (Array.isArray(schema))
    return schema.flatMap((each, at) => membersWithoutText(each as Json, root, `${path}[${at}]`));
  if (!isJsonObject(schema)) return [];
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const isDependency = path.includes(".dependencies.");
  const silent = Object.entries(properties).filter(([, member]) => {
    if (!isJsonObject(member) || isDependency) return false;
    const name = /^#\/definitions\/(.+)$/.exec(String(member["$ref"]))?.[1];
    const definition = name === undefined ? member : (root["definitions"] as JsonObject)[name];
    return !isJsonObject(definition) || typeof definition["description"] !== "string";
  });
  return [
    ...silent.map(([name]) => `${path}.${name}`),
    ...Object.entries(schema).flatMap(([name, member]) => membersWithoutText(member, root, `${path}.${name}`)),
  ];
}
