import { expect } from 'chai';
import type { Outcome, Usage } from '../../sandbox/index.ts';
import { usageMeter } from './usage-meter.ts';
import type { UsageSum } from './usage-store.ts';

const usage: Usage = {
  cpuMs: 2,
  wallMs: 3,
  turns: 1,
  hostCalls: 4,
  heapMiB: 5,
  inputBytes: 6,
  outputBytes: 7,
  queuedMs: 0,
  executions: 1,
};
const completed: Outcome = { status: 'completed', output: '', usage };
const faulted: Outcome = { status: 'faulted', fault: { code: 'plugin-threw', message: '' }, usage };

describe('usageMeter', () => {
  it('adds up per installation and writes each sum once', async () => {
    const written: UsageSum[][] = [];
    const meter = usageMeter({ add: async (sums) => void written.push(structuredClone(sums)) }, () => 0);
    meter.add('a', completed);
    meter.add('a', faulted);
    meter.add('b', completed);
    await meter.flush();
    await meter.flush();
    const sum = { cpuMs: 4, wallMs: 6, turns: 2, hostCalls: 8, inputBytes: 12, outputBytes: 14, executions: 2 };
    expect(written).to.have.length(1);
    expect(written[0]![0]).to.deep.equal({ installationId: 'a', invocations: 2, faults: 1, ...sum });
    expect(written[0]![1]).to.include({ installationId: 'b', invocations: 1, faults: 0 });
  });

  it('keeps what could not be written for the next time', async () => {
    let fails = true;
    const written: UsageSum[] = [];
    const meter = usageMeter(
      {
        add: async (sums) => {
          if (fails) throw new Error('down');
          written.push(...sums);
        },
      },
      () => 0,
    );
    meter.add('a', completed);
    await meter.flush().then(
      () => expect.fail('resolved'),
      () => {},
    );
    fails = false;
    meter.add('a', completed);
    await meter.flush();
    expect(written).to.have.length(1);
    expect(written[0]).to.include({ invocations: 2, cpuMs: 4 });
  });
});
