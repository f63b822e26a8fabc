import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { capabilityGuide } from './capability-guide.ts';
import { CAPABILITIES } from './contract/index.ts';

describe('docs/capabilities.md', () => {
  it('is what the contract says; write it again with `node plugins-sdk/capability-guide.ts > docs/capabilities.md`', () => {
    const written = readFileSync(new URL('../docs/capabilities.md', import.meta.url), 'utf8');
    expect(written).to.equal(capabilityGuide());
  });

  it('names every call and every code of every capability', () => {
    const text = capabilityGuide();
    for (const { calls, refusals } of Object.values(CAPABILITIES)) {
      for (const name of [...Object.keys(calls), ...Object.keys(refusals)]) expect(text).to.include(`\`${name}\``);
    }
  });
});
