import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { releaseFiles, tarOf } from '../../registry/test-registry.ts';
import { createLog } from '../log.ts';
import { type ScannerPorts, scanReleases } from './scan-releases.ts';

const onScanned = async () => {};

describe('scanReleases', () => {
  it('leaves a release to people that no host came to the end of', async () => {
    const finished: unknown[] = [];
    const waiting = [{ releaseId: 'r', attempt: 4, archive: Buffer.alloc(0), otherPlugins: [], report: null }];
    const scans: ScannerPorts['scans'] = {
      claim: async () => waiting.pop() ?? null,
      progress: async () => {},
      finish: async (releaseId, { verdict }) => finished.push({ releaseId, verdict }) > 0,
    };
    const observe = () => Promise.reject(new Error('it must not be run'));
    expect(await scanReleases({ scans, onScanned, observe, log: createLog('silent') })()).to.equal(1);
    expect(finished).to.deep.equal([{ releaseId: 'r', verdict: 'second-look' }]);
  });

  it('tells of a release once, whichever of two hosts that looked at it comes to its end first', async () => {
    const told: string[] = [];
    const ended = new Set<string>();
    const host = () => {
      const waiting = [{ releaseId: 'r', attempt: 4, archive: Buffer.alloc(0), otherPlugins: [], report: null }];
      const scans: ScannerPorts['scans'] = {
        claim: async () => waiting.pop() ?? null,
        progress: async () => {},
        finish: async (releaseId) => ended.size < ended.add(releaseId).size,
      };
      const observe = () => Promise.reject(new Error('it must not be run'));
      return scanReleases({ scans, observe, onScanned: async (id) => told.push(id), log: createLog('silent') });
    };
    await host()();
    await host()();
    expect(told).to.deep.equal(['r']);
  });

  it('runs a release while its code is read, and is never less far than it said', async () => {
    const waiting = [
      { releaseId: 'r', attempt: 1, archive: gzipSync(await tarOf(releaseFiles())), otherPlugins: [], report: null },
    ];
    const steps: string[] = [];
    const percents: number[] = [];
    const reports: unknown[] = [];
    const scans: ScannerPorts['scans'] = {
      claim: async () => waiting.pop() ?? null,
      progress: async (_releaseId, { stage, percent }) => {
        if (!steps.includes(stage)) steps.push(stage);
        percents.push(percent);
      },
      finish: async (_releaseId, { findings, dynamic }) =>
        reports.push({ families: findings.map(({ family }) => family), entries: dynamic?.entries }) > 0,
    };
    const read = Promise.withResolvers<void>();
    const observe: ScannerPorts['observe'] = async (_release, onProgress) => {
      steps.push('run');
      onProgress(50);
      await read.promise;
      onProgress(100);
      return { entries: 1, faults: 0, started: true, ...NOTHING_SEEN };
    };
    const scanned = scanReleases({ scans, onScanned, observe, log: createLog('silent') })();
    while (!steps.includes('running')) await new Promise((resolve) => setTimeout(resolve, 5));
    read.resolve();
    expect(await scanned).to.equal(1);
    expect(steps).to.deep.equal(['reading', 'run', 'static', 'running']);
    expect(percents).to.deep.equal(percents.toSorted((one, other) => one - other));
    expect(percents.at(-1)).to.equal(99);
    // The sample is a module, and bundles are scripts.
    expect(reports).to.deep.equal([{ families: ['incomplete'], entries: 1 }]);
  });
});

const NOTHING_SEEN = {
  skipped: 0,
  capabilities: [],
  hosts: [],
  undeclaredCapabilities: [],
  undeclaredHosts: [],
  unusedCapabilities: [],
  unusedHosts: [],
};
