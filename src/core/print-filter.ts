/** A filter of texts by a few of their units: most that begin like no text that was added are told by it, before more is read. */
import { hashedUnit } from "./hashed-unit.ts";

export interface PrintFilter {
  /** The places of the units: those of the first `UNITS_MAX` that tell the added texts apart best. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
  /** 1 for the prints of texts that were added. As many as a power of two. */
  readonly prints: Uint8Array;
}

/** For each text, and for all; powers of two. */
const PRINTS_PER_TEXT = 16;
const PRINTS_MIN = 64;
const PRINTS_MAX = 4_096;
/** Texts that are looked at to choose the places. */
const SAMPLES_MAX = 64;

/** `texts`: their hashed units, of which each has `length` and more. */
export function buildPrintFilter(texts: readonly Uint16Array[], length: number): PrintFilter {
  const step = Math.max(1, Math.floor(texts.length / SAMPLES_MAX));
  const samples = texts.filter((_, at) => at % step === 0).slice(0, SAMPLES_MAX);
  const first = bestPlace(samples, length, [], 0.5);
  const second = bestPlace(samples, length, [first], 0.8);
  const third = bestPlace(samples, length, [first, second], 0.25);
  const wanted = 2 ** Math.ceil(Math.log2(PRINTS_PER_TEXT * texts.length));
  const prints = new Uint8Array(Math.min(PRINTS_MAX, Math.max(PRINTS_MIN, wanted)));
  for (const units of texts) {
    prints[printOf(units[first] ?? 0, units[second] ?? 0, units[third] ?? 0, prints.length)] = 1;
  }
  return { first, second, third, prints };
}

/** Whether a text may begin as one that was added: `from` is where its first unit is, and `step` leads to the next, 1 or -1. */
export function passesFilter(filter: PrintFilter, text: string, from: number, step: number): boolean {
  const { prints } = filter;
  const first = hashedUnit(text.charCodeAt(from + step * filter.first));
  const second = hashedUnit(text.charCodeAt(from + step * filter.second));
  const third = hashedUnit(text.charCodeAt(from + step * filter.third));
  return prints[printOf(first, second, third, prints.length)] === 1;
}

function printOf(first: number, second: number, third: number, prints: number): number {
  return (Math.imul((first * 37 + second) * 41 + third, 0x9e_37_79_b1) >>> 18) & (prints - 1);
}

/** The place that, beside those chosen already, tells the most texts apart; of equals a digit, then the one nearest to `rather`. */
function bestPlace(samples: readonly Uint16Array[], length: number, chosen: readonly number[], rather: number): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let place = 0; place < length; place++) {
    if (chosen.includes(place)) continue;
    const different = new Set<number>();
    let digits = 0;
    for (const units of samples) {
      const unit = units[place] as number;
      different.add(chosen.reduce((sum, each) => sum * 0x1_00_00 + (units[each] as number), unit));
      if (unit >= 0x30 && unit <= 0x39) digits++;
    }
    const score = different.size + digits / (2 * samples.length) - Math.abs(place - rather * length) / (2 * length + 1);
    if (score <= bestScore) continue;
    best = place;
    bestScore = score;
  }
  return best;
}
