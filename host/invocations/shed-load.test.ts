import { expect } from 'chai';
import fc from 'fast-check';
import { createLoadShedder, type LoadStatus, type ShedReason } from './shed-load.ts';

function shedder(bounds: { delayMsMax?: number; requestsMax?: number } = {}) {
  const shed: ShedReason[] = [];
  const changes: LoadStatus[] = [];
  const load = createLoadShedder({
    delayMsMax: 100,
    requestsMax: 8,
    ...bounds,
    onShed: (reason) => shed.push(reason),
    onChange: (status) => changes.push(status),
  });
  const onDelay = (meanMs: number) => load.onLook({ meanMs, lateInRow: 2 });
  const enter = (times: number) => Array.from({ length: times }, () => load.enter());
  return { load, shed, changes, enter, onDelay };
}

describe('createLoadShedder', () => {
  it('refuses with host-overloaded from the bound on, and lets in again at half of it', () => {
    const { load, shed, enter, onDelay } = shedder();
    const entered = [];
    for (const delay of [0, 99, 100, 60, 51, 50, 99, 0]) {
      onDelay(delay);
      const refusal = load.enter();
      if (refusal === null) load.leave();
      entered.push(refusal?.code ?? 'in');
    }
    const refused = 'host-overloaded';
    expect(entered).to.deep.equal(['in', 'in', refused, refused, refused, 'in', 'in', 'in']);
    expect(shed).to.deep.equal(Array(3).fill('event-loop-delay'));
    expect(enter(1)).to.deep.equal([null]);
  });

  it('takes a single pause for what it is', () => {
    const { load, enter } = shedder();
    load.onLook({ meanMs: 5_000, lateInRow: 1 });
    load.onLook({ meanMs: 5_000, lateInRow: 0 });
    expect(enter(1)).to.deep.equal([null]);
  });

  it('lets so many in at a time, and then only when an eighth of them has gone', () => {
    const { load, shed, enter } = shedder();
    expect(enter(9).map((refusal) => refusal?.facts.reason ?? 'in')).to.deep.equal([
      ...Array(8).fill('in'),
      'requests-in-flight',
    ]);
    expect(load.status()).to.deep.equal({ inFlight: 8, delayMs: 0, shedding: 'requests-in-flight' });
    load.leave();
    expect(enter(1)).to.deep.equal([null]);
    expect(shed).to.deep.equal(['requests-in-flight']);
  });

  it('tells when it begins and when it ends', () => {
    const { changes, enter, onDelay } = shedder();
    onDelay(150);
    onDelay(160);
    enter(3);
    onDelay(10);
    onDelay(5);
    expect(changes.map(({ shedding, delayMs }) => [shedding, delayMs])).to.deep.equal([
      ['event-loop-delay', 150],
      [null, 10],
    ]);
  });

  it('measures, but never refuses because of the delay, where the bound is 0', () => {
    const { load, enter, onDelay } = shedder({ delayMsMax: 0 });
    onDelay(60_000);
    expect(enter(1)).to.deep.equal([null]);
    expect(load.status()).to.include({ delayMs: 60_000, shedding: null });
  });

  it('never has more in flight than the bound, counts every request once, and recovers by itself', () => {
    const steps = fc.array(fc.oneof(fc.constant('enter'), fc.constant('leave'), fc.nat({ max: 300 })));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), steps, (requestsMax, all) => {
        const { load, shed, onDelay } = shedder({ requestsMax });
        let inside = 0;
        let refused = 0;
        for (const step of all) {
          if (typeof step === 'number') onDelay(step);
          else if (step === 'leave' && inside > 0) {
            load.leave();
            inside--;
          } else if (step === 'enter') {
            if (load.enter() === null) inside++;
            else refused++;
          }
          expect(load.status().inFlight).to.equal(inside).and.to.be.at.most(requestsMax);
          expect(shed).to.have.length(refused);
        }
        for (; inside > 0; inside--) load.leave();
        onDelay(0);
        expect(load.status()).to.deep.equal({ inFlight: 0, delayMs: 0, shedding: null });
        expect(load.enter()).to.equal(null);
      }),
    );
  });
});
