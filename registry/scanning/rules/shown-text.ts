const EVIDENCE_CHARS_MAX = 160;

/** Text of a stranger as it may be shown: on one line, shortened, and nothing in it that does not show. */
export function shownText(text: string, charsMax: number = EVIDENCE_CHARS_MAX): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return cut
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped)
    .trim();
}

const escaped = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`;
