/** Letters and pairs that are taken for others at a glance. */
const LOOKALIKES: readonly [RegExp, string][] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/[1li|]/g, 'l'],
  [/0/g, 'o'],
  [/5/g, 's'],
  [/3/g, 'e'],
  [/[-_.]/g, ''],
];
/** Cyrillic and Greek letters that look like Latin ones (Unicode confusables.txt, the small letters). */
const FOREIGN: ReadonlyMap<string, string> = new Map(
  'аa еe оo рp сc хx уy іi јj ѕs ԁd һh ԛq ԝw ոn αa οo ρp νv ιi κk τt υu εe βb'
    .split(' ')
    .map(([from, to]) => [from!, to!]),
);

/** Names with the same skeleton look alike. */
export function skeleton(name: string): string {
  const latin = [...name.normalize('NFKC').toLowerCase()].map((char) => FOREIGN.get(char) ?? char).join('');
  return LOOKALIKES.reduce((text, [pattern, letter]) => text.replace(pattern, letter), latin);
}

/** Insertions, removals, replacements and swaps of neighbours (optimal string alignment) from one to the other, at most `max` + 1. */
export function distance(one: string, other: string, max: number): number {
  if (Math.abs(one.length - other.length) > max) return max + 1;
  let [before, last] = [[] as number[], Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[other.length]!;
}

/** The first of `known` that `name` could be taken for; short names differ by one letter too easily for that to mean anything. */
export function takenFor(
  name: string,
  known: Iterable<string>,
): { name: string; why: 'looks the same' | 'differs by one letter' } | null {
  const bones = skeleton(name);
  for (const other of known) {
    if (other === name) continue;
    if (skeleton(other) === bones) return { name: other, why: 'looks the same' };
    if (Math.min(name.length, other.length) >= 5 && distance(name, other, 1) === 1)
      return { name: other, why: 'differs by one letter' };
  }
  return null;
}

/** Packages of npm that plugins bundle most, and whose names are imitated most. */
export const KNOWN_PACKAGES: readonly string[] =
  'ajv async axios base64-js bignumber.js bluebird buffer chalk cheerio class-validator colors commander cross-fetch crypto-js date-fns dayjs debug decimal.js dotenv ethers event-stream express fast-check fflate form-data got graphql handlebars immer immutable inversify ioredis joi jose js-yaml jsonwebtoken lodash luxon marked minimist moment mongoose ms mustache nanoid node-fetch nodemailer object-assign papaparse preact qs ramda react request rxjs semver sharp socket.io stripe superagent tslib typescript underscore uuid validator vue webpack winston ws yaml yargs zod'.split(
    ' ',
  );
