/**
 * Whether an event that can come to a bus can meet a branch of a pattern. What GitHub's payloads may hold is known from its
 * published schemas; of a field that they don't have, anything is thought possible.
 */
import type { Alternative } from "../../src/core/alternative.ts";
import type { Field } from "../../src/core/pattern.ts";
import { ownMember } from "../../src/core/result.ts";
import type { GithubType } from "../github-schema.ts";
import { GITHUB_PREFIX } from "../github-schema.ts";
import type { Problem } from "../problem.ts";
import type { AnalysisInput } from "./analysis.ts";
import { cut, isMet, whyNever } from "./field-place.ts";
import { placeOf } from "./event-place.ts";
import type { TypeVerdict, TypeWorld } from "./type-scope.ts";
import { typeVerdicts } from "./type-scope.ts";

/** What can come to a bus. `busWorld` makes it. */
export interface BusWorld extends TypeWorld {
  /** The kinds of the bus's sources, such as `github`. */
  readonly sourceKinds: ReadonlySet<string>;
  /** A rule with a transform pipes to it: events of any type may have any data. */
  readonly isReshaped: boolean;
}

type BusInput = Pick<AnalysisInput, "document" | "isWorldKnown">;

export interface Infeasible {
  readonly field: Field;
  /** The index of the only alternative to blame; absent when all of the field's are. */
  readonly alternative?: number;
  readonly message: string;
  readonly code: string;
  readonly severity: Problem["severity"];
}

/** Kinds of targets whose answers may be events. Vendors' answers, as those of chats, are none. */
const REPLYING_KINDS: ReadonlySet<string> = new Set(["http", "service"]);

/** What the document says of a bus: its sources, and whether targets of live rules feed it. */
export function busWorld({ document, isWorldKnown }: BusInput, bus: string): BusWorld {
  const sourceKinds = new Set(document.sources.filter((source) => source.bus === bus).map(({ kind }) => kind));
  const targets = new Map(document.targets.map((target) => [target.name, target]));
  const world = { mayReply: false, isPiped: false, isReshaped: false };
  for (const rule of document.rules) {
    if (rule.mode !== "live") continue;
    for (const name of rule.targets) {
      const target = targets.get(name);
      if (target === undefined) continue;
      if (target.kind === "bus") {
        if (ownMember(target.entry, "bus") !== bus) continue;
        world.isPiped = true;
        if (rule.transform !== undefined) world.isReshaped = true;
      } else if (REPLYING_KINDS.has(target.kind) && rule.bus === bus) world.mayReply = true;
    }
  }
  return {
    sourceKinds,
    isOnlyGithub: isWorldKnown !== false && sourceKinds.size === 1 && sourceKinds.has("github"),
    ...world,
  };
}

/** The events that a branch lets in: of which types they can be, and what rules out that there are any. */
interface Reading {
  /** Of the alternatives of `type`, in their order. */
  readonly verdicts: readonly TypeVerdict[];
  /** The types of GitHub's that meet the fields; undefined when others than GitHub's may come, or nobody knows. */
  readonly types: readonly GithubType[] | undefined;
  /** Whether the types are named one by one, so that no new one can come. */
  readonly isExact: boolean;
  /** In the order of the fields, those of the type first. */
  readonly problems: readonly Infeasible[];
}

/** Why no event that can come to the bus meets all the fields; undefined when one can, or nobody knows. */
export function infeasible(branch: readonly Field[], world: BusWorld): Infeasible | undefined {
  return readBranch(branch, world).problems[0];
}

/** Every reason that there is. */
export function infeasibilities(branch: readonly Field[], world: BusWorld): readonly Infeasible[] {
  return readBranch(branch, world).problems;
}

/** The types of GitHub's that events of the branch can have; undefined when they may be others, too, or of any form. */
export function githubTypesOf(branch: readonly Field[], world: BusWorld): readonly GithubType[] | undefined {
  const { types } = readBranch(branch, world);
  return types?.length === 0 ? undefined : types;
}

/** Single alternatives that no event of the branch meets, of a branch that is feasible. */
export function deadAlternatives(branch: readonly Field[], world: BusWorld): readonly Infeasible[] {
  const { verdicts, types, isExact } = readBranch(branch, world);
  return branch.flatMap((field) => {
    if (field.alternatives.length === 1) return [];
    return [...field.alternatives.entries()].flatMap(([index, alternative]): readonly Infeasible[] => {
      const message =
        field.path === "type"
          ? whyDeadType(verdicts[index], branch, types)
          : whyDeadValue(field, alternative, types, isExact);
      if (message === undefined) return [];
      return [{ field, alternative: index, message, code: "dead-alternative", severity: "warning" }];
    });
  });
}

