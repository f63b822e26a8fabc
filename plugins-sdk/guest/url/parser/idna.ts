import {
  arrayPush,
  charCodeAt,
  codePointAt,
  fromCodePoint,
  regExpExec,
  stringLower,
  stringNormalize,
  stringSlice,
  stringUpper,
} from '../../primordials.ts';
import { isAscii } from '../percent.ts';
import { followsJoiningRules, hasRightToLeft, obeysBidiRule } from './idna-context.ts';
import { codePoints, punycodeDecode, punycodeEncode } from './punycode.ts';

/**
 * UTS #46 as the URL standard uses it (non-transitional, CheckBidi, CheckJoiners, no STD3 rules, no lengths). Its mapping table
 * is derived from properties that the engine knows, as section 7 of UTS #46 derives it, instead of 150 kB of tables.
 */
export function domainToAscii(domain: string): string | null {
  const mapped = mapDomain(domain);
  if (mapped === null) return null;
  const labels = splitAtDots(mapped);
  let rightToLeft = false;
  for (let at = 0; at < labels.length; at += 1) {
    const label = decodeLabel(labels[at]!);
    if (label === null) return null;
    labels[at] = label;
    rightToLeft ||= hasRightToLeft(label);
  }
  let ascii = '';
  for (let at = 0; at < labels.length; at += 1) {
    const label = labels[at]!;
    if (rightToLeft && !obeysBidiRule(label)) return null;
    ascii += (at > 0 ? '.' : '') + (isAscii(label) ? label : `xn--${punycodeEncode(label)}`);
  }
  return ascii;
}

function splitAtDots(text: string): string[] {
  const labels: string[] = [];
  let from = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && charCodeAt(text, at) !== 46) continue;
    arrayPush(labels, stringSlice(text, from, at));
    from = at + 1;
  }
  return labels;
}

/** The label without punycode, valid; null otherwise. */
function decodeLabel(label: string): string | null {
  if (stringSlice(label, 0, 4) !== 'xn--') return isValidLabel(label) ? label : null;
  if (!isAscii(label)) return null;
  const decoded = punycodeDecode(stringSlice(label, 4));
  return decoded === null || decoded === '' || isAscii(decoded) || !isValidLabel(decoded) ? null : decoded;
}

function isValidLabel(label: string): boolean {
  if (isAscii(label)) return true;
  if (stringNormalize(label, 'NFC') !== label || stringSlice(label, 0, 4) === 'xn--') return false;
  if (regExpExec(STARTS_WITH_MARK, label) !== null) return false;
  const points = codePoints(label);
  for (let at = 0; at < points.length; at += 1) if (!isValid(points[at]!)) return false;
  return followsJoiningRules(points);
}
const STARTS_WITH_MARK = /^\p{M}/u;

/** Every code point mapped or removed, then NFC. Null where one is disallowed. */
function mapDomain(domain: string): string | null {
  let mapped = '';
  for (let at = 0; at < domain.length; at += 1) {
    const point = codePointAt(domain, at);
    if (point > 0xffff) at += 1;
    const to = mapPoint(point);
    if (to === null) return null;
    mapped += to;
  }
  return stringNormalize(mapped, 'NFC');
}

/** Null for what is disallowed, empty for what is ignored. */
function mapPoint(point: number): string | null {
  const text = fromCodePoint(point);
  if (point < 0x80) return point >= 65 && point <= 90 ? stringLower(text) : text;
  if (point === IDEOGRAPHIC_STOP || point === 0xff0e || point === 0xff61) return '.';
  if (point === 0x1e9e) return 'ß';
  if (isDeviation(point)) return text;
  if (isExcluded(point)) return null;
  if (regExpExec(CHANGES, text) === null) return isValid(point) ? text : null;
  if (regExpExec(UNASSIGNED, text) !== null) return null;
  const to = casefoldCompatibly(text);
  const points = codePoints(to);
  for (let at = 0; at < points.length; at += 1) {
    // Only full stops of their own separate labels.
    if (points[at] === 46 || (points[at]! >= 0x80 && !isValid(points[at]!))) return null;
  }
  return to;
}

/** Valid in IDNA 2008 and different in 2003: sharp s, final sigma, the joiners. */
const isDeviation = (point: number): boolean =>
  point === 0xdf || point === 0x3c2 || point === 0x200c || point === 0x200d;

function isValid(point: number): boolean {
  if (point < 0x80) return !(point >= 65 && point <= 90);
  if (isDeviation(point)) return true;
  if (isExcluded(point)) return false;
  const text = fromCodePoint(point);
  return regExpExec(CHANGES, text) === null && regExpExec(NEVER_VALID, text) === null;
}

const CHANGES = /\p{Changes_When_NFKC_Casefolded}/u;
const UNASSIGNED = /\p{Cn}/u;
const NEVER_VALID = /[\p{C}\p{Z}\u2ff0-\u2fff\u31ef]/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
const CASED = /\p{Changes_When_Casefolded}/u;

const IDEOGRAPHIC_STOP = 0x3002;

/** What UTS #46 excludes by name: controls of direction, tags, and characters that changed after IDNA 2003. */
const isExcluded = (point: number): boolean =>
  point === IDEOGRAPHIC_STOP ||
  point === 0x61c ||
  point === 0x200e ||
  point === 0x200f ||
  (point >= 0x202a && point <= 0x202e) ||
  (point >= 0x2066 && point <= 0x2069) ||
  (point >= 0xe0001 && point <= 0xe007f) ||
  point === 0xfffc ||
  point === 0xfffd;

/** toNFKC_Casefold of the Unicode standard. */
function casefoldCompatibly(text: string): string {
  let folded = text;
  for (;;) {
    const next = stringNormalize(foldWithoutIgnorable(stringNormalize(folded, 'NFKC')), 'NFKC');
    if (next === folded) return folded;
    folded = next;
  }
}

function foldWithoutIgnorable(text: string): string {
  const points = codePoints(text);
  let folded = '';
  for (let at = 0; at < points.length; at += 1) {
    const character = fromCodePoint(points[at]!);
    if (regExpExec(IGNORABLE, character) !== null) continue;
    folded += regExpExec(CASED, character) === null ? character : casefold(character, points[at]!);
  }
  return folded;
}

/** Cherokee folds to its capitals, everything else to small letters. */
const casefold = (character: string, point: number): string =>
  (point >= 0xab70 && point <= 0xabbf) || (point >= 0x13f8 && point <= 0x13fd)
    ? stringUpper(character)
    : stringLower(stringUpper(character));
