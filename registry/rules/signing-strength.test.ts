import { expect } from 'chai';
import fc from 'fast-check';
import { RELEASE_PAYLOAD_TYPE } from '../../plugins-sdk/contract/index.ts';
import { type DatedKey, type SignedRelease, signingWeaknesses } from './signing-strength.ts';

const REGISTRY = 'registry';
const day = (number: number) => new Date(Date.UTC(2030, 0, number)).toISOString();
const key = (keyId: string, from: number, times: Partial<DatedKey> = {}): DatedKey => ({
  keyId,
  createdAt: day(from),
  revokedAt: null,
  retiresAt: null,
  compromisedSince: null,
  ...times,
});
const release = (version: string, signers: string[], provenance: object | null = null): SignedRelease => ({
  version,
  provenance,
  envelope: {
    payloadType: RELEASE_PAYLOAD_TYPE,
    signatures: [...signers, REGISTRY].map((keyid) => ({ keyid, sig: 'x' })),
  },
});
const kinds = (from: SignedRelease, to: SignedRelease, keys: DatedKey[]) =>
  signingWeaknesses(from, to, keys).map(({ kind }) => kind);

describe('signingWeaknesses', () => {
  it('finds nothing where the same key signed the same way', () => {
    expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['a']), [key('a', 1)])).to.deep.equal([]);
  });

  it('takes a key that came while the earlier one was good, however long the chain is', () => {
    const keys = [key('a', 1, { retiresAt: day(10) }), key('b', 5, { retiresAt: day(20) }), key('c', 15)];
    expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['b']), keys)).to.deep.equal([]);
    expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['c']), keys)).to.deep.equal([]);
  });

  it('refuses a key that came when no earlier one was good any more', () => {
    for (const end of ['revokedAt', 'retiresAt', 'compromisedSince']) {
      const keys = [key('a', 1, { [end]: day(10) }), key('b', 11)];
      expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['b']), keys), end).to.deep.equal(['signer-new']);
    }
    const [fault] = signingWeaknesses(release('1.0.0', ['a']), release('1.1.0', ['b']), [
      key('a', 1, { revokedAt: day(10) }),
      key('b', 11),
    ]);
    expect(fault!.message).to.equal(
      '1.1.0 is signed with the key b…, which was not there together with a key of 1.0.0: it did not come by a rotation.',
    );
  });

  it('counts from when a key was stolen, not from when that was noticed', () => {
    const keys = [key('a', 1, { compromisedSince: day(3), revokedAt: day(10) }), key('thief', 5)];
    expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['thief']), keys)).to.deep.equal(['signer-new']);
  });

  it('refuses signatures of nobody who is known', () => {
    expect(kinds(release('1.0.0', ['a']), release('1.1.0', ['unknown']), [key('a', 1)])).to.deep.equal(['signer-new']);
  });

  it('sees that provenance, signatures or the scheme are less than they were', () => {
    const keys = [key('a', 1), key('b', 1)];
    const strong = release('1.0.0', ['a', 'b'], { repository: 'https://example.com/shop' });
    expect(kinds(strong, release('1.1.0', ['a']), keys)).to.deep.equal(['provenance-gone', 'signatures-fewer']);
    const older = { ...release('1.1.0', ['a']), envelope: { ...strong.envelope, payloadType: 'text/plain' } };
    expect(kinds(strong, { ...older, provenance: {} }, keys)).to.deep.equal(['scheme-older']);
    expect(kinds(release('1.0.0', ['a']), strong, keys)).to.deep.equal([]);
  });

  it('never minds going from a release to itself, whatever became of its keys', () => {
    const days = fc.option(fc.integer({ min: 1, max: 28 }), { nil: null });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 28 }), days, days, (from, revoked, compromised) => {
        const times = {
          revokedAt: revoked === null ? null : day(revoked),
          compromisedSince: compromised === null ? null : day(compromised),
        };
        const same = release('1.0.0', ['a'], {});
        expect(kinds(same, same, [key('a', from, times)])).to.deep.equal([]);
      }),
    );
  });
});
