import { arrayPush, charCodeAt, fromCodePoint, regExpExec, stringSlice } from '../../primordials.ts';

/**
 * Rules of a label that look at neighbours: RFC 5892 appendix A (joiners) and RFC 5893 (direction of writing). The engine does not
 * know these properties; the tables hold them for valid code points, as runs: a class and how far its first code point is from the
 * run before, in base 36. Marks are known by their category. Source: Unicode Character Database 17, Bidi_Class, Joining_Type and ccc.
 *
 * Directions: L left to right, R right to left (R and AL), A Arabic number, E European number, N neutral.
 */
const DIRECTIONS =
  'N4hL1qNoL1NchL2N7LeN2LsN1L3mN4L2N3jL2Nb6R1gMaR8N1iR2N1R2N1R1N1RdA1xNaA1R2N35R7N4R5E2RaN70R4L7dN6nL2N7L1N6tL8M2' +
  'iL4N4cLeN3bL7NcgL1N6yL4NuqLgN2oL1NiiL5N8rL1NkLwN8gL6N48LyM66L12NzsL8yN1oLbwN1xLqN1LlyN1L9fN74LmoN51L7NdL7N74Le' +
  'dN3LpNfL1N6L4N2L4N2nL1N2iL1N5gL1cN5hsL1sNh3kL1sN8tL3N2rLeN3jLzN2tL1N4fL8N8L8N1gLcNkqL2eRfsiNhRj4Lb1N75L1N1qL25' +
  'N3L1sE7lLvRzkN7zR1NexR7AdsRqN10R1A6pRwM23N5R9MnRgL74N2aLkN16iLwM1gwL1NdgL16Nfs3L1Ni71LnkMd3L2N5cL2NlL28MbL2N4j' +
  'L2oN1i8LsgNsfLcxRmoN1dcLgwNtL3N1pL1N4yL12yN1L1lx';

/** D dual-joining, L left-joining, R right-joining, U the others. Transparent ones are known by their category. */
const JOININGS =
  'U4hT10nU8D28U1R1D4R1D1R1D1R5D4UdD1R7D1UnDeR3U3D5RfDiR12D1R2D9R1D1R1D1R2U2R1U9RgU2DaU3D2U1RgD2R3D5R4D1R9D1R1D1R' +
  '1D1R2DvRbD3RfD2R4D1R1D2R3D2U6D22U16R24D1R5D2R1D1RaD1R1U8D2U1D1U4R1D1R1UqD3U1D2R5D1RrU3R1D1R2D2R6D1UfTi2U4D2i8U' +
  '1DoU2oD7U15TfiU12DrwcL1eU1Djf1R5U1R1U1R1U2L2R1D5L4D1R5D1R3U1R2D7R4U1D40R1D1R1D3R3D1R2D1R1D2R1U8RgD4U2L9dD1RxD1' +
  'UdRb6D1U2D1U3T2U5L9TnUgD1cR3D1UhDcR3U1DrR4D2UgD16U1D1R2U3D1R1D2R2D1U2D1R1D2U1R4D1L1UlT2s0U1TzeeU2T8iU2D4hxT15U' +
  '5';

/** Code points with the canonical combining class 9. */
const VIRAMAS =
  '.1u5.3k.3k.3k.3k.3k.3k.3k.32.1.h.3h.34.3k.5m.51.1.1cq.1.v.4e.i6.6c.2u.1.1z.1.3gs.o7b.12.48.3z.31.8m.6v.imq.16v' +
  '.16.f.1m.3e.1.3w.39.51.2r.3l.1.1.36.3k.71.3k.3b.39.7i.78.1.4i.2c.j.2a.bq.79.1.2a.bu.1.d0t';

interface Runs {
  starts: number[];
  classes: number[];
}

const tables: Record<string, Runs | undefined> = { __proto__: null } as never;

/** The table behind `text`, read when it is first needed. */
function runsOf(text: string): Runs {
  const known = tables[text];
  if (known) return known;
  const runs: Runs = { starts: [], classes: [] };
  let start = 0;
  for (let at = 0; at < text.length; ) {
    arrayPush(runs.classes, charCodeAt(text, at));
    let distance = 0;
    for (at += 1; at < text.length; at += 1) {
      const unit = charCodeAt(text, at);
      if (unit <= 90 && !(unit >= 48 && unit <= 57)) break;
      distance = distance * 36 + (unit <= 57 ? unit - 48 : unit - 87);
    }
    start += distance;
    arrayPush(runs.starts, start);
  }
  tables[text] = runs;
  return runs;
}

