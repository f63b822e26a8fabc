import { expect } from 'chai';
import { cryptoCostMs } from './crypto-cost.ts';

describe('The tariff of crypto.subtle', () => {
  it('grows with bytes', () => {
    const digest = (bytes: number) => cryptoCostMs({ algorithm: 'SHA-256', operation: 'digest', bytes });
    expect(digest(1024 * 1024)).to.be.above(10 * digest(0));
  });

  it('counts every block that a password is stretched to', () => {
    const derive = (bits: number, hash: string) =>
      cryptoCostMs({ algorithm: 'PBKDF2', operation: 'derive', bytes: 0, iterations: 10_000, bits, hash });
    expect(derive(65_536, 'SHA-1')).to.be.above(400 * derive(160, 'SHA-1') * 0.9);
    expect(derive(512, 'SHA-512')).to.equal(derive(8, 'SHA-512'));
  });

  it('asks more for signing with RSA than for checking, and for larger curves', () => {
    const cost = (algorithm: string, operation: 'sign' | 'verify', namedCurve?: string) =>
      cryptoCostMs({ algorithm, operation, bytes: 0, ...(namedCurve && { namedCurve }) });
    expect(cost('RSA-PSS', 'sign')).to.be.above(cost('RSA-PSS', 'verify'));
    expect(cost('ECDSA', 'verify', 'P-521')).to.be.above(cost('ECDSA', 'verify', 'P-256'));
    expect(cost('HMAC', 'sign')).to.be.below(cost('Ed25519', 'sign'));
  });

  it('knows no curve of anything but ECDSA, and takes one that is not named for the largest', () => {
    const cost = (algorithm: string, operation: 'sign' | 'import', namedCurve?: string) =>
      cryptoCostMs({ algorithm, operation, bytes: 0, ...(namedCurve && { namedCurve }) });
    expect(cost('RSA-PSS', 'sign', 'P-256')).to.equal(cost('RSA-PSS', 'sign'));
    expect(cost('ECDSA', 'sign')).to.equal(cost('ECDSA', 'sign', 'P-521'));
    expect(cost('ECDSA', 'import', 'P-521')).to.be.above(4 * cost('ECDSA', 'import', 'P-256'));
  });
});
