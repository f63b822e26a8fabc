import { expect } from 'chai';
import fc from 'fast-check';
import type { WireBody } from './invocation.ts';
import { BODY_FOLLOWS_FROM_UNITS, bodyApart, plainWireText, readWireText } from './wire-text.ts';

const LONG = 'x'.repeat(BODY_FOLLOWS_FROM_UNITS);
const write = (response: WireBody): string => {
  const { carrier, following } = bodyApart(response);
  return JSON.stringify({ kind: 'http', response: carrier }) + following;
};

describe('the text of a message', () => {
  it('is plain JSON where the body is short, and ends with the body where it is long', () => {
    const short: WireBody = { body: 'a\nb', bodyEncoding: 'utf8' };
    expect(write(short)).to.equal(JSON.stringify({ kind: 'http', response: short }));
    const long: WireBody = { body: `${LONG}"\n"`, bodyEncoding: 'utf8' };
    expect(write(long).split('\n')[0]).to.equal('{"kind":"http","response":{"body":null,"bodyEncoding":"utf8"}}');
    expect(write(long).endsWith(`\n${LONG}"\n"`)).to.equal(true);
    expect(long.body).to.not.equal(null);
  });

  it('reads as what was written, whatever the body, and is the same as plain JSON', () => {
    const bodies = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((text) => LONG + text),
    );
    fc.assert(
      fc.property(fc.option(bodies), fc.constantFrom('utf8' as const, 'base64' as const), (body, bodyEncoding) => {
        const response: WireBody = { body, bodyEncoding };
        const text = write(response);
        expect(readWireText(text)).to.deep.equal({ kind: 'http', response });
        expect(plainWireText(text)).to.equal(JSON.stringify({ kind: 'http', response }));
      }),
    );
  });

  it('is refused where a body follows what carries none, or has one already', () => {
    for (const head of ['{}', 'null', '1', '{"response":null}', '{"response":{"body":"a"}}', '{"response":{}}', '{']) {
      expect(() => readWireText(`${head}\nbody`), head).to.throw();
      expect(plainWireText(`${head}\nbody`)).to.equal(`${head}\nbody`);
    }
  });
});
