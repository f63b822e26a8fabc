const WORD_CHARS_MIN = 4;
const SLIPS_MAX = 2;
/** As listing_words_of in the database tells words apart. */
const WORD = /[a-z0-9\u00df-\u024f\u0370-\u052f]+/g;

export interface WordSource {
  /** The words of a search that no plugin has, each with the words that plugins have and that share all but a letter with it. */
  unknownWords(search: string): Promise<{ word: string; neighbours: string[] }[]>;
}

/** The search with its slips put right; null where there are none that we know how to put right. */
export const correctSearch =
  ({ unknownWords }: WordSource) =>
  async (search: string): Promise<string | null> => {
    const before = search.normalize('NFKC').toLowerCase();
    const meant = new Map<string, string>();
    for (const { word, neighbours } of await unknownWords(search)) {
      const near = word.length < WORD_CHARS_MIN ? undefined : nearest(word, neighbours);
      if (near !== undefined) meant.set(word, near);
    }
    const corrected = before.replace(WORD, (word) => meant.get(word) ?? word);
    return corrected === before ? null : corrected;
  };

/** Of two as near, the one that begins alike; people seldom slip on the first letter. */
function nearest(word: string, neighbours: string[]): string | undefined {
  const ranked = neighbours
    .map((each) => ({ each, slips: slipsBetween(word, each) + (each[0] === word[0] ? 0 : 0.5) }))
    .filter(({ slips }) => slips <= SLIPS_MAX)
    .sort((a, b) => a.slips - b.slips || (a.each < b.each ? -1 : 1));
  return ranked[0]?.each;
}

/** Letters left out, added, changed, or two neighbours exchanged (optimal string alignment). */
export function slipsBetween(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1];
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[one.length]![other.length]!;
}
