import { expect } from 'chai';
import fc from 'fast-check';
import type { HostRefusal } from '../errors.ts';
import { createAdmission } from './admission.ts';

const LIMITS = { concurrent: 2, queued: 2, wallMs: 60_000, cpuMsPerSecond: 100, cpuBurstMs: 1_000 };

function admissionAt(startMs = 0) {
  const clock = { nowMs: startMs };
  return { clock, admission: createAdmission(() => clock.nowMs) };
}

const refusalOf = (enter: () => unknown): HostRefusal => {
  try {
    enter();
  } catch (error) {
    return error as HostRefusal;
  }
  return expect.fail('was let in');
};

/** What each entry came to, in the order in which it came to it. */
function recorder() {
  const events: string[] = [];
  const watch = (name: string, turn: 0 | Promise<number>) => {
    if (turn === 0) events.push(`${name} in`);
    else
      turn.then(
        () => events.push(`${name} in`),
        (error) => events.push(`${name} ${error.code}`),
      );
  };
  return { events, watch, settled: () => new Promise((resolve) => setImmediate(resolve)) };
}

describe('createAdmission', () => {
  it('lets as many in as may run, then queues, then refuses, and says which limit it was', () => {
    const { admission } = admissionAt();
    expect(admission.enter('a', LIMITS)).to.equal(0);
    expect(admission.enter('a', LIMITS)).to.equal(0);
    expect(admission.enter('a', LIMITS)).to.be.instanceOf(Promise);
    expect(admission.enter('a', LIMITS)).to.be.instanceOf(Promise);
    const refusal = refusalOf(() => admission.enter('a', LIMITS));
    expect(refusal.code).to.equal('installation-saturated');
    expect(refusal.facts).to.deep.equal({ limit: 'queued', allowed: 2, concurrent: 2 });
    expect(admission.enter('b', LIMITS), 'a neighbour').to.equal(0);
    for (let n = 0; n < 4; n++) admission.leave('a', LIMITS, 0);
  });

  it('takes what was used after an end out of the same budget, also of an installation that it has forgotten', () => {
    const { admission } = admissionAt();
    admission.charge('a', LIMITS, 400);
    admission.enter('a', LIMITS);
    admission.charge('a', LIMITS, 400);
    admission.leave('a', LIMITS, 300);
    const { code, facts } = refusalOf(() => admission.enter('a', LIMITS));
    expect([code, facts?.used]).to.deep.equal(['cpu-budget-exhausted', 1_100]);
  });

  it('lets nobody wait where the queue has no room', () => {
    const { admission } = admissionAt();
    const none = { ...LIMITS, concurrent: 1, queued: 0 };
    admission.enter('a', none);
    expect(refusalOf(() => admission.enter('a', none)).code).to.equal('installation-saturated');
  });

  it('serves who waits in order, and tells how long it was', async () => {
    const { admission, clock } = admissionAt();
    const { events, watch, settled } = recorder();
    const one = { ...LIMITS, concurrent: 1 };
    watch('first', admission.enter('a', one));
    const second = admission.enter('a', one);
    watch('second', second);
    watch('third', admission.enter('a', one));
    clock.nowMs = 40;
    admission.leave('a', one, 0);
    await settled();
    expect(events).to.deep.equal(['first in', 'second in']);
    expect(await second).to.equal(40);
    admission.leave('a', one, 0);
    await settled();
    expect(events).to.deep.equal(['first in', 'second in', 'third in']);
    admission.leave('a', one, 0);
  });

  it('lets nobody overtake the queue', async () => {
    const { admission } = admissionAt();
    const { events, watch, settled } = recorder();
    watch('first', admission.enter('a', { ...LIMITS, concurrent: 1 }));
    watch('second', admission.enter('a', { ...LIMITS, concurrent: 1 }));
    // The operator has raised the limit meanwhile, so there would be room.
    watch('third', admission.enter('a', LIMITS));
    admission.leave('a', LIMITS, 0);
    await settled();
    expect(events).to.deep.equal(['first in', 'second in', 'third in']);
    admission.leave('a', LIMITS, 0);
    admission.leave('a', LIMITS, 0);
  });

  it('refuses who has waited as long as the invocation may take', async () => {
    const { admission } = admissionAt();
    const brief = { ...LIMITS, concurrent: 1, wallMs: 5 };
    admission.enter('a', brief);
    const refusal = await (admission.enter('a', brief) as Promise<number>).catch((error) => error);
    expect(refusal.code).to.equal('installation-saturated');
    expect(refusal.facts).to.deep.equal({ limit: 'concurrent', allowed: 1, queuedMs: 5 });
    admission.leave('a', brief, 0);
    expect(admission.enter('a', brief), 'its place is free').to.equal(0);
    admission.leave('a', brief, 0);
  });

  it('takes who goes away out of the queue, and lets the next one have the place', async () => {
    const { admission } = admissionAt();
    const { events, watch, settled } = recorder();
    const tight = { ...LIMITS, concurrent: 1, queued: 1 };
    const client = new AbortController();
    watch('first', admission.enter('a', tight));
    watch('second', admission.enter('a', tight, client.signal));
    client.abort();
    watch('third', admission.enter('a', tight));
    watch('fourth', Promise.reject(refusalOf(() => admission.enter('a', tight))));
    admission.leave('a', tight, 0);
    await settled();
    expect(events).to.have.members([
      'first in',
      'second invocation-aborted',
      'third in',
      'fourth installation-saturated',
    ]);
    admission.leave('a', tight, 0);
    const gone = AbortSignal.abort();
    admission.enter('a', tight);
    const late = await (admission.enter('a', tight, gone) as Promise<number>).catch((error) => error.code);
    expect(late).to.equal('invocation-aborted');
    admission.leave('a', tight, 0);
  });

  it('refuses an installation that used up its CPU time, until it has come back', () => {
    const { admission, clock } = admissionAt(5_000);
    admission.enter('a', LIMITS);
    admission.leave('a', LIMITS, 1_200);
    const refusal = refusalOf(() => admission.enter('a', LIMITS));
    expect(refusal.code).to.equal('cpu-budget-exhausted');
    expect(refusal.facts).to.deep.equal({
      limit: 'cpuBurstMs',
      allowed: 1_000,
      used: 1_200,
      cpuMsPerSecond: 100,
      retryAfterMs: 2_010,
    });
    expect(admission.enter('b', LIMITS), 'a neighbour').to.equal(0);
    clock.nowMs += 2_009;
    expect(refusalOf(() => admission.enter('a', LIMITS)).facts.retryAfterMs).to.equal(1);
    clock.nowMs += 1;
    expect(admission.enter('a', LIMITS)).to.equal(0);
  });

  it('refuses who waited where those before it used up the CPU time', async () => {
    const { admission } = admissionAt();
    const { events, watch, settled } = recorder();
    const one = { ...LIMITS, concurrent: 1 };
    for (const name of ['first', 'second', 'third']) watch(name, admission.enter('a', one));
    admission.leave('a', one, 1_000);
    await settled();
    expect(events).to.deep.equal(['first in', 'second cpu-budget-exhausted', 'third cpu-budget-exhausted']);
  });

  it('forgets installations that owe nothing and remembers those that do', () => {
    const { admission, clock } = admissionAt();
    const visit = (id: string, cpuMs: number) => {
      admission.enter(id, LIMITS);
      admission.leave(id, LIMITS, cpuMs);
    };
    visit('debtor', 61_000);
    for (let n = 0; n < 10_000; n++) {
      visit(`passer-by ${n}`, 10);
      clock.nowMs += 1;
    }
    expect(admission.size()).to.be.at.most(1_024);
    expect(refusalOf(() => admission.enter('debtor', LIMITS)).code).to.equal('cpu-budget-exhausted');
  });

  it('never runs more than may run, loses nobody, and keeps the order, whatever comes and goes', async () => {
    const steps = fc.array(fc.oneof(fc.constant('enter'), fc.constant('leave'), fc.nat({ max: 20 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        steps,
        async (most, room, all) => {
          const { admission } = admissionAt();
          const limits = { ...LIMITS, concurrent: most, queued: room };
          const clients: AbortController[] = [];
          const started: number[] = [];
          const model = { running: [] as number[], waiting: [] as number[], started: [] as number[], refused: 0 };
          let refused = 0;
          for (const step of all) {
            if (step === 'enter') {
              const client = new AbortController();
              const name = clients.push(client) - 1;
              try {
                const turn = admission.enter('a', limits, client.signal);
                if (turn === 0) started.push(name);
                else turn.then(() => started.push(name)).catch(() => {});
              } catch {
                refused++;
              }
              if (model.running.length < most) model.started.push(model.running.push(name) && name);
              else if (model.waiting.length < room) model.waiting.push(name);
              else model.refused++;
            } else if (step === 'leave') {
              if (model.running.length === 0) continue;
              admission.leave('a', limits, 0);
              model.running.shift();
              const next = model.waiting.shift();
              if (next !== undefined) model.started.push(model.running.push(next) && next);
            } else if (clients[step]) {
              clients[step].abort();
              model.waiting = model.waiting.filter((name) => name !== step);
            }
            await null;
            await null;
            expect(started).to.deep.equal(model.started);
            expect(refused).to.equal(model.refused);
          }
          // Nobody waits any longer, so that no timer stays behind.
          for (const client of clients) client.abort();
        },
      ),
      { numRuns: 200 },
    );
  });
});
