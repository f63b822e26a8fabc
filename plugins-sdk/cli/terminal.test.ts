import { expect } from 'chai';
import fc from 'fast-check';
import { bytesText, columns, faultLines, fields, jsonText, oneLine, type Paint } from './terminal.ts';

const plain: Paint = (_style, text) => text;

describe('oneLine', () => {
  it('leaves nothing that could move a cursor, colour text, forge a line or reverse its direction', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be gone
        expect(oneLine(text)).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    ));
  it('removes whole escape sequences and keeps the words', () => {
    expect(oneLine('\u001b[31mred\u001b[0m and\r\n✔ forged')).to.equal('red and ✔ forged');
  });
  it('leaves ordinary text in every script alone', () => {
    expect(oneLine('Zoë 漢字 🙂 «x»')).to.equal('Zoë 漢字 🙂 «x»');
  });
});

describe('jsonText', () => {
  it('says the same as JSON, and nothing that a terminal acts upon', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const text = jsonText(value);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be gone
        expect(text).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(JSON.parse(text)).to.deep.equal({ ...value });
      }),
      { examples: [[{ x: 'C1 \u009b31m, reversed \u202e' }]] },
    ));
  it('is JSON where there is nothing to say', () => expect(jsonText(undefined)).to.equal('null'));
});

describe('columns', () => {
  it('lines up columns without borders and without spaces at the end', () => {
    expect(
      columns(
        plain,
        ['FILE', 'SIZE'],
        [
          ['bundle.js', '2 B'],
          ['a', '10 KiB'],
        ],
      ),
    ).to.equal('FILE       SIZE\nbundle.js  2 B\na          10 KiB');
  });
  it('shows a cell with line breaks on one line', () => {
    expect(columns(plain, ['A', 'B'], [['x\ny', 'z']]).split('\n')).to.have.length(2);
  });
});

describe('fields', () => {
  it('puts the values into one column', () => {
    expect(
      fields(plain, [
        ['id', '1'],
        ['digest', '2'],
      ]),
    ).to.equal('id      1\ndigest  2');
  });
});

describe('faultLines', () => {
  it('names the whole document where the pointer is empty', () => {
    expect(
      faultLines(plain, [
        { pointer: '', message: 'is not JSON' },
        { pointer: '/name', message: 'is required' },
      ]),
    ).to.deep.equal(['  (document): is not JSON', '  /name: is required']);
  });
});

describe('bytesText', () => {
  it('chooses the unit by size', () => {
    expect([1_023, 1_024, 1_048_576].map(bytesText)).to.deep.equal(['1023 B', '1.0 KiB', '1.0 MiB']);
  });
});
