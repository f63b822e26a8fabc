import { readFile, stat } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** Shorter sources cannot nest deeply enough to hurt. */
const CHECKED_BYTES_MIN = 8 * 1024;
/** Nobody writes this and no generator needs it. The bundler, which recurses, takes minutes or dies a little further on. */
const DEPTH_MAX = 2_000;

const units = (characters: string) => new Set(Array.from(characters, (character) => character.charCodeAt(0)));
const OPENING = units('([{');
const CLOSING = units(')]}');
const QUOTES = units(`"'`);
const BACKSLASH = 92;
const NEWLINE = 10;

/** One past the end of a string literal that starts at `from` and ends on its line, or undefined. */
function endOfString(text: string, from: number): number | undefined {
  const quote = text.charCodeAt(from);
  for (let at = from + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) return at + 1;
    if (unit === NEWLINE) return undefined;
    if (unit === BACKSLASH) at += 1;
  }
  return undefined;
}

/** True where brackets outside of strings stay open beyond DEPTH_MAX. Comments, templates and patterns count as code: their brackets balance. */
export function isTooDeep(text: string): boolean {
  if (text.length < CHECKED_BYTES_MIN) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (OPENING.has(unit)) {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if (CLOSING.has(unit) && depth > 0) depth -= 1;
    else if (unit === BACKSLASH) at += 1;
    else if (QUOTES.has(unit)) at = (endOfString(text, at) ?? at + 1) - 1;
  }
  return false;
}

export const TOO_DEEP = `nests more than ${DEPTH_MAX} levels deep, which no source needs`;

/** Refuses a source that would overflow the bundler's stack, which ends its process and says nothing useful. */
export const refuseDeepSources: Plugin = {
  name: 'refuse-deep-sources',
  setup({ onLoad }) {
    onLoad({ filter: /\.(?:[cm]?[jt]s|[jt]sx|json)$/, namespace: 'file' }, async ({ path }) => {
      // What cannot be read is reported by the bundler.
      const bytes = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      if (bytes < CHECKED_BYTES_MIN || !isTooDeep(await readFile(path, 'utf8'))) return undefined;
      return { errors: [{ text: TOO_DEEP, location: { file: path } }] };
    });
  },
};
