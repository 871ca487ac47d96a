/** Texts that two forms share. Prefixes, suffixes, wildcards and plain texts are all literal pieces with gaps between them. */
import type { Alternative } from "../../src/core/alternative.ts";
import { foldCase } from "../../src/core/case-folding.ts";

/** Steps of the one form times steps of the other; beyond it no common text is looked for. */
export const COMMON_TEXT_STATES_MAX = 20_000;

/** Between two pieces any run of characters may stand, also an empty one. */
export interface TextForm {
  readonly pieces: readonly string[];
  readonly ignoresCase: boolean;
}

/** Undefined for alternatives that no form of text describes. */
export function textForm(alternative: Alternative): TextForm | undefined {
  switch (alternative.kind) {
    case "equals":
      return typeof alternative.value === "string" ? { pieces: [alternative.value], ignoresCase: false } : undefined;
    case "equals-ignore-case":
      return { pieces: [alternative.folded], ignoresCase: true };
    case "prefix":
      return { pieces: [alternative.text, ""], ignoresCase: false };
    case "prefix-ignore-case":
      return { pieces: [alternative.folded, ""], ignoresCase: true };
    case "suffix":
      return { pieces: ["", alternative.text], ignoresCase: false };
    case "suffix-ignore-case":
      return { pieces: ["", alternative.folded], ignoresCase: true };
    case "wildcard":
      return { pieces: alternative.wildcard, ignoresCase: false };
    case "numeric":
    case "cidr":
    case "anything-but":
    case "present":
    case "absent":
      return undefined;
  }
}

/** A gap is null. */
type Step = string | null;

function stepsOf({ pieces }: TextForm): readonly Step[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [...piece] : [null, ...piece]));
}

interface Reached {
  readonly a: number;
  readonly b: number;
  readonly character: string;
  readonly before: Reached | null;
}

/**
 * A text of both forms, among the shortest, or undefined when there is none. The forms are walked side by side: a state is a
 * place in each, and each state is entered once.
 */
export function commonText(a: TextForm, b: TextForm): string | undefined {
  const [ofA, ofB] = [stepsOf(a), stepsOf(b)];
  if ((ofA.length + 1) * (ofB.length + 1) > COMMON_TEXT_STATES_MAX) return undefined;
  const entered = new Set<number>();
  let reached: Reached[] = [{ a: 0, b: 0, character: "", before: null }];
  while (reached.length > 0) {
    const next: Reached[] = [];
    for (const state of reached) {
      const key = state.a * (ofB.length + 1) + state.b;
      if (entered.has(key)) continue;
      entered.add(key);
      if (state.a === ofA.length && state.b === ofB.length) return textOf(state);
      const [x, y] = [ofA[state.a], ofB[state.b]];
      const move = (byA: number, byB: number, character: string): void => {
        next.push({ a: state.a + byA, b: state.b + byB, character, before: state });
      };
      if (typeof x === "string" && typeof y === "string") {
        const character = commonCharacter(x, a.ignoresCase, y, b.ignoresCase);
        if (character !== undefined) move(1, 1, character);
      }
      if (x === null) {
        move(1, 0, "");
        if (typeof y === "string") move(0, 1, y);
      }
      if (y === null) {
        move(0, 1, "");
        if (typeof x === "string") move(1, 0, x);
      }
    }
    reached = next;
  }
  return undefined;
}

/** Of a form that ignores case every spelling is right, so the other one's is taken. */
function commonCharacter(a: string, aIgnoresCase: boolean, b: string, bIgnoresCase: boolean): string | undefined {
  if (a === b) return a;
  const isSame =
    aIgnoresCase && bIgnoresCase
      ? foldCase(a) === foldCase(b)
      : aIgnoresCase
        ? a === foldCase(b)
        : bIgnoresCase && foldCase(a) === b;
  return isSame ? (aIgnoresCase ? b : a) : undefined;
}

function textOf(end: Reached): string {
  let text = "";
  for (let at: Reached | null = end; at !== null; at = at.before) text = at.character + text;
  return text;
}
