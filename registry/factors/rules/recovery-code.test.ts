import { expect } from 'chai';
import { assert, property, uint8Array } from 'fast-check';
import { RECOVERY_CODE_BYTES, recoveryCodeOf, recoveryHash } from './recovery-code.ts';

const codes = uint8Array({ minLength: RECOVERY_CODE_BYTES, maxLength: RECOVERY_CODE_BYTES });

describe('recovery codes', () => {
  it('are four groups of digits and letters that cannot be mistaken for one another', () => {
    assert(
      property(codes, (random) => /^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/.test(recoveryCodeOf(random))),
    );
    expect(recoveryCodeOf(new Uint8Array(10))).to.equal('0000-0000-0000-0000');
    expect(recoveryCodeOf(new Uint8Array(10).fill(255))).to.equal('zzzz-zzzz-zzzz-zzzz');
    expect(() => recoveryCodeOf(new Uint8Array(9))).to.throw(TypeError);
  });

  it('differ wherever a bit differs', () => {
    assert(property(codes, codes, (a, b) => (recoveryCodeOf(a) === recoveryCodeOf(b)) === Buffer.from(a).equals(b)));
  });

  it('are known again however they are typed, and for their own account only', () => {
    const hash = recoveryHash('a', '0123-4567-89ab-cdef')!;
    for (const typed of ['0123456789ABCDEF', ' o1 23-4567 89ab cdef ', 'OI23-4567-89ab-cdef', 'oL23456789abcdef']) {
      expect(recoveryHash('a', typed), typed).to.deep.equal(hash);
    }
    expect(recoveryHash('b', '0123-4567-89ab-cdef')).not.to.deep.equal(hash);
  });

  it('are nothing else', () => {
    for (const text of ['', '0123-4567-89ab-cde', '0123-4567-89ab-cdeff', '0123-4567-89ab-cdeu', '\0'.repeat(16)]) {
      expect(recoveryHash('a', text), text).to.equal(null);
    }
  });
});
