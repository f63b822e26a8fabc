import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  consistencyRanges,
  inclusionRanges,
  placesOf,
  rangeHash,
} from '../../../registry/transparency/rules/prove-log.ts';
import {
  appendLeaf,
  emptyFrontier,
  frontierRoot,
  type KeyLink,
  keyIdOf,
  type LogProof,
  leafHash,
  type SignedTreeHead,
  signTreeHead,
} from '../../contract/index.ts';
import { ServerRefusal } from '../errors.ts';
import type { LogApi } from './look-at-log.ts';

/** A whole log in memory, honest unless a test makes it lie. */
export interface FakeLog extends LogApi {
  entries: string[];
  signingKey: KeyObject;
  clock: { nowMs: number };
  keys: KeyLink[];
  head(size?: number): SignedTreeHead;
  proof(index: number, size?: number): LogProof;
}

export const keyEntry = (label: string): string =>
  `{"at":"2030-01-01T00:00:00.000Z","event":"key.register","keyId":"${label}","publisher":"acme","v":1}`;

export function fakeLog(count: number, signingKey = generateKeyPairSync('ed25519').privateKey): FakeLog {
  const tree = (size: number) => {
    const frontier = emptyFrontier();
    const stored = new Map<string, Buffer>();
    for (const [index, entry] of fake.entries.slice(0, size).entries()) {
      stored.set(`0 ${index}`, leafHash(entry));
      appendLeaf(frontier, leafHash(entry), (level, position, hash) => stored.set(`${level} ${position}`, hash));
    }
    const path = (ranges: ReturnType<typeof inclusionRanges>) =>
      ranges.map((range) =>
        rangeHash(placesOf(range).map(({ level, position }) => stored.get(`${level} ${position}`)!)).toString('hex'),
      );
    return { root: frontierRoot(frontier).toString('hex'), path };
  };
  const fake: FakeLog = {
    entries: Array.from({ length: count }, (_, index) => keyEntry(String(index))),
    signingKey,
    keys: [],
    clock: { nowMs: Date.parse('2030-01-01T00:00:00Z') },
    head: (size = fake.entries.length) =>
      signTreeHead(
        { size, root: tree(size).root, signedAt: new Date(fake.clock.nowMs).toISOString() },
        fake.signingKey,
      ),
    proof: (index, size = fake.entries.length) => ({
      entry: fake.entries[index]!,
      index,
      path: tree(size).path(inclusionRanges(index, size)),
    }),
    transparency: async () => {
      const publicKey = createPublicKey(fake.signingKey as never);
      const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
      return { keyId: keyIdOf(publicKey), publicKeyPem, head: fake.head(), keys: fake.keys };
    },
    logEntries: async (from) => ({
      items: fake.entries.slice(from, from + 3).map((entry, offset) => ({ index: from + offset, entry })),
      nextCursor: null,
    }),
    logConsistency: async (from, to = fake.entries.length) => {
      if (to > fake.entries.length) {
        throw new ServerRefusal({ code: 'log-entry-unknown', status: 404, message: '', requestId: null, facts: {} });
      }
      return { from, to, path: tree(to).path(consistencyRanges(from, to)) };
    },
  };
  return fake;
}
