import { expect } from 'chai';
import { createLanePace } from './lane-pace.ts';

describe('createLanePace', () => {
  const MANY_CORES = 8;
  const paceOn = (cores: number, ...cpuMs: number[]) => {
    const pace = createLanePace(cores);
    for (const cost of cpuMs) pace.heard(0, cost);
    return pace;
  };
  const paceAfter = (...cpuMs: number[]) => paceOn(MANY_CORES, ...cpuMs);
  const light = Array.from({ length: 200 }, () => 0.02);

  it('counts every invocation in full as long as nothing is known', () => {
    expect(createLanePace().load(7, 0)).to.equal(7);
  });

  it('counts light invocations by what they cost, and heavy ones as one each', () => {
    expect(paceAfter(...light).load(50, 1)).to.be.closeTo(1, 0.01);
    expect(paceAfter(5, 5).load(50, 1)).to.equal(50);
  });

  it('lets a lane be shared for longer where the host has no core of its own beside two lanes', () => {
    const some = light.map(() => 0.8);
    expect(paceOn(2, ...some).load(10, 1)).to.be.closeTo(4, 0.01);
    expect(paceOn(3, ...some).load(10, 1)).to.be.closeTo(8, 0.01);
    expect(paceOn(2, 5, 5).load(10, 1)).to.equal(10);
  });

  it('takes a lone heavy invocation for one that was preempted', () => {
    expect(paceAfter(...light, 30).load(10, 1)).to.be.below(1);
  });

  it('takes two heavy invocations for a sign, also with light ones between them, and forgets it after many light ones', () => {
    expect(paceAfter(...light, 30, 30).load(10, 1)).to.equal(10);
    expect(paceAfter(...light, 30, 0.02, 30).load(10, 1)).to.equal(10);
    expect(paceAfter(...light, 30, 30, ...light).load(10, 1)).to.be.below(1);
  });

  it('counts all of them in full while the lane is silent', () => {
    const pace = paceAfter(...light);
    expect(pace.load(10, 6)).to.equal(10);
    pace.heard(6);
    expect(pace.load(10, 7)).to.be.below(1);
  });
});
