import { expect } from 'chai';
import { CliError } from '../errors.ts';
import { readChecks, readReason } from './review.ts';

describe('gate review', () => {
  it('reads reasons with the places that show them', () => {
    expect(readReason('obfuscated-code: It evaluates text. @bundle.js:12 @src/a b.ts')).to.deep.equal({
      code: 'obfuscated-code',
      message: 'It evaluates text. @bundle.js:12 @src/a b.ts',
    });
    expect(readReason('obfuscated-code: It evaluates text. @bundle.js:12 @README.md')).to.deep.equal({
      code: 'obfuscated-code',
      message: 'It evaluates text.',
      evidence: [{ file: 'bundle.js', line: 12 }, { file: 'README.md' }],
    });
    expect(readReason('other: Ask a@b.example')).to.deep.equal({ code: 'other', message: 'Ask a@b.example' });
    for (const text of ['no code', 'Other: x', 'other:', '']) expect(() => readReason(text), text).to.throw(CliError);
  });

  it('reads what was checked', () => {
    expect(readChecks(['code=fine', 'hosts=fault Why a bank?'])).to.deep.equal({
      code: { verdict: 'fine' },
      hosts: { verdict: 'fault', note: 'Why a bank?' },
    });
    expect(() => readChecks(['code'])).to.throw(CliError);
  });
});
