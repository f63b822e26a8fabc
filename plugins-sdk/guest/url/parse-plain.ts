import { charCodeAt, regExpExec, stringIndexOf, stringLastIndexOf, stringSlice } from '../primordials.ts';
import type { UrlRecord } from './record.ts';

/**
 * One expression reads a URL at once: code that runs now and then in each of many isolates is interpreted, and a step for each
 * character made most of an invocation. No class has the character that ends its part, so nothing is tried twice.
 */
const ABSOLUTE =
  /^(https?):\/\/([a-z0-9.-]+)(?::(0|[1-9]\d{0,4}))?(\/[!$-;=@-[\]_a-z|~]*)(?:\?([!$-&(-;=?-~]*))?(?:#([!#-;=?-_a-~]*))?$/;
/** Without a scheme. */
const REFERENCE = /^([!$-;=@-[\]_a-z|~]*)(?:\?([!$-&(-;=?-~]*))?(?:#([!#-;=?-_a-~]*))?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
/** Longer ones are left to the whole parser, which keeps no list of places to go back to. */
const UNITS_MAX = 2_048;

const SLASH = 47;
const DOT = 46;
const LETTER_H = 104;

/**
 * Absolute `http:` and `https:` URLs that are written as they would be written out, which nearly all are: null for every other text,
 * whose reading is left to the whole parser. The href of what it reads is the text itself.
 */
export function parsePlain(text: string): UrlRecord | null {
  if (charCodeAt(text, 0) !== LETTER_H || text.length > UNITS_MAX) return null;
  const found = regExpExec(ABSOLUTE, text);
  if (found === null) return null;
  const scheme = found[1]!;
  const host = found[2]!;
  const path = found[4]!;
  if (!isPlainHost(host) || hasDots(path)) return null;
  const port = found[3] === undefined ? null : +found[3];
  if (port !== null && (port > 0xffff || port === (scheme === 'http' ? 80 : 443))) return null;
  return {
    scheme,
    username: '',
    password: '',
    host,
    port,
    path,
    opaque: false,
    query: found[5] ?? null,
    fragment: found[6] ?? null,
  };
}

/** The same for a reference without scheme and host, such as `a/b?c`, to a base with `http:` or `https:`. */
export function parsePlainReference(text: string, base: UrlRecord): UrlRecord | null {
  const { scheme, username, password, host, port } = base;
  if ((scheme !== 'http' && scheme !== 'https') || text.length > UNITS_MAX) return null;
  const found = regExpExec(REFERENCE, text);
  if (found === null) return null;
  const given = found[1]!;
  let path = given;
  let query = found[2] ?? null;
  if (given === '') {
    path = base.path;
    if (found[2] === undefined) query = base.query;
  } else {
    if (charCodeAt(given, 0) === DOT || hasDots(given)) return null;
    if (charCodeAt(given, 0) !== SLASH) {
      // What comes before it could be a scheme.
      if (stringIndexOf(given, ':') >= 0) return null;
      path = stringSlice(base.path, 0, stringLastIndexOf(base.path, '/') + 1) + given;
    } else if (charCodeAt(given, 1) === SLASH) return null;
  }
  return { scheme, username, password, host, port, path, opaque: false, query, fragment: found[3] ?? null };
}

/** A segment of dots, or the beginning of dots that are written `%2e`. */
const hasDots = (path: string): boolean => stringIndexOf(path, '/.') >= 0 || stringIndexOf(path, '%2') >= 0;

/** Small letters, digits, hyphens and dots; no punycode, and no number but an address that is written in full. */
function isPlainHost(host: string): boolean {
  const { length } = host;
  const last = charCodeAt(host, length - 1) === DOT ? length - 1 : length;
  const first = charCodeAt(host, stringLastIndexOf(host, '.', last - 1) + 1);
  if (first >= 48 && first <= 57) return regExpExec(IPV4, host) !== null;
  return stringIndexOf(host, 'xn--') < 0;
}
