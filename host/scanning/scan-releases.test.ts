import { expect } from 'chai';
import { createLog } from '../log.ts';
import { type ScannerPorts, scanReleases } from './scan-releases.ts';

describe('scanReleases', () => {
  it('leaves a release to people that no host came to the end of', async () => {
    const finished: unknown[] = [];
    const waiting = [{ releaseId: 'r', attempt: 4, archive: Buffer.alloc(0), otherPlugins: [], report: null }];
    const scans: ScannerPorts['scans'] = {
      claim: async () => waiting.pop() ?? null,
      progress: async () => {},
      finish: async (releaseId, { verdict }) => void finished.push({ releaseId, verdict }),
    };
    const observe = () => Promise.reject(new Error('it must not be run'));
    expect(await scanReleases({ scans, observe, log: createLog('silent') })()).to.equal(1);
    expect(finished).to.deep.equal([{ releaseId: 'r', verdict: 'second-look' }]);
  });
});
