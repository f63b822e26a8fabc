import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import type { Outcome } from './contract.ts';
import { fakeFleet } from './fake-cordon.ts';
import { Probation } from './probation.ts';
import { Run } from './run.ts';
import { UNREST_MS } from './track-record.ts';

const COST = { cpuMs: 1, turns: 1, hostCalls: 0, startedAtMs: 1, heapMiB: 1, externalMiB: 0 };

function openProbation({ queueMax = 10, cordons = 1 } = {}) {
  let clockMs = 1_000;
  const nowMs = () => clockMs;
  const fleet = fakeFleet(nowMs);
  let tickets = 0;
  const outcomes: (Outcome | null)[] = [];
  const probation = new Probation(
    { cordons, queueMax, ageMsMax: 3_600_000, residentMiBSoft: 700, reserveAttention: 'low' },
    {
      launch: fleet.launch,
      nowMs,
      later: (work) => work(),
      begin: (run, lane) => {
        lane.cordon.used = true;
        run.begin(lane, ++tickets);
      },
      onEnd: () => {},
      onAlarm: () => {},
    },
  );
  const runOf = (installationId: string) => {
    const run = new Run(
      {
        invocationId: `${installationId}.${tickets}`,
        installationId,
        digest: '',
        input: '',
        seed: '',
        startedAtMs: 0,
        limits: DEFAULT_LIMITS,
      },
      { hostCall: async () => ({ ok: true, json: 'null' }), log: () => {} },
      {
        callsInFlight: new CallsInFlight(),
        onOver: (over) => {
          outcomes.push(over.ended);
          probation.note(installationId, over.ended);
        },
      },
    );
    const ended = run.outcome.then(
      ({ status }) => status as string,
      ({ code }: { code: string }) => code,
    );
    const answer = () => run.onMessage({ op: 'done', ticket: run.ticket, cost: COST, outputBytes: 0 }, '');
    const breakLimit = () => run.fail({ code: 'cpu-limit', message: '' });
    return { run, ended, answer, breakLimit, pid: () => (run.lane as { cordon: { pid?: number } } | null)?.cordon.pid };
  };
  const pass = (ms: number) => {
    clockMs += ms;
    probation.tick();
  };
  /** Everybody who is still there is told to go. */
  const close = async (runs: Run[]) => {
    for (const run of runs) run.refuse('sandbox-closed');
    await probation.close();
  };
  return { probation, fleet, runOf, pass, close, outcomes };
}

describe('Probation', () => {
  it('takes nobody and has no process in peace', () => {
    const { probation, fleet, runOf } = openProbation();
    const { run } = runOf('new');
    expect(probation.takes(run)).to.equal(false);
    run.refuse('sandbox-closed');
    expect(fleet.started).to.have.length(0);
  });

  it('starts a cordon and a spare at the first offence, both with low attention, and runs the offender there', async () => {
    const { probation, fleet, runOf, close } = openProbation();
    const { breakLimit, ended } = runOf('villain');
    breakLimit();
    expect(await ended).to.equal('faulted');
    expect(fleet.started.map(({ attention }) => attention())).to.deep.equal(['low', 'low']);
    const again = runOf('villain');
    expect(probation.takes(again.run)).to.equal(true);
    expect(again.pid(), 'it waits').to.equal(undefined);
    fleet.readyAll();
    expect(again.pid()).to.equal(1);
    expect(probation.list().map(({ kind }) => kind)).to.deep.equal(['probation', 'probation']);
    again.answer();
    expect(await again.ended).to.equal('completed');
    await close([]);
  });

  it('keeps newcomers apart while there is unrest, and lets who is proven run with everybody', async () => {
    const { probation, fleet, runOf, close, outcomes } = openProbation();
    const past = runOf('old');
    const link = fakeFleet(() => 0).launch(1, { onReady: () => {}, onEnd: () => {} }, 'full').lanes[0]!;
    past.run.begin(link, 1);
    past.answer();
    for (let time = 1; time < 50; time++) probation.note('old', outcomes[0]!);
    probation.blame('villain');
    fleet.readyAll();
    const [old, young] = [runOf('old'), runOf('new')];
    expect(probation.takes(old.run)).to.equal(false);
    expect(probation.takes(young.run)).to.equal(true);
    await close([old.run, young.run]);
  });

  it('sends newcomers to everybody when too many of them wait, and refuses only offenders', async () => {
    const { probation, runOf, close } = openProbation({ queueMax: 40 });
    probation.blame('villain');
    const young = Array.from({ length: 33 }, (_, each) => runOf(`new-${each}`));
    expect(young.map(({ run }) => probation.takes(run)).filter((taken) => !taken)).to.have.length(1);
    const villains = Array.from({ length: 9 }, () => runOf('villain'));
    for (const { run } of villains) expect(probation.takes(run)).to.equal(true);
    expect(await villains.at(-1)!.ended).to.equal('sandbox-saturated');
    await close([...young, ...villains].map(({ run }) => run));
  });

  it('gives its lane to its own spare when a cordon dies', async () => {
    const { probation, fleet, runOf, close } = openProbation();
    probation.blame('villain');
    fleet.readyAll();
    fleet.started[0]!.cordon.used = true;
    fleet.started[0]!.die();
    const { run, pid } = runOf('villain');
    expect(probation.takes(run)).to.equal(true);
    expect(pid()).to.equal(2);
    await close([run]);
  });

  it('ends its processes when nobody has broken a limit for a while, and starts them again when somebody does', async () => {
    const { probation, fleet, pass, close } = openProbation();
    probation.blame('villain');
    fleet.readyAll();
    pass(UNREST_MS - 1);
    expect(fleet.alive()).to.have.length(2);
    pass(1);
    expect(fleet.alive()).to.have.length(0);
    expect(probation.list()).to.deep.equal([]);
    probation.blame('villain');
    expect(fleet.alive()).to.have.length(2);
    await close([]);
  });
});
