import { arrayPush, charCodeAt, codePointAt, floor, fromCodePoint, stringSlice } from '../../primordials.ts';

/** RFC 3492. */
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_N = 128;
const CODE_MAX = 0x10ffff;

function adapt(delta: number, points: number, first: boolean): number {
  let rest = first ? floor(delta / DAMP) : delta >> 1;
  rest += floor(rest / points);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = floor(rest / (BASE - T_MIN));
  return floor(k + ((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

const digitCode = (digit: number): string => fromCodePoint(digit < 26 ? digit + 97 : digit + 22);
const threshold = (k: number, bias: number): number => (k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias);

/** Code points of a text. */
export function codePoints(text: string): number[] {
  const points: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const point = codePointAt(text, at);
    if (point > 0xffff) at += 1;
    arrayPush(points, point);
  }
  return points;
}

/** What follows `xn--`. */
export function punycodeEncode(text: string): string {
  const points = codePoints(text);
  let output = '';
  let handled = 0;
  for (let at = 0; at < points.length; at += 1) {
    if (points[at]! < 128) {
      output += fromCodePoint(points[at]!);
      handled += 1;
    }
  }
  const basic = handled;
  if (basic > 0) output += '-';
  let n = INITIAL_N;
  let delta = 0;
  let bias = INITIAL_BIAS;
  while (handled < points.length) {
    let next = CODE_MAX + 1;
    for (let at = 0; at < points.length; at += 1) if (points[at]! >= n && points[at]! < next) next = points[at]!;
    delta += (next - n) * (handled + 1);
    n = next;
    for (let at = 0; at < points.length; at += 1) {
      if (points[at]! < n) delta += 1;
      if (points[at]! !== n) continue;
      let q = delta;
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias);
        if (q < t) break;
        output += digitCode(t + ((q - t) % (BASE - t)));
        q = floor((q - t) / (BASE - t));
      }
      output += digitCode(q);
      bias = adapt(delta, handled + 1, handled === basic);
      delta = 0;
      handled += 1;
    }
    delta += 1;
    n += 1;
  }
  return output;
}

/** The text behind what follows `xn--`; null where it is not punycode. */
export function punycodeDecode(encoded: string): string | null {
  let basic = encoded.length;
  while (basic > 0 && charCodeAt(encoded, basic - 1) !== 45) basic -= 1;
  let output = '';
  let at = basic;
  const points = codePoints(basic > 0 ? stringSlice(encoded, 0, basic - 1) : '');
  let n = INITIAL_N;
  let i = 0;
  let bias = INITIAL_BIAS;
  while (at < encoded.length) {
    const before = i;
    let w = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = at < encoded.length ? digitOf(charCodeAt(encoded, at)) : -1;
      at += 1;
      if (digit < 0) return null;
      i += digit * w;
      if (i > 0x7fffffff) return null;
      const t = threshold(k, bias);
      if (digit < t) break;
      w *= BASE - t;
    }
    const length = points.length + 1;
    bias = adapt(i - before, length, before === 0);
    n += floor(i / length);
    i %= length;
    if (n > CODE_MAX || (n >= 0xd800 && n <= 0xdfff)) return null;
    arrayPush(points, 0);
    for (let index = length - 1; index > i; index -= 1) points[index] = points[index - 1]!;
    points[i] = n;
    i += 1;
  }
  for (let index = 0; index < points.length; index += 1) output += fromCodePoint(points[index]!);
  return output;
}

const digitOf = (unit: number): number =>
  unit >= 48 && unit <= 57
    ? unit - 22
    : unit >= 97 && unit <= 122
      ? unit - 97
      : unit >= 65 && unit <= 90
        ? unit - 65
        : -1;
