/** A set of patterns' numbers that is filled and emptied for each event: what it costs depends on those in it alone. */
export interface PatternBits {
  readonly has: (pattern: number) => boolean;
  readonly add: (pattern: number) => void;
  /** Adds those that are set in the words, of which the first is the word `from` of all patterns, 32 to a word. */
  readonly addWords: (words: Uint32Array, from: number) => void;
  /** Those in it, ascending; it is empty after that. */
  readonly take: () => readonly number[];
}

const NONE: readonly number[] = Object.freeze([]);

/** `count`: the patterns are from 0 up to it. */
export function createPatternBits(count: number): PatternBits {
  const words = new Uint32Array(Math.ceil(count / 32));
  /** Which words have anything, 32 to one. */
  const summary = new Uint32Array(Math.ceil(words.length / 32));
  let isEmpty = true;

  const mark = (word: number): void => {
    summary[word >>> 5] = (summary[word >>> 5] as number) | (1 << (word & 31));
    isEmpty = false;
  };

  return {
    has: (pattern) => ((words[pattern >>> 5] as number) & (1 << (pattern & 31))) !== 0,
    add: (pattern) => {
      const word = pattern >>> 5;
      words[word] = (words[word] as number) | (1 << (pattern & 31));
      mark(word);
    },
    addWords: (added, from) => {
      for (let at = 0; at < added.length; at++) {
        if (added[at] === 0) continue;
        words[from + at] = (words[from + at] as number) | (added[at] as number);
        mark(from + at);
      }
    },
    take: () => {
      if (isEmpty) return NONE;
      isEmpty = true;
      const patterns: number[] = [];
      for (let group = 0; group < summary.length; group++) {
        for (let open = summary[group] as number; open !== 0; open &= open - 1) {
          const word = group * 32 + 31 - Math.clz32(open & -open);
          for (let bits = words[word] as number; bits !== 0; bits &= bits - 1) {
            patterns.push(word * 32 + 31 - Math.clz32(bits & -bits));
          }
          words[word] = 0;
        }
        summary[group] = 0;
      }
      return patterns;
    },
  };
}
