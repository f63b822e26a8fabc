import { expect } from 'chai';
import type { Outdated } from '../../../host/installations/contract.ts';
import { isOutdated, outdatedText } from './outdated.ts';

const plain = (_style: unknown, text: string) => text;
const current: Outdated = {
  installation: { id: '01a20090-3512-7440-8d4b-4b94073e6401', slug: 'shop', plugin: 'acme/shop' },
  version: '1.0.0',
  releaseState: 'published',
  deprecated: null,
  updates: { follows: '^1', waiting: null, canary: null } as Outdated['updates'],
  inRange: '1.0.0',
  latest: '1.0.0',
  held: null,
};

describe('gate outdated', () => {
  it('leaves out what runs the newest release, and nothing that somebody might want to act on', () => {
    expect(isOutdated(current)).to.equal(false);
    for (const change of [
      { latest: '2.0.0' },
      { inRange: '1.1.0' },
      { releaseState: 'yanked' },
      { deprecated: { reason: 'It counts wrong.', replacement: null } },
    ])
      expect(isOutdated({ ...current, ...change }), JSON.stringify(change)).to.equal(true);
  });

  it('says that what runs is deprecated, why, and what to take instead', () => {
    const deprecated = { reason: 'It counts\u001b[2J wrong.', replacement: '1.1.0' };
    const text = outdatedText(plain, [{ ...current, deprecated }]);
    expect(text).to.match(/1\.0\.0 \(deprecated\) +\^1 +1\.0\.0 +1\.0\.0 +It counts.*wrong\. Take 1\.1\.0\.$/);
    expect(text).not.to.include('\u001b');
    const yanked = outdatedText(plain, [{ ...current, releaseState: 'yanked', deprecated: null }]);
    expect(yanked).to.include('1.0.0 (yanked)').and.not.include('deprecated');
  });
});