function readBranch(branch: readonly Field[], world: BusWorld): Reading {
  const typeField = branch.find(({ path }) => path === "type");
  const verdicts = typeVerdicts(typeField, world);
  const possible = verdicts.filter(({ kind }) => kind !== "never");
  const isExact = typeField !== undefined && possible.every((verdict) => verdict.kind === "github" && !verdict.isOpen);
  if (typeField !== undefined && possible.length === 0) {
    return { verdicts, types: undefined, isExact, problems: typeProblems(typeField, verdicts, world) };
  }
  const named = possible.flatMap((verdict) => (verdict.kind === "github" ? verdict.types : []));
  const isGithub = possible.every(({ kind }) => kind === "github") && !world.isReshaped;
  // A reply may be an event of any type that the pattern lets in.
  const severity = typeField?.alternatives.every(namesGithub) !== true && world.mayReply ? "warning" : "error";
  const problems: Infeasible[] = [];
  let types: readonly GithubType[] | undefined = isGithub ? [...new Set(named)] : undefined;
  for (const field of branch) {
    if (field === typeField) continue;
    const isKnown = types?.some((type) => type.hasSchema && placeOf(field.path, type) !== undefined) === true;
    const canMeet = (type: GithubType | undefined): boolean => {
      const place = placeOf(field.path, type);
      // What some types have and others lack, the others don't get overnight; what all lack may be new.
      if (place === undefined && isKnown && type?.hasSchema === true) return field.alternatives.some(isAbsent);
      return field.alternatives.some((alternative) => isMet(alternative, place, isExact));
    };
    const left = types?.filter(canMeet);
    if (left === undefined ? canMeet(undefined) : left.length > 0) {
      types = left;
      continue;
    }
    problems.push({
      field,
      ...(field.alternatives.length === 1 ? { alternative: 0 } : {}),
      message: whyNever(field, field.alternatives, types, isExact),
      code: "never-matches",
      severity: types === undefined ? "error" : severity,
    });
  }
  return { verdicts, types, isExact, problems };
}

function typeProblems(field: Field, verdicts: readonly TypeVerdict[], world: BusWorld): readonly Infeasible[] {
  // What may come from elsewhere makes the rule as a whole possible; and a transform may name a type that no list has.
  const isCertain = verdicts.every((verdict) => verdict.kind !== "never" || verdict.severity === "error");
  const severity = isCertain && !world.isReshaped ? "error" : "warning";
  return [...verdicts.entries()].flatMap(([alternative, verdict]): readonly Infeasible[] => {
    if (verdict.kind !== "never") return [];
    return [{ field, alternative, message: verdict.message, code: verdict.code, severity }];
  });
}

function isAbsent({ kind }: Alternative): boolean {
  return kind === "absent";
}

function namesGithub(alternative: Alternative): boolean {
  if (alternative.kind === "prefix") return alternative.text.startsWith(GITHUB_PREFIX);
  return alternative.kind === "equals" && String(alternative.value).startsWith(GITHUB_PREFIX);
}

function whyDeadType(
  verdict: TypeVerdict | undefined,
  branch: readonly Field[],
  types: readonly GithubType[] | undefined,
): string | undefined {
  if (verdict?.kind === "never") return verdict.message;
  const type = verdict?.kind === "github" && !verdict.isOpen ? verdict.types[0] : undefined;
  if (type === undefined || types === undefined) return undefined;
  if (types.includes(type)) return undefined;
  const lacking = branch.find(({ path, alternatives }) => {
    return !alternatives.some(isAbsent) && placeOf(path, type) === undefined;
  });
  if (lacking !== undefined) return `an event of ${type.type} never has ${cut(lacking.path)}`;
  return `an event of ${type.type} never meets the other fields`;
}

function whyDeadValue(
  field: Field,
  alternative: Alternative,
  types: readonly GithubType[] | undefined,
  isExact: boolean,
): string | undefined {
  const having = types?.filter((type) => placeOf(field.path, type) !== undefined);
  // A field that no type has is another finding.
  const places = having?.map((type) => placeOf(field.path, type)) ?? [placeOf(field.path, undefined)];
  if (places.length === 0 || places.some((place) => isMet(alternative, place, isExact))) return undefined;
  return whyNever(field, [alternative], having, isExact);
}
