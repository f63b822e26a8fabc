import { expect } from 'chai';
import { chacha20Block } from './chacha20.ts';
import { RandomStream } from './random-stream.ts';

const words = (hex: string) => {
  const bytes = Buffer.from(hex, 'hex');
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(at * 4));
};
const hexOf = (block: Uint32Array) => {
  const bytes = Buffer.alloc(64);
  block.forEach((word, at) => {
    bytes.writeUInt32LE(word, at * 4);
  });
  return bytes.toString('hex');
};

describe('chacha20Block', () => {
  it('gives the block of RFC 8439, section 2.3.2', () => {
    const key = words('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    const block = chacha20Block(key, 1, words('000000090000004a00000000'));
    expect(hexOf(block)).to.equal(
      '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
        'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
    );
  });
});

describe('RandomStream', () => {
  it('is the key stream of its seed from block 0 on (RFC 8439, A.1, vectors 1 and 2)', () => {
    const bytes = new Uint8Array(128);
    new RandomStream('00'.repeat(32)).fill(bytes, 128);
    expect(Buffer.from(bytes).toString('hex')).to.equal(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
        '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    );
  });

  it('reads every hex digit of the seed', () => {
    const first = (seed: string) => new RandomStream(seed).nextDouble();
    const seeds = Array.from({ length: 64 }, (_, at) => `${'0'.repeat(at)}f${'0'.repeat(63 - at)}`);
    expect(new Set(seeds.map(first)).size).to.equal(64);
  });

  it('gives doubles in [0, 1) whose mean is near one half', () => {
    const stream = new RandomStream('ab'.repeat(32));
    const doubles = Array.from({ length: 10_000 }, () => stream.nextDouble());
    expect(Math.min(...doubles)).to.be.at.least(0);
    expect(Math.max(...doubles)).to.be.below(1);
    expect(doubles.reduce((sum, value) => sum + value) / 10_000).to.be.closeTo(0.5, 0.02);
  });
});
