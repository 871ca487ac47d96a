/** The names of everything that a set of rules takes from the environment. */
import type { RuleSet } from "../../src/core/rule-set.ts";

const ADMIN_TOKEN = "ADMIN_TOKEN";

/** Secrets of all sources and targets, and the admin API's token. */
export function secretNames({ sources, targets }: RuleSet): readonly string[] {
  return [
    ...new Set([
      ADMIN_TOKEN,
      ...sources.flatMap(({ source, config }) => source.secretNames(config)),
      ...targets.flatMap(({ target, config }) => target.secretNames(config)),
    ]),
  ];
}

export function queueBindings({ targets }: RuleSet): readonly string[] {
  return [...new Set(targets.flatMap(({ target, config }) => target.queueBindings(config)))];
}
