import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../plugins-sdk/contract/index.ts';
import type { Outcome, Usage } from '../../sandbox/index.ts';
import { leftOf, withWait } from './queue-wait.ts';

const usage: Usage = {
  cpuMs: 1,
  wallMs: 7_000.5,
  turns: 1,
  hostCalls: 0,
  heapMiB: 1,
  externalMiB: 0,
  logBytes: 0,
  inputBytes: 1,
  outputBytes: 1,
  queuedMs: 0.25,
  executions: 1,
};

describe('a wait for a turn', () => {
  it('leaves an invocation what is left of its wall time, at least a millisecond', () => {
    expect(leftOf(DEFAULT_LIMITS, 3_000.2)).to.deep.equal({ ...DEFAULT_LIMITS, wallMs: 6_999 });
    expect(leftOf(DEFAULT_LIMITS, 10_000).wallMs).to.equal(1);
  });

  it('is part of the usage', () => {
    const { usage: whole } = withWait({ status: 'completed', output: '', usage }, DEFAULT_LIMITS, 3_000.1236);
    expect(whole).to.deep.equal({ ...usage, wallMs: 10_000.624, queuedMs: 3_000.374 });
  });

  it('is part of the wall limit that a fault speaks of, and of no other', () => {
    const fault = { code: 'wall-limit', message: 'x', limit: 'wallMs', allowed: 6_999, used: 7_000.5 } as const;
    const late = withWait({ status: 'faulted', fault, usage }, DEFAULT_LIMITS, 3_000);
    expect(late).to.have.property('fault').that.deep.equals({
      code: 'wall-limit',
      message: 'The invocation did not answer in time. wallMs: 10000 allowed, 10000.5 used, 3000 of them in the queue.',
      limit: 'wallMs',
      allowed: 10_000,
      used: 10_000.5,
    });
    const cpu: Outcome = { status: 'faulted', fault: { ...fault, code: 'cpu-limit', limit: 'cpuMs' }, usage };
    expect(withWait(cpu, DEFAULT_LIMITS, 3_000)).to.have.property('fault', cpu.fault);
  });
});
