import { expect } from 'chai';
import { brokenLimit, limitFault, turnTimeoutMs } from './limits.ts';

describe('turnTimeoutMs', () => {
  it('is the wall time that is left where that is less than twice the CPU budget and 50 ms', () => {
    expect(turnTimeoutMs(50, 10_000, 1)).to.equal(150);
    expect(turnTimeoutMs(50, 80.2, 1)).to.equal(81);
  });

  it('is never 0, which would mean none', () => {
    expect(turnTimeoutMs(-5, 0, 1)).to.equal(1);
    expect(turnTimeoutMs(50, -3, 1)).to.equal(1);
  });

  it('grows with each execution that a busy machine made in vain', () => {
    expect(turnTimeoutMs(50, 10_000, 2)).to.equal(600);
    expect(turnTimeoutMs(50, 1_000, 3)).to.equal(1_000);
  });

  it('stops growing, so that a spinning turn does not keep its lane until its wall deadline', () => {
    expect(turnTimeoutMs(50, 10_000, 9)).to.equal(2_400);
  });
});

describe('brokenLimit', () => {
  it('blames a plugin for CPU that it used, or for the wall clock, and for nothing else', () => {
    expect(brokenLimit({ cpuMs: 51, cpuMsMax: 50, wallLeftMs: 10 })).to.equal('cpu-limit');
    expect(brokenLimit({ cpuMs: 20, cpuMsMax: 50, wallLeftMs: 0 })).to.equal('wall-limit');
    expect(brokenLimit({ cpuMs: 20, cpuMsMax: 50, wallLeftMs: 10 })).to.equal(null);
  });
});

describe('limitFault', () => {
  it('says which limit, what was allowed and what was used', () => {
    expect(limitFault('cpu-limit', 'cpuMs', 50, 61.23456, 'kv.get')).to.deep.equal({
      code: 'cpu-limit',
      message: 'The invocation used more CPU time than its limit. cpuMs: 50 allowed, 61.235 used.',
      limit: 'cpuMs',
      allowed: 50,
      used: 61.235,
      lastHostCall: 'kv.get',
    });
  });

  it('leaves out what is not known', () => {
    expect(limitFault('heap-limit', 'heapMiB', 32)).to.not.have.any.keys('used', 'lastHostCall');
  });
});
