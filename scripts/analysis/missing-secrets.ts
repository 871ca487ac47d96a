/** Secrets that sources and targets name and that this machine doesn't have. */
import type { Json, JsonObject, PathStep } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { Places } from "../places.ts";
import type { Problem } from "../problem.ts";

/** Every secret that some source or target names, each once. */
export function secretNames({ sources, targets }: Pick<RuleSet, "sources" | "targets">): readonly string[] {
  const names = [
    ...sources.flatMap(({ source, config }) => source.secretNames(config)),
    ...targets.flatMap(({ target, config }) => target.secretNames(config)),
  ];
  return [...new Set(names)];
}

/** A warning for each name that `known` lacks, where a source or target names it first. */
export function missingSecrets(
  document: Pick<RulesDocument, "sources" | "targets">,
  { sources, targets }: Pick<RuleSet, "sources" | "targets">,
  known: ReadonlySet<string>,
  places: Pick<Places, "ofSource" | "ofTarget">,
): readonly Problem[] {
  const said = new Set(known);
  const missing = (
    what: string,
    { name }: { readonly name: string },
    entries: readonly { readonly name: string; readonly entry: JsonObject }[],
    names: readonly string[],
    place: Places["ofSource"],
  ): readonly Problem[] =>
    names.flatMap((secret): readonly Problem[] => {
      if (said.has(secret)) return [];
      said.add(secret);
      const message = `the secret ${secret} of the ${what} ${name} is set neither in the environment nor in .dev.vars, where npm start would make one up`;
      const entry = entries.find((each) => each.name === name)?.entry ?? {};
      const path = pathOf(entry, secret) ?? [];
      return [{ ...place(name, { path }), message, severity: "warning", code: "missing-secret" }];
    });
  return [
    ...sources.flatMap(({ definition, source, config }) =>
      missing("source", definition, document.sources, source.secretNames(config), places.ofSource),
    ),
    ...targets.flatMap(({ definition, target, config }) =>
      missing("target", definition, document.targets, target.secretNames(config), places.ofTarget),
    ),
  ];
}

/** The way to the first text in an entry that is this one. */
function pathOf(value: Json, text: string): readonly PathStep[] | undefined {
  if (value === text) return [];
  const members: readonly (readonly [PathStep, Json])[] = isJsonObject(value)
    ? Object.entries(value)
    : Array.isArray(value)
      ? [...(value as readonly Json[]).entries()]
      : [];
  for (const [step, member] of members) {
    const rest = pathOf(member, text);
    if (rest !== undefined) return [step, ...rest];
  }
  return undefined;
}
