/** Which of GitHub's types of events a pattern's `type` field lets in, and what it names that GitHub never sends. */
import type { Alternative } from "../../src/core/alternative.ts";
import type { Field } from "../../src/core/pattern.ts";
import { compileAlternatives } from "../../src/core/value-test.ts";
import type { GithubType } from "../github-schema.ts";
import { GITHUB_PREFIX, githubSchema, splitType } from "../github-schema.ts";
import { nearestName } from "../../src/core/read-object.ts";

const NAMES_SHOWN_MAX = 4;
const SHOWN_CHARS_MAX = 120;

/** Where the events with the types come from. */
export interface TypeWorld {
  /** The bus has sources, and all of them are GitHub's. */
  readonly isOnlyGithub: boolean;
  /** Replies of targets may come to the bus. */
  readonly mayReply: boolean;
  /** Other rules pipe to the bus. */
  readonly isPiped: boolean;
}

export type TypeVerdict =
  /** These types of GitHub's, and with `isOpen` others that begin or end so and that nobody knows yet. */
  | { readonly kind: "github"; readonly types: readonly GithubType[]; readonly isOpen: boolean }
  /** Events that are nobody's in particular. */
  | { readonly kind: "any" }
  | {
      readonly kind: "never";
      readonly message: string;
      readonly code: "unknown-type" | "foreign-type";
      readonly severity: "error" | "warning";
    };

/** What each alternative of a `type` field lets in, in order; one verdict for all types without the field. */
export function typeVerdicts(field: Field | undefined, world: TypeWorld): readonly TypeVerdict[] {
  if (field === undefined) return [canBeOther(world) ? { kind: "any" } : everyType()];
  return field.alternatives.map((alternative) => {
    return alternative.kind === "equals" ? verdictOfValue(alternative.value, world) : verdictOfForm(alternative, world);
  });
}

function verdictOfValue(value: unknown, world: TypeWorld): TypeVerdict {
  if (typeof value !== "string") {
    const message = `an event's type is a string; ${JSON.stringify(value)} is none`;
    return { kind: "never", message, code: "unknown-type", severity: "error" };
  }
  if (value.startsWith(GITHUB_PREFIX)) {
    const known = githubSchema().find(value);
    if (known !== undefined) return { kind: "github", types: [known], isOpen: false };
    return { kind: "never", message: unknownType(value), code: "unknown-type", severity: "error" };
  }
  if (!world.isOnlyGithub) return { kind: "any" };
  const nearest = nearestGithubType(value);
  const hint = nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  const others = [
    ...(world.mayReply ? ["replies of targets"] : []),
    ...(world.isPiped ? ["events from other buses"] : []),
  ];
  const shown = JSON.stringify(value.slice(0, SHOWN_CHARS_MAX));
  const message =
    others.length === 0
      ? `only GitHub sends to this bus, and its types begin with ${GITHUB_PREFIX}: no event has the type ${shown}${hint}`
      : `only GitHub sends to this bus, so only ${others.join(" and ")} may have the type ${shown}${hint}`;
  return { kind: "never", message, code: "foreign-type", severity: others.length === 0 ? "error" : "warning" };
}

function verdictOfForm(alternative: Alternative, world: TypeWorld): TypeVerdict {
  if (alternative.kind === "absent") {
    return { kind: "never", message: "every event has a type", code: "unknown-type", severity: "error" };
  }
  if (alternative.kind === "present") return canBeOther(world) ? { kind: "any" } : everyType();
  const isGithub = alternative.kind === "prefix" && alternative.text.startsWith(GITHUB_PREFIX);
  if (!isGithub && canBeOther(world)) return { kind: "any" };
  const test = compileAlternatives([alternative]);
  const types = describedTypes().filter(({ type }) => test(type));
  // GitHub may have added it lately: this is how one writes that.
  return types.length === 0 ? { kind: "any" } : { kind: "github", types, isOpen: true };
}

/** A prefix that no known type begins with and that is one slip away from an event's name. */
export function oddPrefix(text: string): string | undefined {
  const schema = githubSchema();
  if (!text.startsWith(GITHUB_PREFIX) || text === GITHUB_PREFIX) return undefined;
  const { event } = splitType(text);
  if (schema.events.includes(event) || [...schema.types.keys()].some((type) => type.startsWith(text))) return undefined;
  const nearest = nearestName(event, schema.events);
  return nearest === undefined ? undefined : GITHUB_PREFIX + nearest;
}

/** GitHub's type that was meant by one of its events without its beginning, or with a misspelt one; most types are neither. */
export function oddType(value: string): string | undefined {
  const { types } = githubSchema();
  if (value.startsWith(GITHUB_PREFIX)) return undefined;
  const [first = "", second = ""] = value.split(".");
  const isMisspelt = [first, first.toLowerCase() === "com" ? second : ""].some(
    (word) => nearestName(word, ["github"]) !== undefined,
  );
  if (isMisspelt) return nearestGithubType(value);
  const whole = GITHUB_PREFIX + value;
  return types.has(whole) ? whole : undefined;
}

function everyType(): TypeVerdict {
  return { kind: "github", types: describedTypes(), isOpen: true };
}

/** All types less those of which nothing but the name is known: with them, nothing would be unknown. */
function describedTypes(): readonly GithubType[] {
  return [...githubSchema().types.values()].filter(({ type, hasSchema }) => hasSchema || splitType(type).ending !== "");
}

function canBeOther({ isOnlyGithub, isPiped }: TypeWorld): boolean {
  return !isOnlyGithub || isPiped;
}

function unknownType(type: string): string {
  const schema = githubSchema();
  const { event, ending } = splitType(type);
  const shown = type.slice(0, SHOWN_CHARS_MAX);
  const say = (nearest: string | undefined): string => {
    const hint = nearest === undefined ? "." : `; did you mean ${JSON.stringify(nearest)}?`;
    return `GitHub sends no type ${JSON.stringify(shown)}${hint} If it was added lately, write { prefix: ${shown} }`;
  };
  if (!schema.events.includes(event)) {
    const nearest = nearestName(event, schema.events);
    return say(nearest === undefined ? undefined : nearestType(nearest, ending));
  }
  const types = schema.typesOf(event).map((known) => known.type);
  const endings = types.map((known) => splitType(known).ending);
  if (ending === "") {
    const few = types.slice(0, NAMES_SHOWN_MAX).join(", ");
    const such = types.length === 0 ? "" : `, or one such as ${few}`;
    return `GitHub's types of ${event} go on behind it: write { prefix: ${shown}. } for all of them${such}`;
  }
  const nearest = nearestName(ending, endings);
  return say(nearest === undefined && types.length > 1 ? undefined : nearestType(event, ending));
}

/** The type of the event whose ending is nearest to what was written; the first one when none is near. */
function nearestType(event: string, ending: string): string | undefined {
  const types = githubSchema()
    .typesOf(event)
    .map(({ type }) => type);
  const endings = types.map((type) => splitType(type).ending);
  const nearest = nearestName(ending, endings);
  return nearest === undefined ? types[0] : types[endings.indexOf(nearest)];
}

/** What someone may have meant who wrote `push`, `github.push`, `pull_request.openned` or `com.githb.push`. */
function nearestGithubType(value: string): string | undefined {
  const words = value.split(".");
  const domain = words.slice(0, -1).findIndex((word) => nearestName(word, ["github"]) !== undefined);
  const [event = "", ...ending] = words.slice(domain + 1);
  const nearest = nearestName(event, githubSchema().events);
  return nearest === undefined ? undefined : nearestType(nearest, ending.join("."));
}
