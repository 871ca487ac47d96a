/** Fields that rules name and that no payload of their types of events has, by GitHub's published schemas. */
import type { Field } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import { parseJsonPath } from "../../src/core/json-path.ts";
import type { Json, PathStep } from "../../src/core/result.ts";
import { isJsonObject, ownMember } from "../../src/core/result.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { GithubType } from "../github-schema.ts";
import type { Problem } from "../problem.ts";
import type { Analysis } from "./analysis.ts";
import { GITHUB_TOP_NAMES, placeOf } from "./event-place.ts";
import type { BusWorld } from "./feasible.ts";
import { busWorld, githubTypesOf } from "./feasible.ts";
import { cut } from "./field-place.ts";
import { findElsewhere } from "./find-field.ts";
import { ofTypes } from "./shown-types.ts";
import { nearestName } from "../../src/core/read-object.ts";

export const FINDINGS_PER_RULE_MAX = 20;

interface NamedField {
  /** As in patterns: names joined by dots. */
  readonly path: string;
  /** Where it stands in the rule's file. */
  readonly at: readonly PathStep[];
  /** `data.title`, or `$.data.title` in a transform. */
  readonly shown: (path: string) => string;
}

export const unknownFields: Analysis = (input) => {
  const { document, places } = input;
  const worlds = new Map<string, BusWorld>();
  return document.rules.flatMap((rule): readonly Problem[] => {
    if (rule.mode === "off") return [];
    const world = worlds.get(rule.bus) ?? busWorld(input, rule.bus);
    worlds.set(rule.bus, world);
    const findings = findingsOf(rule, world).slice(0, FINDINGS_PER_RULE_MAX);
    return findings.map(({ at, isKey, message }) => ({
      ...places.ofRule(rule.path, { path: at, ...(isKey ? { at: "key" as const } : {}) }),
      message,
      severity: "warning",
      code: "unknown-field",
    }));
  });
};

interface Finding {
  readonly at: readonly PathStep[];
  readonly isKey: boolean;
  readonly message: string;
}

function findingsOf({ pattern, transform }: RuleDefinition, world: BusWorld): readonly Finding[] {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) return [];
  const scopes = parsed.value.branches.map((branch) => ({ branch, types: schemaTypes(githubTypesOf(branch, world)) }));
  const found = new Map<Field, Finding>();
  for (const field of new Set(parsed.value.branches.flat())) {
    if (field.path === "type") continue;
    // An object of a `$or` goes with others: the field is unknown when it is in every branch that has it.
    const own = scopes.filter(({ branch }) => branch.includes(field)).map(({ types }) => types);
    const types = uniteScopes(own);
    const named = { path: field.path, at: ["pattern", ...field.at], shown: (path: string) => path };
    const message = types === undefined ? undefined : messageOf(named, types);
    if (message !== undefined) found.set(field, { at: named.at, isKey: true, message });
  }
  const all = uniteScopes(scopes.map(({ types }) => types));
  const inTransform =
    all === undefined
      ? []
      : transformPaths(transform).flatMap((named): readonly Finding[] => {
          const message = messageOf(named, all);
          return message === undefined ? [] : [{ at: named.at, isKey: false, message }];
        });
  return [...found.values(), ...inTransform];
}

/** The types whose fields are known; undefined when an event may be of one whose fields aren't. */
function schemaTypes(types: readonly GithubType[] | undefined): readonly GithubType[] | undefined {
  if (types === undefined) return undefined;
  const known = types.filter(({ hasSchema }) => hasSchema);
  // Of a whole family, the newest types may have no schema yet; what is named on its own has one or isn't checked.
  return known.length > 0 && (known.length === types.length || known.length > 1) ? known : undefined;
}

function uniteScopes(scopes: readonly (readonly GithubType[] | undefined)[]): readonly GithubType[] | undefined {
  const known = scopes.filter((types) => types !== undefined);
  return known.length === 0 || known.length < scopes.length ? undefined : [...new Set(known.flat())];
}

function messageOf({ path, shown }: NamedField, types: readonly GithubType[]): string | undefined {
  const has = (name: string): boolean => types.some((type) => placeOf(name, type) !== undefined);
  // A field that no event can have at all is an error of its own.
  if (has(path)) return undefined;
  const names = path.split(".");
  const depth = names.findIndex((_, index) => !has(names.slice(0, index + 1).join(".")));
  const parent = names.slice(0, depth);
  const name = names[depth] ?? "";
  const beside =
    parent.length === 0 ? GITHUB_TOP_NAMES : types.flatMap((type) => type.namesAt(parent.slice(1).join(".")));
  const nearest = nearestName(name, [...new Set(beside)]);
  const elsewhere = findElsewhere(types, names[0] === "data" ? names.slice(1) : names).map((found) => `data.${found}`);
  const respelt = nearest === undefined ? [] : [[...parent, nearest, ...names.slice(depth + 1)].join(".")];
  const candidates = [...new Set([...elsewhere.filter(has), ...respelt.filter(has)])];
  const hint =
    candidates.length === 0
      ? knownNames(beside, parent, shown)
      : `; did you mean ${listed(candidates.map((each) => cut(shown(each))))}?`;
  return `no event ${ofTypes(types)} has ${cut(shown(path))}${hint}`;
}

function knownNames(beside: readonly string[], parent: readonly string[], shown: (path: string) => string): string {
  const names = [...new Set(beside)].slice(0, 12);
  if (names.length === 0) return "";
  const more = new Set(beside).size > names.length ? ", …" : "";
  return ` (${parent.length === 0 ? "an event" : shown(parent.join("."))} has ${names.join(", ")}${more})`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** The paths that a `path` or `template` transform reads, less what can't be read. */
function transformPaths(transform: Json | undefined): readonly NamedField[] {
  if (!isJsonObject(transform)) return [];
  const template = ownMember(transform, "template");
  const paths = isJsonObject(template) ? ownMember(template, "paths") : undefined;
  const entries: readonly (readonly [Json | undefined, readonly PathStep[]])[] = [
    [ownMember(transform, "path"), ["transform", "path"]],
    ...(isJsonObject(paths) ? Object.entries(paths) : []).map(([name, entry]) => {
      const at = ["transform", "template", "paths", name];
      return isJsonObject(entry) ? ([ownMember(entry, "path"), [...at, "path"]] as const) : ([entry, at] as const);
    }),
  ];
  return entries.flatMap(([text, at]): readonly NamedField[] => {
    const parsed = typeof text === "string" ? parseJsonPath(text) : undefined;
    if (parsed?.ok !== true) return [];
    const names = parsed.value.flatMap((step) => (step.kind === "member" ? [step.name] : []));
    return names.length === 0 ? [] : [{ path: names.join("."), at, shown: (path) => `$.${path}` }];
  });
}
