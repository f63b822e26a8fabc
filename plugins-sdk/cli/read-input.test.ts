import { Readable } from 'node:stream';
import { expect } from 'chai';
import { readInput } from './read-input.ts';

describe('readInput', () => {
  const read = (...chunks: Buffer[]) => readInput(Readable.from(chunks));

  it('puts together what comes in pieces, wherever they are cut', async () => {
    const bytes = Buffer.from('\ufeffpäss 🎮\n');
    expect(await read(...Array.from(bytes, (byte) => Buffer.from([byte])))).to.equal('päss 🎮\n');
    expect(await read()).to.equal('');
  });

  it('refuses text of another encoding, which would be stored as something else', async () => {
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const refused = await read(Buffer.from('päss', encoding)).catch((error) => error);
      expect(refused.code, encoding).to.equal('usage');
      expect(refused.message).to.include('UTF-8');
    }
  });
});
