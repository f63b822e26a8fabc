import { expect } from 'chai';
import fc from 'fast-check';
import { base64Decode, base64Encode } from './base64.ts';
import { utf8Decode, utf8Encode, utf8Length } from './utf8.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
/** Texts with unpaired surrogates too. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const mostlyText = fc.oneof(text, fc.string({ unit: 'binary' }));

describe('utf8', () => {
  it('encodes every string as the platform does', () => {
    fc.assert(
      fc.property(mostlyText, (value) => {
        expect(Buffer.from(utf8Encode(value)).equals(Buffer.from(new TextEncoder().encode(value)))).to.equal(true);
        expect(utf8Length(value)).to.equal(Buffer.byteLength(value.toWellFormed()));
      }),
    );
  });

  it('decodes every run of bytes as the platform does, broken ones included', () => {
    const broken = fc.array(
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0xff),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          broken.map((list) => Uint8Array.from(list)),
        ),
        (value) => {
          expect(utf8Decode(value, false)).to.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(value));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('refuses exactly what the platform refuses when fatal', () => {
    const refuses = (decode: () => unknown) => {
      try {
        decode();
        return false;
      } catch {
        return true;
      }
    };
    fc.assert(
      fc.property(bytes, (value) => {
        const platform = refuses(() => new TextDecoder('utf-8', { fatal: true }).decode(value));
        expect(refuses(() => utf8Decode(value, true))).to.equal(platform);
      }),
    );
  });

  it('decodes a stream the same wherever it is cut', () => {
    fc.assert(
      fc.property(mostlyText, fc.nat(), (value, cut) => {
        const whole = utf8Encode(value);
        const at = whole.length === 0 ? 0 : cut % whole.length;
        const state = { tail: new Uint8Array(0) };
        const decoded = utf8Decode(whole.slice(0, at), false, state) + utf8Decode(whole.slice(at), false, state);
        expect(decoded).to.equal(value.toWellFormed());
      }),
    );
  });

  it('decodes texts longer than one chunk', () => {
    const long = 'aé€😀'.repeat(5_000);
    expect(utf8Decode(utf8Encode(long), true)).to.equal(long);
  });
});

describe('base64', () => {
  it('encodes and decodes as the platform does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10_000 }), (value) => {
        const encoded = base64Encode(value);
        expect(encoded).to.equal(Buffer.from(value).toString('base64'));
        expect(Buffer.from(base64Decode(encoded)!).equals(Buffer.from(value))).to.equal(true);
      }),
    );
  });

  it('forgives white space and missing padding', () => {
    expect(Buffer.from(base64Decode(' aGk\n')!).toString()).to.equal('hi');
  });

  for (const wrong of ['a', 'a===', 'ab=c', 'a_bc', 'abc==', 'é']) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      expect(base64Decode(wrong)).to.equal(null);
    });
  }
});
