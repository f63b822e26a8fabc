import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { hmacSha256, sameBytes, sha256 } from './sha256.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const platformDigest = (value: Uint8Array) => createHash('sha256').update(value).digest('hex');

describe('SHA-256 in the isolate', () => {
  it('digests as the platform does', () => {
    fc.assert(fc.property(bytes, (value) => hex(sha256(value)) === platformDigest(value)));
    const long = new Uint8Array(100_000).fill(7);
    expect(hex(sha256(long))).to.equal(platformDigest(long));
  });

  it('signs as the platform does, with keys longer than a block too', () => {
    const signed = (key: Uint8Array, value: Uint8Array) => createHmac('sha256', key).update(value).digest('hex');
    fc.assert(fc.property(bytes, bytes, (key, value) => hex(hmacSha256(key, value)) === signed(key, value)));
  });

  it('tells equal bytes from others', () => {
    fc.assert(fc.property(bytes, bytes, (one, other) => sameBytes(one, other) === (hex(one) === hex(other))));
    expect(sameBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).to.equal(true);
  });
});
