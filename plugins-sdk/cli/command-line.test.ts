import { expect } from 'chai';
import { errorText } from './command-line.ts';
import { ServerRefusal } from './errors.ts';

describe('errorText', () => {
  const plain = (_style: unknown, text: string) => text;
  const refusal = (message: string, facts: Record<string, unknown>) =>
    new ServerRefusal({ code: 'scan-unacknowledged', status: 409, message, requestId: 'r-1', facts });

  it('says what is wrong, every fault, what can be done, and which request it was', () => {
    const faults = [{ pointer: '/slug', message: 'must be shorter' }];
    expect(errorText(refusal('It is wrong.', { faults, advice: 'Do it again.' }), plain as never)).to.equal(
      [
        '✖ It is wrong. (scan-unacknowledged)',
        '  /slug: must be shorter',
        '  Do it again.',
        '  request r-1, status 409',
      ].join('\n'),
    );
  });

  it('says nothing twice, and nothing that plays tricks on a terminal', () => {
    expect(errorText(refusal('It is wrong. Do it again.', { advice: 'Do it again.' }), plain as never)).to.not.match(
      /again\.[\s\S]*again\./,
    );
    const reasons = ['Because a requires b.', 'Because c requires b.'];
    expect(errorText(refusal(reasons.join('\n'), { reasons }), plain as never).split('\n')).to.have.length(2);
    expect(errorText(refusal('No.', { reasons }), plain as never)).to.include(`\n  ${reasons.join('\n  ')}\n`);
    expect(errorText(refusal('No.', { advice: '\u001b[2Jgone' }), plain as never)).to.not.contain('\u001b');
  });
});
