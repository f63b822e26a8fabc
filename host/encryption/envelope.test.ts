import { expect } from 'chai';
import fc from 'fast-check';
import { createEnvelope, type Place, SealBroken } from './envelope.ts';

const key = (fill: number) => Buffer.alloc(32, fill);
const PLACE: Place = { table: 'installation_secrets', row: 'i/API_KEY', column: 'sealed' };

describe('createEnvelope', () => {
  const envelope = createEnvelope(new Map([[1, key(1)]]));

  it('opens what it sealed, and shows nothing of it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        (text) => {
          const sealed = envelope.seal(PLACE, text);
          expect(envelope.open(PLACE, sealed)).to.equal(text);
          if (text.length > 3) expect(sealed.includes(text)).to.equal(false);
        },
      ),
    );
    expect(envelope.seal(PLACE, 'x').equals(envelope.seal(PLACE, 'x'))).to.equal(false);
  });

  it('opens a value nowhere but in its own place', () => {
    const sealed = envelope.seal(PLACE, 'value');
    for (const change of [
      { table: 'other' },
      { row: 'j/API_KEY' },
      { column: 'other' },
      { table: 'installation_secretsi', row: '/API_KEY' },
    ]) {
      expect(() => envelope.open({ ...PLACE, ...change }, sealed), JSON.stringify(change)).to.throw(SealBroken);
    }
  });

  it('notices every changed and every missing byte', () => {
    const sealed = envelope.seal(PLACE, 'value');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => envelope.open(PLACE, changed), `byte ${at}`).to.throw(SealBroken);
      expect(() => envelope.open(PLACE, sealed.subarray(0, at)), `length ${at}`).to.throw(SealBroken);
    }
  });

  it('seals with the newest key, opens with older ones, and wraps anew without touching the value', () => {
    const sealed = envelope.seal(PLACE, 'value');
    const both = createEnvelope(
      new Map([
        [1, key(1)],
        [2, key(2)],
      ]),
    );
    const newest = createEnvelope(new Map([[2, key(2)]]));
    expect(both.open(PLACE, sealed)).to.equal('value');
    expect(both.isOld(sealed)).to.equal(true);
    const rewrapped = both.rewrap(PLACE, sealed);
    expect(both.isOld(rewrapped)).to.equal(false);
    expect(newest.open(PLACE, rewrapped)).to.equal('value');
    expect(rewrapped.subarray(65).equals(sealed.subarray(65))).to.equal(true);
    expect(() => newest.open(PLACE, sealed)).to.throw(SealBroken, 'version 1 is not configured');
  });

  it('opens nothing with another key of the same version', () => {
    const other = createEnvelope(new Map([[1, key(9)]]));
    expect(() => other.open(PLACE, envelope.seal(PLACE, 'value'))).to.throw(SealBroken);
  });
});
