import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import type { SandboxAlarm } from './contract.ts';
import { fakeFleet } from './fake-cordon.ts';
import { Run } from './run.ts';
import { SolitaryCordons } from './solitary-cordons.ts';
import { until } from './test-sandbox.ts';

const COST = { cpuMs: 1, turns: 1, hostCalls: 0, startedAtMs: 1, heapMiB: 1, externalMiB: 0 };

function openSolitary({ max = 2, queueMax = 10 } = {}) {
  let clockMs = 1_000;
  const nowMs = () => clockMs;
  const fleet = fakeFleet(nowMs);
  const alarms: SandboxAlarm[] = [];
  let tickets = 0;
  const solitary = new SolitaryCordons(
    { max, idleMs: 30_000, queueMax },
    {
      launch: fleet.launch,
      nowMs,
      begin: (run, lane) => {
        lane.cordon.used = true;
        run.begin(lane, ++tickets);
      },
      onEnd: () => {},
      onAlarm: (alarm) => alarms.push(alarm),
    },
  );
  const add = (installationId: string, name = '1') => {
    const run = new Run(
      {
        invocationId: `${installationId}.${name}`,
        installationId,
        digest: '',
        input: '',
        seed: '',
        startedAtMs: 0,
        limits: DEFAULT_LIMITS,
        solitary: true,
      },
      { hostCall: async () => ({ ok: true, json: 'null' }), log: () => {} },
      { callsInFlight: new CallsInFlight(), onOver: (over) => solitary.onOver(over) },
    );
    const ended = run.outcome.then(
      ({ status }) => status as string,
      ({ code }: { code: string }) => code,
    );
    solitary.add(run);
    const answer = () => run.onMessage({ op: 'done', ticket: run.ticket, cost: COST, outputBytes: 0 }, '');
    return { run, ended, answer };
  };
  const pass = (ms: number) => {
    clockMs += ms;
    solitary.tick();
  };
  /** For whom there are processes. */
  const homes = () => solitary.annexes.flatMap(({ cordon, options }) => (cordon ? [options.installationId] : []));
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { solitary, fleet, alarms, add, pass, homes, settle };
}

describe('SolitaryCordons', () => {
  it('starts a cordon for an installation, and runs in it nobody else', async () => {
    const { fleet, add, homes } = openSolitary();
    const [one, again, other] = [add('a'), add('a', '2'), add('b')];
    fleet.readyAll();
    expect(homes()).to.deep.equal(['a', 'b']);
    expect(one.run.lane).to.equal(again.run.lane);
    expect(one.run.lane).to.not.equal(other.run.lane);
    for (const { answer } of [one, again, other]) answer();
    expect(await one.ended).to.equal('completed');
  });

  it('ends a cordon that has not been used for a while, and starts it again when it is', async () => {
    const { fleet, add, pass, homes, settle } = openSolitary();
    const { answer } = add('a');
    fleet.readyAll();
    pass(60_000);
    expect(homes(), 'it runs').to.deep.equal(['a']);
    answer();
    pass(30_000);
    expect(homes()).to.deep.equal(['a']);
    pass(1);
    await settle();
    expect(homes()).to.deep.equal([]);
    const later = add('a');
    fleet.readyAll();
    expect(later.run.lane).to.not.equal(null);
    later.answer();
  });

  it('lets an installation wait when all places are taken, and gives it the first that nobody uses', async () => {
    const { fleet, add, homes, settle } = openSolitary();
    const [first, second] = [add('a'), add('b')];
    fleet.readyAll();
    const third = add('c');
    expect(homes()).to.deep.equal(['a', 'b']);
    second.answer();
    await settle();
    expect(homes()).to.deep.equal(['a', 'c']);
    fleet.readyAll();
    for (const { answer } of [first, third]) answer();
    expect(await third.ended).to.equal('completed');
  });

  it('takes a place from an installation that is never idle, when another has waited long enough', async () => {
    const { fleet, add, pass, homes, settle } = openSolitary({ max: 1 });
    const busy = [add('a', '0')];
    fleet.readyAll();
    const waiting = add('b');
    for (let second = 1; second <= 7; second++) {
      busy.push(add('a', String(second)));
      busy[second - 1]!.answer();
      pass(1_000);
      await settle();
    }
    // The last came after its five seconds were over, and waits behind the other.
    expect(homes()).to.deep.equal(['b']);
    fleet.readyAll();
    waiting.answer();
    await settle();
    expect(homes()).to.deep.equal(['a']);
    fleet.readyAll();
    busy.at(-1)!.answer();
    expect(await Promise.all([...busy, waiting].map(({ ended }) => ended))).to.deep.equal(
      Array.from({ length: 9 }, () => 'completed'),
    );
  });

  it('serves installations without a place in the order in which they came', async () => {
    const { fleet, add, homes, settle } = openSolitary({ max: 1 });
    const order: string[] = [];
    const runs = ['a', 'b', 'c', 'd'].map((name) => add(name));
    for (const { answer } of runs) {
      order.push(...(homes() as string[]));
      fleet.readyAll();
      answer();
      await settle();
    }
    expect(order).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('refuses what would wait behind a full line, for a cordon or for a place', async () => {
    const { add, solitary } = openSolitary({ max: 1, queueMax: 2 });
    const codes = [add('a', '1'), add('a', '2'), add('a', '3'), add('b', '1'), add('b', '2'), add('b', '3')];
    expect(await codes[2]!.ended).to.equal('sandbox-saturated');
    expect(await codes[5]!.ended).to.equal('sandbox-saturated');
    for (const { run } of codes) run.refuse('sandbox-closed');
    await solitary.close();
  });

  it('pauses before it starts a cordon again whose own plugin has killed it, and runs what had waited', async () => {
    const { fleet, add, alarms } = openSolitary();
    const first = add('a');
    fleet.readyAll();
    fleet.started[0]!.die();
    const second = add('a', '2');
    expect(fleet.alive(), 'none during the pause').to.have.length(0);
    await until(() => fleet.alive().length === 1);
    fleet.readyAll();
    expect(second.run.lane?.cordon).to.equal(fleet.started[1]!.cordon);
    expect(alarms, 'a plugin that dies is no fault of the machine').to.have.length(0);
    second.answer();
    first.run.refuse('sandbox-closed');
    await first.ended;
  });

  it('raises an alarm when its process does not start, and tries again', async () => {
    const { fleet, add, alarms } = openSolitary();
    fleet.failing = 'EAGAIN';
    const { run, answer, ended } = add('a');
    expect(alarms).to.deep.equal([
      { code: 'cordon-start-failed', kind: 'solitary', failures: 1, why: 'Error: EAGAIN', retryInMs: 100 },
    ]);
    fleet.failing = null;
    await until(() => fleet.started.length === 1);
    fleet.readyAll();
    expect(run.lane).to.not.equal(null);
    answer();
    expect(await ended).to.equal('completed');
  });

  it('forgets an invocation that ends while it waits', async () => {
    const { fleet, add, homes, settle } = openSolitary({ max: 1 });
    const first = add('a');
    fleet.readyAll();
    const gone = add('b');
    gone.run.refuse('invocation-aborted');
    first.answer();
    await settle();
    expect(homes()).to.deep.equal(['a']);
    expect(fleet.started).to.have.length(1);
    expect(await gone.ended).to.equal('invocation-aborted');
  });
});
