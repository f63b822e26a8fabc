import { expect } from 'chai';
import type { Outcome, Usage } from '../../sandbox/index.ts';
import { type ReleaseSum, releaseMeter } from './release-meter.ts';

const usage = (wallMs: number): Usage => ({
  ...{ cpuMs: 1, wallMs, turns: 1, hostCalls: 0, heapMiB: 1, externalMiB: 0, logBytes: 0, inputBytes: 0 },
  ...{ outputBytes: 0, queuedMs: 0, executions: 1 },
});
const completed = (wallMs: number): Outcome => ({ status: 'completed', output: '', usage: usage(wallMs) });
const faulted: Outcome = { status: 'faulted', fault: { code: 'plugin-threw', message: '' }, usage: usage(9) };

describe('releaseMeter', () => {
  it('adds up each release of an installation apart, and durations of what was answered only', async () => {
    const written: ReleaseSum[][] = [];
    const meter = releaseMeter({ add: async (sums) => void written.push(structuredClone(sums)) }, () => 0);
    const stable = { id: 'a', releaseId: 'r1' };
    meter.add(stable, completed(0.1));
    meter.add(stable, completed(0.3));
    meter.add(stable, faulted);
    meter.add({ ...stable, releaseId: 'r2' }, completed(0.1));
    await meter.flush();
    await meter.flush();
    expect(written).to.deep.equal([
      [
        { installationId: 'a', releaseId: 'r1', invocations: 3, faults: 1, durations: [1, 0, 1] },
        { installationId: 'a', releaseId: 'r2', invocations: 1, faults: 0, durations: [1] },
      ],
    ]);
  });

  it('keeps what could not be written, beside what came meanwhile', async () => {
    const written: ReleaseSum[][] = [];
    let down = true;
    const add = async (sums: ReleaseSum[]) => {
      if (down) throw new Error('down');
      written.push(sums);
    };
    const meter = releaseMeter({ add }, () => 0);
    const stable = { id: 'a', releaseId: 'r1' };
    meter.add(stable, completed(0.3));
    const failing = meter.flush().catch((error: Error) => error.message);
    meter.add(stable, completed(0.1));
    expect(await failing).to.equal('down');
    down = false;
    await meter.flush();
    expect(written).to.deep.equal([
      [{ installationId: 'a', releaseId: 'r1', invocations: 2, faults: 0, durations: [1, 0, 1] }],
    ]);
  });
});
