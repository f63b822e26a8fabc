import { expect } from 'chai';
import { CliError } from './errors.ts';
import { periodText, readDelay, readOverlap, readPeriod } from './read-period.ts';

describe('readPeriod', () => {
  it('reads seconds, minutes, hours and days, and says them again', () => {
    expect(['45s', '30m', '2h', '3d'].map((text) => readPeriod('--every', text))).to.deep.equal([
      45, 1_800, 7_200, 259_200,
    ]);
    for (const text of ['45s', '30m', '36h', '3d']) expect(periodText(readPeriod('--every', text))).to.equal(text);
    expect(readDelay('0')).to.equal(0);
    expect(readDelay('365d')).to.equal(31_536_000);
  });

  it('refuses what is no time, or too short or long', () => {
    for (const text of ['', '3', 'soon', '-1d', '1.5h', '31d', '0s', '3 d', '99999999d']) {
      expect(() => readPeriod('--every', text), text).to.throw(CliError, '--every is a time such as 30m');
    }
    expect(() => readPeriod('--every', '59s', { minSeconds: 60 })).to.throw(CliError, 'at least 1m, at most 30d');
    expect(() => readDelay('366d')).to.throw(CliError, 'at most 365d');
  });
});

describe('readOverlap', () => {
  it('takes no slip for nought, which ends what is old at once', () => {
    const read = readOverlap('days', 90);
    expect(['0', '7', '0.5', '90'].map(read)).to.deep.equal([0, 7, 0.5, 90]);
    for (const slip of ['', ' ', 'abc', '-1', '91', '30d', '1e9']) {
      expect(() => read(slip), slip)
        .to.throw('--overlap is a number of days from 0 to 90')
        .with.property('code', 'usage');
    }
  });
});
