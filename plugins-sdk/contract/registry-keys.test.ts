import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { type KeyLink, keyOfTime, signKeyLink, trustedKeys } from './registry-keys.ts';
import { keyIdOf } from './release.ts';

const DAYS = ['2030-01-01T00:00:00.000Z', '2030-01-08T00:00:00.000Z', '2031-01-01T00:00:00.000Z'] as const;
const made = () => generateKeyPairSync('ed25519').privateKey;
const open = (key: KeyObject) => createPublicKey(key as never);
const idOf = (key: KeyObject) => keyIdOf(open(key));

describe('the keys of a registry', () => {
  const [first, second, third] = [made(), made(), made()];
  const links: KeyLink[] = [
    signKeyLink(first, second, { at: DAYS[0], retiresAt: DAYS[1] }),
    signKeyLink(second, third, { at: DAYS[2], retiresAt: DAYS[2] }),
  ];
  const all = [first, second, third].map(idOf);
  const ids = (trusted: KeyObject, given: KeyLink[]) => trustedKeys(open(trusted), given).map(({ keyId }) => keyId);

  it('follow from whichever of them is trusted, forward and back, in whatever order the links come', () => {
    for (const trusted of [first, second, third]) {
      expect(ids(trusted, links)).to.deep.equal(all);
      expect(ids(trusted, links.toReversed())).to.deep.equal(all);
    }
    expect(ids(first, [])).to.deep.equal([all[0]]);
  });

  it('sign in their time, which overlaps as far as was said', () => {
    const keys = trustedKeys(open(first), links);
    const good = (key: KeyObject, at: string) => keyOfTime(keys, idOf(key), at) !== null;
    expect([good(first, '2029-01-01T00:00:00Z'), good(second, '2029-01-01T00:00:00Z')]).to.deep.equal([true, false]);
    expect([good(first, '2030-01-03T00:00:00Z'), good(second, '2030-01-03T00:00:00Z')]).to.deep.equal([true, true]);
    expect([good(first, DAYS[1]), good(second, DAYS[1]), good(third, DAYS[1])]).to.deep.equal([false, true, false]);
    expect([good(second, DAYS[2]), good(third, DAYS[2])]).to.deep.equal([false, true]);
    expect(keyOfTime(keys, 'x', DAYS[0])).to.equal(null);
    expect(keyOfTime(keys, idOf(first), 'never')).to.equal(null);
  });

  it('do not follow where one side did not sign, or anything was changed', () => {
    const [link] = links as [KeyLink, KeyLink];
    const thief = made();
    const forged = signKeyLink(thief, second, { at: DAYS[0], retiresAt: DAYS[1] });
    for (const bad of [
      { ...link, signatures: { from: forged.signatures.from, to: link.signatures.to } },
      { ...link, signatures: { from: link.signatures.from, to: link.signatures.from } },
      { ...link, to: forged.from },
      { ...link, retiresAt: DAYS[2] },
      { ...link, at: DAYS[2], retiresAt: DAYS[0] },
      { ...link, version: 2 },
      { ...link, from: 'no key' },
      null,
      {},
    ]) {
      expect(ids(first, [bad as KeyLink]), JSON.stringify(bad)).to.deep.equal([idOf(first)]);
    }
    expect(ids(first, 'none' as never)).to.deep.equal([idOf(first)]);
  });

  it('end where one key has named two successors, and where links go round', () => {
    const fork = signKeyLink(first, made(), { at: DAYS[0], retiresAt: DAYS[1] });
    expect(ids(first, [...links, fork])).to.deep.equal([all[0]]);
    expect(ids(third, [...links, fork]), 'back from the newest it is clear').to.deep.equal(all);
    const round = signKeyLink(third, first, { at: DAYS[2], retiresAt: DAYS[2] });
    expect(ids(second, [...links, round]).toSorted()).to.deep.equal(all.toSorted());
  });
});
