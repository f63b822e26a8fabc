import { charCodeAt, stringIndexOf, stringSlice } from '../../primordials.ts';
import { percentEncode, USERINFO } from '../percent.ts';
import { hasCredentials, isSpecial, specialPort, type UrlRecord } from '../record.ts';
import {
  AT,
  again,
  COLON,
  type Cursor,
  endsAuthority,
  FILE_HOST,
  finish,
  go,
  HOST,
  HOSTNAME,
  isDigit,
  PATH_START,
  PORT,
  taken,
} from './cursor.ts';
import { parseHost } from './host.ts';

export function authority(cursor: Cursor, unit: number): boolean {
  if (unit === AT) {
    cursor.userEnd = cursor.at;
    return true;
  }
  if (!endsAuthority(cursor, unit)) return true;
  if (cursor.userEnd < 0) cursor.at = cursor.from;
  else {
    if (cursor.userEnd + 1 === cursor.at) return false;
    readUser(cursor.url, stringSlice(cursor.text, cursor.from, cursor.userEnd));
    cursor.at = cursor.userEnd + 1;
  }
  return again(cursor, HOST);
}

function readUser(url: UrlRecord, text: string): void {
  const colon = stringIndexOf(text, ':');
  url.username = percentEncode(colon < 0 ? text : stringSlice(text, 0, colon), USERINFO);
  url.password = colon < 0 ? '' : percentEncode(stringSlice(text, colon + 1), USERINFO);
}

export function host(cursor: Cursor, unit: number): boolean {
  const { url, override } = cursor;
  if (override !== 0 && url.scheme === 'file') return again(cursor, FILE_HOST);
  if (unit === COLON && !cursor.inBrackets) {
    if (cursor.from === cursor.at || override === HOSTNAME) return false;
    if (!takeHost(cursor)) return false;
    return go(cursor, PORT);
  }
  if (endsAuthority(cursor, unit)) {
    if (cursor.from === cursor.at) {
      if (isSpecial(url.scheme)) return false;
      if (override !== 0 && (hasCredentials(url) || url.port !== null)) return false;
    }
    if (!takeHost(cursor)) return false;
    return override === 0 ? again(cursor, PATH_START) : finish(cursor);
  }
  if (unit === 91) cursor.inBrackets = true;
  else if (unit === 93) cursor.inBrackets = false;
  return true;
}

function takeHost(cursor: Cursor): boolean {
  const { url } = cursor;
  const opaque = !isSpecial(url.scheme);
  const parsed = opaque && cursor.from === cursor.at ? '' : parseHost(taken(cursor), opaque);
  if (parsed === null) return false;
  url.host = parsed;
  return true;
}

export function port(cursor: Cursor, unit: number): boolean {
  const { url, override } = cursor;
  if (isDigit(unit)) return true;
  if (!endsAuthority(cursor, unit) && override === 0) return false;
  if (cursor.from < cursor.at) {
    let value = 0;
    for (let at = cursor.from; at < cursor.at && value <= 0xffff; at += 1) {
      value = value * 10 + charCodeAt(cursor.text, at) - 48;
    }
    if (value > 0xffff) return false;
    url.port = value === specialPort(url.scheme) ? null : value;
    if (override !== 0) return finish(cursor);
  }
  if (override !== 0) return false;
  return again(cursor, PATH_START);
}
