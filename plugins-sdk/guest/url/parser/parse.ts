import { charCodeAt, stringSlice } from '../../primordials.ts';
import type { UrlRecord } from '../record.ts';
import {
  AUTHORITY,
  again,
  BACKSLASH,
  type Cursor,
  END,
  FILE,
  FILE_HOST,
  FILE_SLASH,
  FRAGMENT_STATE,
  go,
  HOST,
  HOSTNAME,
  NO_SCHEME,
  next,
  OPAQUE_PATH,
  PATH_OR_AUTHORITY,
  PATH_START,
  PATH_STATE,
  PORT,
  QUERY_STATE,
  RELATIVE,
  RELATIVE_SLASH,
  SCHEME,
  SCHEME_START,
  SLASH,
  SPECIAL_AUTHORITY_IGNORE_SLASHES,
  SPECIAL_AUTHORITY_SLASHES,
  SPECIAL_RELATIVE_OR_AUTHORITY,
  skipTo,
} from './cursor.ts';
import { authority, host, port } from './parse-authority.ts';
import { fragment, opaquePath, path, pathStart, query } from './parse-path.ts';
import { file, fileHost, fileSlash, noScheme, relative, relativeSlash, scheme, schemeStart } from './parse-scheme.ts';

/** Where a setter enters the parser. */
export const OVERRIDES = {
  scheme: SCHEME_START,
  host: HOST,
  hostname: HOSTNAME,
  port: PORT,
  path: PATH_START,
  query: QUERY_STATE,
  fragment: FRAGMENT_STATE,
} as const;

/** Null where the text is no URL. */
export function parseUrl(text: string, base: UrlRecord | null): UrlRecord | null {
  const url: UrlRecord = {
    scheme: '',
    username: '',
    password: '',
    host: null,
    port: null,
    path: '',
    opaque: false,
    query: null,
    fragment: null,
  };
  return runParser(withoutBreaks(trimmed(text)), base, url, 0) ? url : null;
}

/** Runs the parser on one part of `url`. Returns false where the text does not fit; what fitted before that is kept. */
export const parsePart = (text: string, url: UrlRecord, state: (typeof OVERRIDES)[keyof typeof OVERRIDES]): boolean =>
  runParser(withoutBreaks(text), null, url, state);

/** Without controls and spaces at both ends. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && charCodeAt(text, from) <= 32) from += 1;
  while (to > from && charCodeAt(text, to - 1) <= 32) to -= 1;
  return to - from === text.length ? text : stringSlice(text, from, to);
}

/** Without tabs and line breaks, wherever they are. */
function withoutBreaks(text: string): string {
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit !== 9 && unit !== 10 && unit !== 13) continue;
    kept += stringSlice(text, from, at);
    from = at + 1;
  }
  return from === 0 ? text : kept + stringSlice(text, from);
}

function runParser(text: string, base: UrlRecord | null, url: UrlRecord, override: number): boolean {
  const state = override === 0 ? SCHEME_START : override;
  const cursor: Cursor = {
    text,
    base,
    url,
    override,
    state,
    at: 0,
    from: 0,
    userEnd: -1,
    inBrackets: false,
    done: false,
  };
  for (; ; cursor.at += 1) {
    const unit = cursor.at < text.length ? charCodeAt(text, cursor.at) : END;
    if (!step(cursor, unit)) return false;
    if (cursor.done || cursor.at >= text.length) return true;
  }
}

/** One character in the current state; false where it does not fit. */
function step(cursor: Cursor, unit: number): boolean {
  switch (cursor.state) {
    case SCHEME_START:
      return schemeStart(cursor, unit);
    case SCHEME:
      return scheme(cursor, unit);
    case NO_SCHEME:
      return noScheme(cursor, unit);
    case SPECIAL_RELATIVE_OR_AUTHORITY:
      if (unit === SLASH && next(cursor) === SLASH) return skipTo(cursor, SPECIAL_AUTHORITY_IGNORE_SLASHES);
      return again(cursor, RELATIVE);
    case PATH_OR_AUTHORITY:
      return unit === SLASH ? go(cursor, AUTHORITY) : again(cursor, PATH_STATE);
    case RELATIVE:
      return relative(cursor, unit);
    case RELATIVE_SLASH:
      return relativeSlash(cursor, unit);
    case SPECIAL_AUTHORITY_SLASHES:
      if (unit === SLASH && next(cursor) === SLASH) return skipTo(cursor, SPECIAL_AUTHORITY_IGNORE_SLASHES);
      return again(cursor, SPECIAL_AUTHORITY_IGNORE_SLASHES);
    case SPECIAL_AUTHORITY_IGNORE_SLASHES:
      return unit === SLASH || unit === BACKSLASH ? true : again(cursor, AUTHORITY);
    case AUTHORITY:
      return authority(cursor, unit);
    case HOST:
    case HOSTNAME:
      return host(cursor, unit);
    case PORT:
      return port(cursor, unit);
    case FILE:
      return file(cursor, unit);
    case FILE_SLASH:
      return fileSlash(cursor, unit);
    case FILE_HOST:
      return fileHost(cursor, unit);
    case PATH_START:
      return pathStart(cursor, unit);
    case PATH_STATE:
      return path(cursor, unit);
    case OPAQUE_PATH:
      return opaquePath(cursor, unit);
    case QUERY_STATE:
      return query(cursor, unit);
    default:
      return fragment(cursor);
  }
}
