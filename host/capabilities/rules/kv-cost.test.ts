import { expect } from 'chai';
import { kvReadCostMs } from './kv-cost.ts';

describe('The tariff of reading from kv', () => {
  it('grows with every KiB, and begins with the first', () => {
    expect([0, 1_023].map(kvReadCostMs)).to.deep.equal([0, 0]);
    expect(kvReadCostMs(2_048))
      .to.equal(2 * kvReadCostMs(1_024))
      .and.to.be.above(0);
    expect(kvReadCostMs(2 ** 20)).to.equal(3);
  });
});