/** The last run that starts at or before `point`; -1 before the first. */
function findRun({ starts }: Runs, point: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= point) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const L = 76;
const R = 82;
const A = 65;
const E = 69;
const N = 78;
const D = 68;
const U = 85;
/** A mark that takes the direction of what it stands on. */
const M = 77;

const MARK = /[\p{Mn}\p{Me}]/u;
/** Marks that have a direction of their own. */
const DIRECTED_MARKS = /[\u0cbf\u0cc6\u1b3a\u1b3c\u1b42\u{11a07}\u{11a08}\u{11c3f}]/u;
const TRANSPARENT = /[\p{Mn}\p{Me}\p{Cf}\u{1e94b}]/u;

function directionOf(point: number): number {
  if (point < 0x80) {
    if (point >= 48 && point <= 57) return E;
    return (point >= 65 && point <= 90) || (point >= 97 && point <= 122) ? L : N;
  }
  const text = fromCodePoint(point);
  if (regExpExec(MARK, text) !== null) return regExpExec(DIRECTED_MARKS, text) === null ? M : L;
  const runs = runsOf(DIRECTIONS);
  return runs.classes[findRun(runs, point)] ?? L;
}

function joiningOf(point: number): number {
  if (point < 0x80) return U;
  const runs = runsOf(JOININGS);
  return runs.classes[findRun(runs, point)] ?? U;
}

const isTransparent = (point: number): boolean =>
  point !== 0x200c && point !== 0x200d && regExpExec(TRANSPARENT, fromCodePoint(point)) !== null;

function isVirama(point: number): boolean {
  const runs = runsOf(VIRAMAS);
  return runs.starts[findRun(runs, point)] === point;
}

/** A joiner stands behind a virama; the zero-width non-joiner also between letters that would join. */
export function followsJoiningRules(points: readonly number[]): boolean {
  for (let at = 0; at < points.length; at += 1) {
    const point = points[at]!;
    if (point !== 0x200c && point !== 0x200d) continue;
    if (at > 0 && isVirama(points[at - 1]!)) continue;
    if (point === 0x200d || !standsBetweenJoining(points, at)) return false;
  }
  return true;
}

function standsBetweenJoining(points: readonly number[], at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isTransparent(points[before]!)) before -= 1;
  let after = at + 1;
  while (after < points.length && isTransparent(points[after]!)) after += 1;
  if (before < 0 || after >= points.length) return false;
  const left = joiningOf(points[before]!);
  const right = joiningOf(points[after]!);
  return (left === L || left === D) && (right === R || right === D);
}

export function hasRightToLeft(label: string): boolean {
  for (let at = 0; at < label.length; at += 1) {
    if (charCodeAt(label, at) < 0x590) continue;
    const directions = directionsOf(label);
    for (let index = 0; index < directions.length; index += 1) {
      if (directions[index] === R || directions[index] === A) return true;
    }
    return false;
  }
  return false;
}

function directionsOf(label: string): number[] {
  const directions: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    const unit = charCodeAt(label, at);
    const size = (unit & 0xfc00) === 0xd800 ? 2 : 1;
    const text = stringSlice(label, at, at + size);
    arrayPush(directions, directionOf(size === 1 ? unit : codeOfPair(text)));
    at += size - 1;
  }
  return directions;
}

const codeOfPair = (pair: string): number =>
  0x10000 + ((charCodeAt(pair, 0) & 0x3ff) << 10) + (charCodeAt(pair, 1) & 0x3ff);

/** RFC 5893 section 2, for a label of a domain that has right-to-left text somewhere. */
export function obeysBidiRule(label: string): boolean {
  const directions = directionsOf(label);
  if (directions.length === 0) return true;
  const first = directions[0]!;
  if (first !== L && first !== R) return false;
  let last = directions.length - 1;
  while (last > 0 && directions[last] === M) last -= 1;
  const end = directions[last]!;
  const count = (direction: number) => {
    let found = 0;
    for (let at = 0; at < directions.length; at += 1) if (directions[at] === direction) found += 1;
    return found;
  };
  if (first === L) return count(R) === 0 && count(A) === 0 && (end === L || end === E);
  return count(L) === 0 && (count(E) === 0 || count(A) === 0) && (end === R || end === E || end === A);
}
