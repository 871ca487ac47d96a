/**
 * Chooses a value for every field so that no two chosen values stand in different elements of one array. A field that may
 * be absent can be left without a value when none of its values stands where the chosen ones allow it: beside a choice in
 * an element, only that element counts.
 *
 * Trying every choice would take time exponential in the fields, and an event's author could ask for that. The elements
 * form a tree, so choices are made per array, from the inside out, and an array answers only with what its surroundings
 * can still tell apart. A path that leads into one array only, as nearly all do, leaves nothing to tell apart.
 */
import type { Element } from "./leaves.ts";

/**
 * Different ways to choose within one array that are kept. Only an event that offers the same paths in several arrays at
 * once, under names with dots or in arrays of mixed depth, has more than a few; one that has more than this may be missed.
 */
export const CHOICES_MAX = 256;

/** Where the values of one field stand: the innermost element of each, or null. */
export interface FieldPlaces {
  /** The values that meet the field. */
  readonly meeting: readonly (Element | null)[];
  /** All its values, when the field may also be absent; null when it may not. */
  readonly present: readonly (Element | null)[] | null;
}

/** Sets of fields are bits. */
type Fields = bigint;

/** An element, or the event as a whole, with what stands in it but in no inner element. */
interface Scope {
  meeting: Fields;
  present: Fields;
  /** Fields with a value here or further in, meeting or present. */
  within: Fields;
  readonly arrays: Map<number, { within: Fields; readonly elements: Map<number, Scope> }>;
}

/** One way to choose. */
interface Choice {
  /** Fields that got a value. */
  readonly met: Fields;
  /** Fields that have a value where the choice allows it, so that they are not absent. */
  readonly present: Fields;
  /** Whether any value was chosen, which ties an array to the element around it. */
  readonly ties: boolean;
}

interface Search {
  readonly optional: Fields;
}

export function canChoose(fields: readonly FieldPlaces[]): boolean {
  let optional = 0n;
  let all = 0n;
  const root = emptyScope();
  const scopes = new Map<Element, Scope>();
  for (const [index, { meeting, present }] of fields.entries()) {
    const bit = 1n << BigInt(index);
    all |= bit;
    if (present !== null) optional |= bit;
    for (const element of meeting) scopeOf(element, bit, root, scopes).meeting |= bit;
    for (const element of present ?? []) scopeOf(element, bit, root, scopes).present |= bit;
  }
  const required = all & ~optional;
  if ((root.within & required) !== required) return false;
  return choicesIn(root, 0n, { optional }).length > 0;
}

function emptyScope(): Scope {
  return { meeting: 0n, present: 0n, within: 0n, arrays: new Map() };
}

/** The scope of an element, made with those around it where they are missing. Marks the field within all of them. */
function scopeOf(element: Element | null, bit: Fields, root: Scope, scopes: Map<Element, Scope>): Scope {
  root.within |= bit;
  if (element === null) return root;
  const known = scopes.get(element);
  if (known !== undefined && (known.within & bit) !== 0n) return known;
  const outer = scopeOf(element.parent, bit, root, scopes);
  const array = outer.arrays.get(element.array) ?? { within: 0n, elements: new Map<number, Scope>() };
  outer.arrays.set(element.array, array);
  array.within |= bit;
  const scope = known ?? emptyScope();
  scope.within |= bit;
  array.elements.set(element.index, scope);
  scopes.set(element, scope);
  return scope;
}

/**
 * The ways to choose within a scope. Fields with no value `elsewhere` are settled here: a way that leaves one of them
 * neither met nor absent is dropped, and the others say no more of it.
 */
