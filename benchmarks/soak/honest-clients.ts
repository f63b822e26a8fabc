import { mix, ROUNDS } from './plugins/arithmetic/mix.ts';
import { checksum } from './plugins/mirror/checksum.ts';
import type { Seeded } from './seeded.ts';

/** One request and how its only right answer is known. */
export interface Visit {
  method: 'GET' | 'POST';
  path: string;
  body: Buffer | null;
  /** What is wrong with a 2xx answer; null where it is right. */
  check(body: Buffer, headers: Record<string, string | string[] | undefined>): string | null;
}

/** A client that visits one installation again and again, and keeps count. */
export interface HonestClient {
  next(): Visit;
  /** The last visit was not answered: its effects are in doubt from here on. */
  lost(): void;
}

export type HonestKind = 'arithmetic' | 'counter' | 'courier' | 'mirror';
export const HONEST_KINDS: readonly HonestKind[] = ['arithmetic', 'counter', 'courier', 'mirror'];

/** Name under which the client's counts are kept; the client counts the same. */
export const HONEST_CLIENTS: Record<HonestKind, (name: string, random: Seeded) => HonestClient> = {
  arithmetic: (_name, random) => ({
    lost: () => {},
    next: () => {
      const number = random.below(2 ** 31);
      return {
        method: 'GET',
        path: `/mix/${number}`,
        body: null,
        check: (body) => differs('mixed', read(body).mixed, mix(number, ROUNDS)),
      };
    },
  }),

  mirror: (_name, random) => ({
    lost: () => {},
    next: () => {
      const bytes = Buffer.from(Array.from({ length: random.below(4_096) + 1 }, () => random.below(256)));
      return {
        method: 'POST',
        path: '/mirror',
        body: bytes,
        check: (body, headers) =>
          body.equals(bytes) ? differs('checksum', Number(headers['x-checksum']), checksum(bytes)) : 'other bytes',
      };
    },
  }),

  counter: (name) => {
    const expected = expectation();
    return {
      lost: expected.lose,
      next: () => ({
        method: 'POST',
        path: `/count/${name}`,
        body: null,
        check: (body) => {
          const { before, after } = read(body);
          return expected.see({ before, after });
        },
      }),
    };
  },

  courier: (name, random) => {
    const expected = expectation();
    return {
      lost: expected.lose,
      next: () => {
        const text = `parcel ${random.below(2 ** 31)}`;
        return {
          method: 'POST',
          path: `/parcels/${name}`,
          body: Buffer.from(JSON.stringify({ text })),
          check: (body) => {
            const { text: arrived, intact, onTime, version, trips } = read(body);
            return (
              differs('text', arrived, text) ??
              differs('intact', intact, true) ??
              differs('onTime', onTime, true) ??
              expected.see({ version, trips })
            );
          },
        };
      },
    };
  },
};

/** Every count must be one more than the last time: less was lost, more was done twice. After a loss it starts anew. */
function expectation() {
  let known: Record<string, unknown> | null = {};
  return {
    lose: () => {
      known = null;
    },
    see: (counts: Record<string, unknown>): string | null => {
      const last = known;
      known = counts;
      if (last === null) return null;
      const wrong = Object.entries(counts).map(([what, count]) => differs(what, count, Number(last[what] ?? 0) + 1));
      return wrong.find((difference) => difference !== null) ?? null;
    },
  };
}

const read = (body: Buffer): Record<string, unknown> => JSON.parse(body.toString('utf8'));

const differs = (what: string, got: unknown, wanted: unknown): string | null =>
  got === wanted ? null : `${what} is ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`;
