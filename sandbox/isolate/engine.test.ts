import { expect } from 'chai';
import { isSafeEngine } from './engine.ts';

describe('isSafeEngine', () => {
  it('refuses every version with a known escape, and what is no version', () => {
    for (const version of ['6.1.2', '7.0.0', '7.0.1-rc.1', '', 'latest']) expect(isSafeEngine(version)).to.equal(false);
    for (const version of ['7.0.1', '7.0.2', '7.1.0', '8.0.0', '10.0.0']) expect(isSafeEngine(version)).to.equal(true);
  });
});
