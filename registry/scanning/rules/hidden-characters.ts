/** Characters that change the order in which text is shown: https://trojansource.codes. */
const BIDIRECTIONAL = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u;
/** What shows as nothing: joiners are part of emoji and of some scripts, so only where neither is around them. */
const INVISIBLE =
  /[\u200b\u2060-\u2064\u180e\u00ad\u{e0000}-\u{e007f}\u3164\uffa0\u115f\u1160]|[\u{e0100}-\u{e01ef}]|(?<=[\x21-\x7e])(?:\u200c|\u200d|\ufeff)(?=[\x21-\x7e])/u;
/** One word in which Latin letters stand beside letters of a script that looks like it. */
const MIXED =
  /(?:\p{Script=Latin}[\p{Script=Latin}\d_$]*[\p{Script=Cyrillic}\p{Script=Greek}]|[\p{Script=Cyrillic}\p{Script=Greek}][\d_$]*\p{Script=Latin})[\p{L}\d_$]*/u;

export type HiddenKind = 'bidirectional' | 'invisible' | 'mixed';

/** The first of each kind on each line of a text, lines and columns from 1. */
export function hiddenCharacters(text: string): { kind: HiddenKind; line: number; column: number; text: string }[] {
  // Most sources, and most lines of the others, have none at all, which one look tells.
  if (!/\P{ASCII}/u.test(text)) return [];
  return text.split('\n').flatMap((row, index) => {
    if (!/\P{ASCII}/u.test(row)) return [];
    const found = (kind: HiddenKind, pattern: RegExp) => {
      const match = pattern.exec(row);
      return match
        ? [
            {
              kind,
              line: index + 1,
              column: match.index + 1,
              text: row.slice(Math.max(0, match.index - 20), match.index + 40),
            },
          ]
        : [];
    };
    return [...found('bidirectional', BIDIRECTIONAL), ...found('invisible', INVISIBLE), ...found('mixed', MIXED)];
  });
}
