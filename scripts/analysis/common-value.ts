/** A value that meets several lists of alternatives: candidates made from the lists themselves, each tried on all of them. */
import type { Alternative, Scalar } from "../../src/core/alternative.ts";
import type { Address, Cidr } from "../../src/core/cidr.ts";
import type { ValueTest } from "../../src/core/value-test.ts";
import { compileAlternatives } from "../../src/core/value-test.ts";
import { commonText, textForm } from "./common-text.ts";

/** Values that are tried for one field. */
export const CANDIDATES_MAX = 4_000;

/** Pairs of texts with gaps, one of each list, that are brought together for one field. */
export const TEXT_PAIRS_MAX = 400;

/** What a gap in a text is filled with: what reads well first, then what other alternatives may ask for. */
const FILLINGS = ["x", "", "1", "0.0.1", "x1"];

/** For alternatives that take nearly everything. The odd ones are for lists that leave out what anybody would try. */
const FRESH: readonly Scalar[] = ["x", "other", "x1", "Zq7", "~", "", 1, 0, -1, 0.5, 987_654_321, true, false, null];

const ADDRESSES_TRIED = 4;

export type Alternatives = readonly Alternative[];

const compiled = new WeakMap<Alternatives, ValueTest>();

function testOf(alternatives: Alternatives): ValueTest {
  const known = compiled.get(alternatives) ?? compileAlternatives(alternatives);
  compiled.set(alternatives, known);
  return known;
}

export interface ValueWish {
  /** Values to try before all others. */
  readonly likely?: Iterable<Scalar>;
  readonly isPossible?: (value: Scalar) => boolean;
}

/** Undefined when none was found, which is no proof that there is none where lists say `anything-but`. */
export function commonValue(
  lists: readonly Alternatives[],
  wish: ValueWish = {},
): { readonly value: Scalar } | undefined {
  const tests = lists.map(testOf);
  let tried = 0;
  for (const value of candidates(lists, wish.likely ?? [])) {
    if (++tried > CANDIDATES_MAX) return undefined;
    if ((wish.isPossible?.(value) ?? true) && tests.every((test) => test(value))) return { value };
  }
  return undefined;
}

/** Whether the list takes these values and nothing else. */
export function isExact(alternatives: Alternatives): boolean {
  return alternatives.every(({ kind }) => kind === "equals");
}

function* candidates(lists: readonly Alternatives[], likely: Iterable<Scalar>): Generator<Scalar> {
  const exact = lists.filter(isExact).toSorted((a, b) => a.length - b.length)[0];
  // A value of such a list or none: it is met by nothing else.
  if (exact !== undefined) {
    yield* equalsOf(exact);
    return;
  }
  yield* likely;
  for (const list of lists) yield* equalsOf(list);
  for (const [index, list] of lists.entries()) {
    for (const other of lists.slice(index + 1)) yield* commonTexts(list, other);
  }
  const all = lists.flat();
  for (const alternative of all) yield* textsOf(alternative);
  yield* numbersOf(all);
  for (const alternative of all) if (alternative.kind === "cidr") yield* addressesOf(alternative.cidr);
  yield* FRESH;
}

function* equalsOf(alternatives: Alternatives): Generator<Scalar> {
  for (const alternative of alternatives) if (alternative.kind === "equals") yield alternative.value;
}

function* commonTexts(a: Alternatives, b: Alternatives): Generator<string> {
  const [ofA, ofB] = [a, b].map((list) => list.flatMap((alternative) => textForm(alternative) ?? []));
  let pairs = 0;
  for (const one of ofA ?? []) {
    for (const other of ofB ?? []) {
      if (++pairs > TEXT_PAIRS_MAX) return;
      const text = commonText(one, other);
      if (text !== undefined) yield text;
    }
  }
}

function* textsOf(alternative: Alternative): Generator<string> {
  const form = textForm(alternative);
  if (form === undefined) return;
  for (const filling of FILLINGS) yield form.pieces.join(filling);
  // `anything-but` beside it may leave out one spelling.
  if (form.ignoresCase) yield form.pieces.join("").toUpperCase();
}

/** The ends of all ranges, numbers beside them and numbers between them. */
function* numbersOf(alternatives: Alternatives): Generator<number> {
  const ends = alternatives
    .flatMap((alternative) => (alternative.kind === "numeric" ? [alternative.range.low, alternative.range.high] : []))
    .flatMap((bound) => (bound === undefined ? [] : [bound.value]));
  const sorted = [...new Set(ends)].toSorted((a, b) => a - b);
  for (const end of sorted) yield* [end, end + 1, end - 1];
  for (const [index, end] of sorted.entries()) {
    const following = sorted[index + 1];
    // Not the half of their sum, which may be too large for a number.
    if (following !== undefined) yield end / 2 + following / 2;
  }
}

/** The first addresses of a block. */
function* addressesOf({ network, prefixBits }: Cidr): Generator<string> {
  const first = network.map((group, index) => {
    const bits = Math.max(0, Math.min(16, prefixBits - index * 16));
    return bits === 0 ? 0 : (group >> (16 - bits)) << (16 - bits);
  });
  for (let added = 0; added < ADDRESSES_TRIED; added++) {
    yield formatAddress(first.with(-1, (first.at(-1) ?? 0) | added));
  }
}

function formatAddress(address: Address): string {
  if (address.length > 2) return address.map((group) => group.toString(16)).join(":");
  return address.flatMap((group) => [group >> 8, group & 255]).join(".");
}
