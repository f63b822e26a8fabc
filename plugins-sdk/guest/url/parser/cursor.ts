import { charCodeAt, stringSlice } from '../../primordials.ts';
import { hasOneSegment, isLetter, isSpecial, startsWithDrive, type UrlRecord } from '../record.ts';

/** States of the basic URL parser of the standard, by their names there. */
export const SCHEME_START = 1;
export const SCHEME = 2;
export const NO_SCHEME = 3;
export const SPECIAL_RELATIVE_OR_AUTHORITY = 4;
export const PATH_OR_AUTHORITY = 5;
export const RELATIVE = 6;
export const RELATIVE_SLASH = 7;
export const SPECIAL_AUTHORITY_SLASHES = 8;
export const SPECIAL_AUTHORITY_IGNORE_SLASHES = 9;
export const AUTHORITY = 10;
export const HOST = 11;
export const HOSTNAME = 12;
export const PORT = 13;
export const FILE = 14;
export const FILE_SLASH = 15;
export const FILE_HOST = 16;
export const PATH_START = 17;
export const PATH_STATE = 18;
export const OPAQUE_PATH = 19;
export const QUERY_STATE = 20;
export const FRAGMENT_STATE = 21;

export const END = -1;
export const SLASH = 47;
export const BACKSLASH = 92;
export const QUESTION = 63;
export const HASH = 35;
export const COLON = 58;
export const AT = 64;

/** The parser's position; `from` is where the buffer of the standard starts. */
export interface Cursor {
  readonly text: string;
  readonly base: UrlRecord | null;
  readonly url: UrlRecord;
  readonly override: number;
  state: number;
  at: number;
  from: number;
  /** The last `@` of the authority; -1 without. */
  userEnd: number;
  inBrackets: boolean;
  /** A setter has got what it came for. */
  done: boolean;
}

export const next = ({ text, at }: Cursor): number => (at + 1 < text.length ? charCodeAt(text, at + 1) : END);

/** On to `state` with the next character, where its buffer starts. */
export function go(cursor: Cursor, state: number): true {
  cursor.state = state;
  cursor.from = cursor.at + 1;
  return true;
}

/** On to `state` with the same character. */
export function again(cursor: Cursor, state: number): true {
  cursor.state = state;
  cursor.from = cursor.at;
  cursor.at -= 1;
  return true;
}

export function skipTo(cursor: Cursor, state: number): true {
  cursor.at += 1;
  return go(cursor, state);
}

export function finish(cursor: Cursor): true {
  cursor.done = true;
  return true;
}

export const taken = ({ text, from, at }: Cursor): string => stringSlice(text, from, at);

export const endsAuthority = (cursor: Cursor, unit: number): boolean =>
  unit === END ||
  unit === SLASH ||
  unit === QUESTION ||
  unit === HASH ||
  (unit === BACKSLASH && isSpecial(cursor.url.scheme));

export const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;

export function startQuery(cursor: Cursor): true {
  cursor.url.query = '';
  return go(cursor, QUERY_STATE);
}

export function startFragment(cursor: Cursor): true {
  cursor.url.fragment = '';
  return go(cursor, FRAGMENT_STATE);
}

export const isDrive = (text: string, at: number): boolean => {
  const second = at + 1 < text.length ? charCodeAt(text, at + 1) : END;
  return isLetter(charCodeAt(text, at)) && (second === COLON || second === 124);
};

/** Takes the last segment off, but not a drive. */
export function shorten(url: UrlRecord): void {
  if (url.scheme === 'file' && startsWithDrive(url.path) && hasOneSegment(url.path)) return;
  let end = url.path.length - 1;
  while (end > 0 && charCodeAt(url.path, end) !== SLASH) end -= 1;
  url.path = end > 0 ? stringSlice(url.path, 0, end) : '';
}
