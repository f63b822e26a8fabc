import { expect } from 'chai';
import fc from 'fast-check';
import { GUEST_OPS, type GuestRecord, readRecords } from './turns.ts';

const written = ({ op, id, seq, name, payload }: GuestRecord): string =>
  `${op} ${id} ${seq === 0 ? '-' : seq} ${name} ${payload.length}\n${payload}`;
const word = fc.stringMatching(/^[A-Za-z0-9:._-]{1,20}$/);
const record = fc.record({
  op: fc.constantFrom(...GUEST_OPS),
  id: word,
  seq: fc.nat(),
  name: word,
  payload: fc.string({ unit: 'grapheme' }),
});

describe('readRecords', () => {
  it('reads what the guest writes, payloads that look like records included', () => {
    const looksAlike = record.map((inner) => ({ ...inner, payload: written(inner) }));
    fc.assert(
      fc.property(fc.array(fc.oneof(record, looksAlike), { maxLength: 8 }), (records) => {
        expect(readRecords(records.map(written).join(''))).to.deep.equal(records);
      }),
    );
  });

  it('throws on text that no guest writes', () => {
    const malformed = [
      'x',
      '\n',
      'done',
      'done a - -\n',
      'done a - - \n',
      'done a - - 1\n',
      'done a - - -1\n',
      'done a - - 1.5\nxx',
      'done a - - x\n',
      'done  - - 0\n',
      'done a -  0\n',
      'DONE a - - 0\n',
      'don a - - 0\n',
      'donex a - - 0\n',
      ' a - - 0\n',
      'done a\n- - 0\n',
      'done a - - 0\nrest',
      'done a - - 0',
    ];
    for (const text of malformed) expect(() => readRecords(text), JSON.stringify(text)).to.throw('malformed');
  });
});
