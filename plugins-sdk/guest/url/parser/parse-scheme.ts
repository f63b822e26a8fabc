import { charCodeAt, stringSlice } from '../../primordials.ts';
import { lowerAscii } from '../percent.ts';
import { hasCredentials, isLetter, isSpecial, specialPort, startsWithDrive, type UrlRecord } from '../record.ts';
import {
  AUTHORITY,
  again,
  BACKSLASH,
  COLON,
  type Cursor,
  END,
  FILE,
  FILE_HOST,
  FILE_SLASH,
  FRAGMENT_STATE,
  finish,
  go,
  HASH,
  isDigit,
  isDrive,
  NO_SCHEME,
  next,
  OPAQUE_PATH,
  PATH_OR_AUTHORITY,
  PATH_START,
  PATH_STATE,
  QUESTION,
  RELATIVE,
  RELATIVE_SLASH,
  SCHEME,
  SLASH,
  SPECIAL_AUTHORITY_IGNORE_SLASHES,
  SPECIAL_AUTHORITY_SLASHES,
  SPECIAL_RELATIVE_OR_AUTHORITY,
  shorten,
  skipTo,
  startFragment,
  startQuery,
  taken,
} from './cursor.ts';
import { parseHost } from './host.ts';

export function schemeStart(cursor: Cursor, unit: number): boolean {
  if (isLetter(unit)) {
    cursor.from = cursor.at;
    cursor.state = SCHEME;
    return true;
  }
  return cursor.override === 0 ? again(cursor, NO_SCHEME) : false;
}

const continuesScheme = (unit: number): boolean =>
  isLetter(unit) || isDigit(unit) || unit === 43 || unit === 45 || unit === 46;

export function scheme(cursor: Cursor, unit: number): boolean {
  const { url, base, override } = cursor;
  if (continuesScheme(unit)) return true;
  if (unit !== COLON) {
    if (override !== 0) return false;
    cursor.at = -1;
    return go(cursor, NO_SCHEME);
  }
  const name = lowerAscii(taken(cursor));
  if (override !== 0) {
    if (mayBecome(url, name)) {
      url.scheme = name;
      if (url.port === specialPort(name)) url.port = null;
    }
    return finish(cursor);
  }
  url.scheme = name;
  if (name === 'file') return go(cursor, FILE);
  if (isSpecial(name)) {
    return go(
      cursor,
      base !== null && base.scheme === name ? SPECIAL_RELATIVE_OR_AUTHORITY : SPECIAL_AUTHORITY_SLASHES,
    );
  }
  if (next(cursor) === SLASH) return skipTo(cursor, PATH_OR_AUTHORITY);
  url.opaque = true;
  return go(cursor, OPAQUE_PATH);
}

/** A setter cannot make a special scheme of another, nor the other way round. */
const mayBecome = (url: UrlRecord, name: string): boolean =>
  isSpecial(url.scheme) === isSpecial(name) &&
  !(name === 'file' && (hasCredentials(url) || url.port !== null)) &&
  !(url.scheme === 'file' && url.host === '');

export function noScheme(cursor: Cursor, unit: number): boolean {
  const { base, url } = cursor;
  if (base === null || (base.opaque && unit !== HASH)) return false;
  if (base.opaque) {
    url.scheme = base.scheme;
    url.path = base.path;
    url.opaque = true;
    url.query = base.query;
    url.fragment = '';
    return go(cursor, FRAGMENT_STATE);
  }
  return again(cursor, base.scheme === 'file' ? FILE : RELATIVE);
}

function takeAuthority(url: UrlRecord, base: UrlRecord): void {
  url.username = base.username;
  url.password = base.password;
  url.host = base.host;
  url.port = base.port;
}

export function relative(cursor: Cursor, unit: number): boolean {
  const { url } = cursor;
  const base = cursor.base!;
  url.scheme = base.scheme;
  if (unit === SLASH || (unit === BACKSLASH && isSpecial(url.scheme))) return go(cursor, RELATIVE_SLASH);
  takeAuthority(url, base);
  url.path = base.path;
  url.query = base.query;
  return afterBase(cursor, unit, () => shorten(url));
}

export function relativeSlash(cursor: Cursor, unit: number): boolean {
  const { url } = cursor;
  if (isSpecial(url.scheme) && (unit === SLASH || unit === BACKSLASH)) {
    return go(cursor, SPECIAL_AUTHORITY_IGNORE_SLASHES);
  }
  if (unit === SLASH) return go(cursor, AUTHORITY);
  takeAuthority(url, cursor.base!);
  return again(cursor, PATH_STATE);
}

/** What follows when everything up to the query was taken from the base. */
function afterBase(cursor: Cursor, unit: number, shortenPath: () => void): boolean {
  const { url } = cursor;
  if (unit === QUESTION) return startQuery(cursor);
  if (unit === HASH) return startFragment(cursor);
  if (unit === END) return true;
  url.query = null;
  shortenPath();
  return again(cursor, PATH_STATE);
}

export function file(cursor: Cursor, unit: number): boolean {
  const { url, base, text, at } = cursor;
  url.scheme = 'file';
  url.host = '';
  if (unit === SLASH || unit === BACKSLASH) return go(cursor, FILE_SLASH);
  if (base === null || base.scheme !== 'file') return again(cursor, PATH_STATE);
  url.host = base.host;
  url.path = base.path;
  url.query = base.query;
  return afterBase(cursor, unit, () => {
    if (!drivesAt(text, at)) shorten(url);
    else url.path = '';
  });
}

export function fileSlash(cursor: Cursor, unit: number): boolean {
  const { url, base, text, at } = cursor;
  if (unit === SLASH || unit === BACKSLASH) return go(cursor, FILE_HOST);
  if (base !== null && base.scheme === 'file') {
    url.host = base.host;
    if (!drivesAt(text, at) && startsWithDrive(base.path)) url.path += stringSlice(base.path, 0, 3);
  }
  return again(cursor, PATH_STATE);
}

export function fileHost(cursor: Cursor, unit: number): boolean {
  const { url, override } = cursor;
  if (unit !== END && unit !== SLASH && unit !== BACKSLASH && unit !== QUESTION && unit !== HASH) return true;
  if (override === 0 && cursor.at - cursor.from === 2 && isDrive(cursor.text, cursor.from)) {
    // The drive is the beginning of the path, which looks at it again.
    cursor.at = cursor.from;
    return again(cursor, PATH_STATE);
  }
  const parsed = cursor.from === cursor.at ? '' : parseHost(taken(cursor), false);
  if (parsed === null) return false;
  url.host = parsed === 'localhost' ? '' : parsed;
  return override === 0 ? again(cursor, PATH_START) : finish(cursor);
}

/** Whether a Windows drive stands at the beginning of what is left. */
function drivesAt(text: string, at: number): boolean {
  if (!isDrive(text, at)) return false;
  const after = at + 2 < text.length ? charCodeAt(text, at + 2) : SLASH;
  return after === SLASH || after === BACKSLASH || after === QUESTION || after === HASH;
}