function choicesIn(scope: Scope, elsewhere: Fields, search: Search): readonly Choice[] {
  let inArrays = 0n;
  let severalTimes = elsewhere | scope.meeting | scope.present;
  for (const { within } of scope.arrays.values()) {
    severalTimes |= inArrays & within;
    inArrays |= within;
  }
  const shared = severalTimes & scope.within & ~elsewhere;
  // Each step settles the fields that no later array can serve; what only one array holds is settled in that array.
  let choices = settle(
    directChoices(scope, elsewhere | inArrays, search),
    shared & ~inArrays,
    elsewhere | inArrays,
    search,
  );
  const arrays = [...scope.arrays.values()];
  const following = withinFollowing(arrays);
  for (const [index, { within, elements }] of arrays.entries()) {
    const later = following[index] ?? 0n;
    const last = shared & within & ~later;
    const joined: Choice[] = [];
    const inner = arrayChoices(within, elements, severalTimes, search);
    for (const a of choices) {
      for (const b of inner) addSettled(joined, join(a, b, search), last, elsewhere | later, search);
    }
    choices = joined;
  }
  return choices;
}

/** For each array, the fields with a value in any array after it. */
function withinFollowing(arrays: readonly { readonly within: Fields }[]): readonly Fields[] {
  let fields = 0n;
  return arrays
    .toReversed()
    .map(({ within }) => {
      const following = fields;
      fields |= within;
      return following;
    })
    .toReversed();
}

/** What stands in the scope itself can be chosen whatever else is; it is left only when another place may serve the field. */
function directChoices(scope: Scope, otherPlaces: Fields, search: Search): readonly Choice[] {
  // Choosing more is never worse, unless a choice elsewhere can make another field absent.
  const optionalPlaces = search.optional === 0n ? 0n : scope.meeting & otherPlaces;
  const met = scope.meeting & ~optionalPlaces;
  let choices: Choice[] = [{ met, present: scope.present, ties: met !== 0n }];
  for (let rest = optionalPlaces; rest !== 0n; rest &= rest - 1n) {
    const bit = rest & -rest;
    const next: Choice[] = [];
    for (const choice of choices) {
      add(next, { ...choice, met: choice.met | bit, ties: true }, search);
      add(next, choice, search);
    }
    choices = next;
  }
  return choices;
}

function arrayChoices(
  within: Fields,
  elements: ReadonlyMap<number, Scope>,
  elsewhere: Fields,
  search: Search,
): readonly Choice[] {
  const owned = within & ~elsewhere;
  const required = owned & ~search.optional;
  const choices: Choice[] = [];
  // Nothing chosen in it: then every value in every element counts as present.
  add(choices, { met: 0n, present: within & search.optional, ties: false }, search);
  for (const scope of elements.values()) {
    if ((scope.within & required) !== required) continue;
    for (const choice of choicesIn(scope, elsewhere, search)) if (choice.ties) add(choices, choice, search);
  }
  return required === 0n ? settle(choices, owned, elsewhere, search) : choices.slice(1);
}

function settle(choices: readonly Choice[], owned: Fields, kept: Fields, search: Search): readonly Choice[] {
  const settled: Choice[] = [];
  for (const choice of choices) addSettled(settled, choice, owned, kept, search);
  return settled;
}

/** Adds a choice if it leaves each `owned` field either met or absent, less what it says of fields that are not `kept`. */
function addSettled(choices: Choice[], choice: Choice | null, owned: Fields, kept: Fields, search: Search): void {
  if (choice === null) return;
  const { met, present, ties } = choice;
  const open = owned & ~met;
  if ((open & ~search.optional) !== 0n || (open & present) !== 0n) return;
  add(choices, { met: met & kept, present: present & kept, ties }, search);
}

function join(a: Choice, b: Choice, search: Search): Choice | null {
  // Each field gets one value: a second one would tie another array for nothing.
  if (search.optional !== 0n && (a.met & b.met) !== 0n) return null;
  return { met: a.met | b.met, present: a.present | b.present, ties: a.ties || b.ties };
}

/** Adds a choice unless a known one is as good in every respect. */
function add(choices: Choice[], choice: Choice, search: Search): void {
  if (choices.length >= CHOICES_MAX || choices.some((known) => isAsGood(known, choice, search))) return;
  choices.push(choice);
}

function isAsGood(known: Choice, choice: Choice, search: Search): boolean {
  if (known.ties !== choice.ties || (known.present & ~choice.present) !== 0n) return false;
  return search.optional === 0n ? (choice.met & ~known.met) === 0n : known.met === choice.met;
}
