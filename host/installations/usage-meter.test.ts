import { expect } from 'chai';
import type { Outcome, Usage } from '../../sandbox/index.ts';
import { usageMeter } from './usage-meter.ts';
import type { RefusalSum, UsageSum } from './usage-store.ts';

const usage: Usage = {
  cpuMs: 2,
  wallMs: 3,
  turns: 1,
  hostCalls: 4,
  heapMiB: 5,
  externalMiB: 3,
  logBytes: 0,
  inputBytes: 6,
  outputBytes: 7,
  queuedMs: 2,
  executions: 1,
};
const completed: Outcome = { status: 'completed', output: '', usage };
const faulted: Outcome = { status: 'faulted', fault: { code: 'plugin-threw', message: '' }, usage };

describe('usageMeter', () => {
  it('adds up per installation and writes each sum once', async () => {
    const written: UsageSum[][] = [];
    const meter = usageMeter({ add: async (sums) => void written.push(structuredClone(sums)) }, () => 0);
    meter.add('a', completed, 10);
    meter.add('a', { ...faulted, usage: { ...usage, heapMiB: 9 } }, 20);
    meter.add('b', completed, 0);
    await meter.flush();
    await meter.flush();
    const sum = { cpuMs: 4, wallMs: 6, turns: 2, hostCalls: 8, inputBytes: 12, outputBytes: 14, executions: 2 };
    const more = { queuedMs: 4, logBytes: 30, heapMiBMax: 9, externalMiBMax: 3, startupCpuMs: 0 };
    expect(written).to.have.length(1);
    expect(written[0]![0]).to.deep.equal({ installationId: 'a', invocations: 2, faults: 1, ...sum, ...more });
    expect(written[0]![1]).to.include({ installationId: 'b', invocations: 1, faults: 0 });
  });

  it('bills start-ups apart, turns after the end as CPU time, and what was executed in vain to nobody', async () => {
    const written: UsageSum[] = [];
    const meter = usageMeter({ add: async (sums) => void written.push(...sums) }, () => 0);
    const extra = { installationId: 'a', digest: 'd' };
    meter.addExtra({ ...extra, why: 'start-up', cpuMs: 8 });
    meter.addExtra({ ...extra, why: 'start-up', cpuMs: 2 });
    meter.addExtra({ ...extra, why: 'after-end', cpuMs: 0.5 });
    meter.addExtra({ ...extra, why: 'repeated', cpuMs: 100 });
    meter.add('a', completed, 0);
    await meter.flush();
    expect(written).to.have.length(1);
    expect(written[0]).to.include({ invocations: 1, cpuMs: 2.5, startupCpuMs: 10 });
  });

  it('counts what was refused by code, apart from what ran', async () => {
    const written: [UsageSum[], RefusalSum[]][] = [];
    const meter = usageMeter({ add: async (sums, refusals) => void written.push([sums, refusals]) }, () => 0);
    meter.refuse('a', 'cpu-budget-exhausted');
    meter.refuse('a', 'cpu-budget-exhausted');
    meter.refuse('a', 'installation-saturated');
    await meter.flush();
    expect(written).to.deep.equal([
      [
        [],
        [
          { installationId: 'a', code: 'cpu-budget-exhausted', invocations: 2 },
          { installationId: 'a', code: 'installation-saturated', invocations: 1 },
        ],
      ],
    ]);
  });

  it('keeps what could not be written for the next time', async () => {
    let fails = true;
    const written: [UsageSum[], RefusalSum[]][] = [];
    const meter = usageMeter(
      {
        add: async (...rows) => {
          if (fails) throw new Error('down');
          written.push([rows[0], rows[1]]);
        },
      },
      () => 0,
    );
    meter.add('a', { ...completed, usage: { ...usage, heapMiB: 9 } }, 1);
    meter.refuse('a', 'sandbox-saturated');
    await meter.flush().then(
      () => expect.fail('resolved'),
      () => {},
    );
    fails = false;
    meter.add('a', completed, 1);
    meter.refuse('a', 'sandbox-saturated');
    await meter.flush();
    expect(written).to.have.length(1);
    const [[sums, refusals]] = written as [[UsageSum[], RefusalSum[]]];
    expect(sums).to.have.length(1);
    expect(sums[0]).to.include({ invocations: 2, cpuMs: 4, logBytes: 2, heapMiBMax: 9 });
    expect(refusals).to.deep.equal([{ installationId: 'a', code: 'sandbox-saturated', invocations: 2 }]);
  });
});
