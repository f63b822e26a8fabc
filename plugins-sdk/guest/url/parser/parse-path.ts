import { charCodeAt, stringSlice } from '../../primordials.ts';
import { CONTROLS, FRAGMENT, PATH, percentEncode, QUERY, SPECIAL_QUERY } from '../percent.ts';
import { isSpecial } from '../record.ts';
import {
  again,
  BACKSLASH,
  type Cursor,
  END,
  finish,
  go,
  HASH,
  isDrive,
  PATH_STATE,
  QUESTION,
  SLASH,
  shorten,
  startFragment,
  startQuery,
  taken,
} from './cursor.ts';

export function pathStart(cursor: Cursor, unit: number): boolean {
  const { url, override } = cursor;
  if (isSpecial(url.scheme)) {
    return unit === SLASH || unit === BACKSLASH ? go(cursor, PATH_STATE) : again(cursor, PATH_STATE);
  }
  if (override === 0 && unit === QUESTION) return startQuery(cursor);
  if (override === 0 && unit === HASH) return startFragment(cursor);
  if (unit !== END) return unit === SLASH ? go(cursor, PATH_STATE) : again(cursor, PATH_STATE);
  if (override !== 0 && url.host === null) url.path += '/';
  return true;
}

export function path(cursor: Cursor, unit: number): boolean {
  const { url, override } = cursor;
  const slash = unit === SLASH || (unit === BACKSLASH && isSpecial(url.scheme));
  const ends = override === 0 && (unit === QUESTION || unit === HASH);
  if (!slash && !ends && unit !== END) return true;
  const segment = taken(cursor);
  const dots = dotsOf(segment);
  if (dots === 2) shorten(url);
  if (dots > 0) {
    if (!slash) url.path += '/';
  } else if (url.scheme === 'file' && url.path === '' && segment.length === 2 && isDrive(segment, 0)) {
    url.path = `/${stringSlice(segment, 0, 1)}:`;
  } else url.path += `/${percentEncode(segment, PATH)}`;
  if (unit === QUESTION && ends) return startQuery(cursor);
  if (unit === HASH && ends) return startFragment(cursor);
  cursor.from = cursor.at + 1;
  return true;
}

/** 1 for `.`, 2 for `..`, however their dots are written; 0 for everything else. */
function dotsOf(segment: string): number {
  if (segment.length > 6) return 0;
  let dots = 0;
  for (let at = 0; at < segment.length; dots += 1) {
    const unit = charCodeAt(segment, at);
    if (unit === 46) at += 1;
    else if (unit === 37 && charCodeAt(segment, at + 1) === 50 && (charCodeAt(segment, at + 2) | 32) === 101) at += 3;
    else return 0;
  }
  return dots > 2 ? 0 : dots;
}

export function opaquePath(cursor: Cursor, unit: number): boolean {
  if (unit !== END && unit !== QUESTION && unit !== HASH) return true;
  const text = taken(cursor);
  // A space before the query or the fragment would be lost if they were taken away.
  const spaced = unit !== END && charCodeAt(text, text.length - 1) === 32;
  cursor.url.path =
    percentEncode(spaced ? stringSlice(text, 0, text.length - 1) : text, CONTROLS) + (spaced ? '%20' : '');
  if (unit === QUESTION) return startQuery(cursor);
  return unit === HASH ? startFragment(cursor) : true;
}

export function query(cursor: Cursor, unit: number): boolean {
  if (unit !== END && !(unit === HASH && cursor.override === 0)) return true;
  const { url } = cursor;
  url.query = percentEncode(taken(cursor), isSpecial(url.scheme) ? SPECIAL_QUERY : QUERY);
  return unit === HASH ? startFragment(cursor) : true;
}

export function fragment(cursor: Cursor): boolean {
  cursor.url.fragment = percentEncode(stringSlice(cursor.text, cursor.from), FRAGMENT);
  return finish(cursor);
}
