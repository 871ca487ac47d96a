/**
 * The JSON Schemas of the rule files (draft-07), for editors: `rules/schemas/rule.json`, `sources.json`, `targets.json` and
 * `test.json`. What they say comes from the readers of the files; added here is what editors offer while somebody types: the
 * names that the project has, and GitHub's.
 */
import { createRequire } from "node:module";
import { patternDefinitions } from "../src/core/pattern-schema.ts";
import { mergeMembers } from "../src/core/reader-schema.ts";
import type { JsonObject } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import type { Registry } from "../src/core/rule-set.ts";
import type { RulesDocument } from "../src/core/rule.ts";
import { githubSchema } from "./github-schema.ts";
import { ruleSchema } from "./read-rule.ts";
import { sourceSchema } from "./read-source.ts";
import { targetSchema } from "./read-target.ts";
import { testSchema } from "./read-test.ts";
import { ENTRIES_MAX } from "./rule-files.ts";
import { NAME_SCHEMA } from "./rule-name.ts";

const DRAFT = "http://json-schema.org/draft-07/schema#";

/** The names that schemas offer. */
export interface SchemaNames {
  /** The only ones that a rule may name. */
  readonly targets: readonly string[];
  readonly buses: readonly string[];
  /** Types of events; others are as good. */
  readonly eventTypes: readonly string[];
  /** GitHub's events that have published examples. */
  readonly examples: readonly string[];
}

/** The names in a project's rules, and GitHub's. */
export function schemaNames(document: RulesDocument): SchemaNames {
  const { sources, targets, rules } = document;
  const github = githubSchema();
  return {
    targets: targets.map(({ name }) => name).toSorted(),
    buses: [...new Set([...sources, ...rules].map(({ bus }) => bus))].toSorted(),
    eventTypes: github.events.flatMap((event) => github.typesOf(event).map(({ type }) => type)).toSorted(),
    examples: publishedExamples(),
  };
}

function publishedExamples(): readonly string[] {
  const examples = createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly { readonly name: string }[];
  return [...new Set(examples.map(({ name }) => name))].toSorted();
}

/** The four schemas by their files' names. */
export function ruleFileSchemas(registry: Registry, names: SchemaNames): Readonly<Record<string, JsonObject>> {
  return {
    "rule.json": whole("A rule", "Which events go where.", {
      ...ruleSchema(names.targets),
      definitions: patternDefinitions(names.eventTypes),
    }),
    "sources.json": whole("Sources", "Who may send events, by name. A source listens at /webhooks/<name>.", {
      ...entriesOf(offering(sourceSchema(registry.sources), "bus", names.buses)),
    }),
    "targets.json": whole("Targets", "Where events may go, by the name that rules give.", {
      ...entriesOf(offering(targetSchema(registry.targets), "bus", names.buses)),
    }),
    "test.json": whole("Tests of a rule", "Events, and what the rule of the same name makes of them.", {
      ...testSchema(names.examples),
    }),
  };
}

/** A schema as the text of its file. */
export function schemaText(schema: JsonObject): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function whole(title: string, description: string, schema: JsonObject): JsonObject {
  return { $schema: DRAFT, title, description, ...schema };
}

/** A file of named entries; an empty file has none. */
function entriesOf(entry: JsonObject): JsonObject {
  return {
    type: ["object", "null"],
    maxProperties: ENTRIES_MAX,
    propertyNames: NAME_SCHEMA,
    additionalProperties: entry,
  };
}

/** Has a member of each of a schema's alternatives offer names; others are as good. */
function offering(schema: JsonObject, member: string, names: readonly string[]): JsonObject {
  const alternatives = (schema["anyOf"] ?? []) as readonly JsonObject[];
  const anyOf = alternatives.map((alternative) => {
    const properties = ownMember(alternative, "properties");
    const own = isJsonObject(properties) ? ownMember(properties, member) : undefined;
    if (!isJsonObject(own) || names.length === 0) return alternative;
    return mergeMembers(alternative, { properties: { [member]: { ...own, anyOf: [{ enum: names }, {}] } } });
  });
  return { ...schema, anyOf };
}
