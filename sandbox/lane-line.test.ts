import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { LaneLine, type TurnFrame } from './lane-line.ts';
import { TurnCosts } from './turn-costs.ts';

const startOf = (ticket: number, installationId: string): Extract<TurnFrame, { op: 'start' }> => ({
  op: 'start',
  ticket,
  execution: 1,
  id: `i-${ticket}`,
  installationId,
  digest: 'd',
  seed: '',
  nowMs: 0,
  deadlineMs: 0,
  limits: DEFAULT_LIMITS,
  pollUs: 0,
});

/** A lane that does what it was sent in order, and says what it has done. */
function openRig() {
  let nowMs = 0;
  let tickets = 0;
  const costs = new TurnCosts(
    () => nowMs,
    () => {},
  );
  const sent: { frame: TurnFrame; tail: string }[] = [];
  /** By ticket: what the lane knows of it. */
  const executions = new Map<number, { installation: string; turns: number; cpuMs: number }>();
  const owners = new Map<number, string>();
  /** What was asked for, in order, by installation. */
  const asked = new Map<string, string[]>();
  const dropped = new Set<number>();
  const line = new LaneLine({
    costs,
    nowMs: () => nowMs,
    send: (frame, tail) => sent.push({ frame, tail }),
  });
  let done = 0;
  const rig = {
    line,
    costs,
    sent,
    wait: (ms: number) => {
      nowMs += ms;
    },
    ask: (ticket: number, tail: string) => {
      const installation = owners.get(ticket)!;
      const all = asked.get(installation) ?? [];
      asked.set(installation, all);
      all.push(`${ticket} ${tail}`);
    },
    start: (installation: string) => {
      const ticket = ++tickets;
      owners.set(ticket, installation);
      rig.ask(ticket, 'start');
      line.start(installation, startOf(ticket, installation), 'start');
      return ticket;
    },
    result: (ticket: number, seq: number) => {
      rig.ask(ticket, `result ${seq}`);
      line.goOn({ op: 'result', ticket, seq, nowMs: 0, ok: true }, `result ${seq}`);
    },
    drop: (ticket: number) => {
      dropped.add(ticket);
      return line.drop(ticket);
    },
    /** The lane does what it was sent first; false where there is nothing to do. */
    step: (cpuMs: number, ends: boolean) => {
      const next = sent[done];
      if (!next) return false;
      done++;
      const { ticket, op } = next.frame;
      if (op === 'start') executions.set(ticket, { installation: owners.get(ticket)!, turns: 0, cpuMs: 0 });
      const execution = executions.get(ticket);
      if (!execution) return true;
      nowMs += cpuMs;
      execution.turns++;
      execution.cpuMs += cpuMs;
      if (ends) rig.end(ticket);
      else line.onTurns(ticket, execution.turns, execution.cpuMs);
      return true;
    },
    end: (ticket: number) => {
      const execution = executions.get(ticket);
      if (!execution) return;
      executions.delete(ticket);
      line.onEnd(ticket, execution.turns, execution.cpuMs);
    },
    /** Executions that are on the lane, or wait for it. */
    tickets: () => [...owners.keys()].filter((ticket) => !dropped.has(ticket)),
    isOnLane: (ticket: number) => executions.has(ticket),
    isDropped: (ticket: number) => dropped.has(ticket),
    asked,
    busy: () => done < sent.length,
    sentOf: (installation: string) =>
      sent
        .filter(({ frame }) => owners.get(frame.ticket) === installation)
        .map(({ frame, tail }) => `${frame.ticket} ${tail}`),
  };
  return rig;
}

type Rig = ReturnType<typeof openRig>;

/** Something that a plugin, a caller, a host call or a lane does. */
const actions = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant('start' as const), who: fc.constantFrom('a', 'b', 'c') }) },
    {
      weight: 4,
      arbitrary: fc.record({
        does: fc.constant('step' as const),
        cpuMs: fc.constantFrom(0.02, 1, 7, 30),
        ends: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('result' as const), nth: fc.nat(), seq: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('drop' as const, 'end' as const), nth: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constantFrom('load' as const, 'loaded' as const),
        who: fc.constantFrom('a', 'b'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.nat(200) }) },
  ),
  { minLength: 5, maxLength: 80 },
);

function act(rig: Rig, action: typeof actions extends fc.Arbitrary<(infer Each)[]> ? Each : never): void {
  const ticketOf = (nth: number, among: number[]) => among[nth % Math.max(1, among.length)];
  switch (action.does) {
    case 'start':
      rig.start(action.who);
      break;
    case 'step':
      rig.step(action.cpuMs, action.ends);
      break;
    case 'result': {
      const ticket = ticketOf(action.nth, rig.tickets().filter(rig.isOnLane));
      if (ticket !== undefined) rig.result(ticket, action.seq);
      break;
    }
    case 'drop':
    case 'end': {
      const ticket = ticketOf(action.nth, rig.tickets());
      if (ticket === undefined) return;
      if (action.does === 'drop') rig.drop(ticket);
      else rig.end(ticket);
      break;
    }
    case 'load':
      rig.line.onLoading(action.who);
      break;
    case 'loaded':
      rig.line.onLoaded(action.who);
      break;
    case 'wait':
      rig.wait(action.ms);
  }
}

describe('LaneLine', () => {
  it('sends what there is to do to a lane that has nothing to do, whatever happened before', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const rig = openRig();
        for (const action of all) {
          act(rig, action);
          if (rig.line.held > 0 && action.does !== 'load' && !rig.busy()) expect(rig.line.ahead).to.be.above(0);
        }
      }),
    );
  });

  it('has nothing left and counts nothing when the lane has done all, whatever happened before', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const rig = openRig();
        for (const action of all) act(rig, action);
        for (let loads = 0; loads < all.length; loads++) for (const who of ['a', 'b']) rig.line.onLoaded(who);
        while (rig.step(1, true));
        for (const ticket of rig.asked.values().toArray().flat()) rig.end(Number.parseInt(ticket, 10));
        expect([rig.line.held, rig.line.ahead]).to.deep.equal([0, 0]);
        // And it sends as at the start: one turn of a stranger is what it has room for.
        for (let times = 0; times < 6; times++) rig.start('stranger');
        expect([rig.line.held, rig.line.ahead]).to.deep.equal([5, 1]);
      }),
    );
  });

  it('keeps the order of an installation, and leaves out only what was dropped or has ended', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const rig = openRig();
        for (const action of all) act(rig, action);
        for (const [who, asked] of rig.asked) {
          const sent = rig.sentOf(who);
          let at = 0;
          for (const each of sent) {
            while (at < asked.length && asked[at] !== each) at++;
            expect(at, `${each} in ${asked}`).to.be.below(asked.length);
            at++;
          }
          const alive = asked.filter((each) => {
            const ticket = Number.parseInt(each, 10);
            return rig.isOnLane(ticket) && !rig.isDropped(ticket) && !sent.includes(each);
          });
          if (rig.line.held === 0) expect(alive).to.deep.equal([]);
        }
      }),
    );
  });

  it('sends every turn at once where turns are light', () => {
    const rig = openRig();
    for (let turn = 0; turn < 20; turn++) {
      rig.start('light');
      rig.step(0.03, true);
    }
    for (let times = 0; times < 64; times++) rig.start('light');
    expect(rig.line.held).to.equal(0);
  });

  it('does not hold an installation back for long because one of its light turns took, or was counted as, long', () => {
    const rig = openRig();
    for (let turn = 0; turn < 20; turn++) {
      rig.start('light');
      rig.step(0.03, true);
    }
    for (let times = 0; times < 32; times++) rig.start('light');
    rig.step(30, true);
    for (let turn = 0; turn < 200; turn++) {
      rig.start('light');
      rig.step(0.03, true);
    }
    for (let times = 0; times < 31; times++) rig.step(0.03, true);
    for (let times = 0; times < 64; times++) rig.start('light');
    expect(rig.line.held).to.equal(0);
  });

  it('has one turn ready for a lane that an installation with heavy ones has to itself, and none where somebody else is', () => {
    const rig = openRig();
    const heavy = () => {
      rig.start('heavy');
      rig.step(20, true);
    };
    for (let times = 0; times < 20; times++) heavy();
    for (let times = 0; times < 10; times++) rig.start('heavy');
    expect(rig.line.ahead).to.equal(2);

    rig.start('other');
    rig.step(20, true);
    rig.step(20, true);
    expect(rig.line.ahead).to.be.at.most(2);
    rig.step(0.1, true);
    expect(rig.line.ahead).to.equal(1);
  });

  it('lets whoever has had less go first: one call comes behind one of sixty heavy ones', () => {
    const rig = openRig();
    for (let times = 0; times < 60; times++) rig.start('heavy');
    for (let times = 0; times < 6; times++) rig.step(20, true);
    const before = rig.sent.length;
    const last = rig.start('honest');
    while (!rig.isOnLane(last)) rig.step(20, false);
    expect(rig.sent.findIndex(({ frame }) => frame.ticket === last) - before).to.be.at.most(1);
  });

  it('shares the time of a lane, not its turns, and starves nobody', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0.1, 1, 5, 25), { minLength: 2, maxLength: 5 }), (costs) => {
        const rig = openRig();
        const had = costs.map(() => 0);
        for (let round = 0; round < 40; round++) for (const who of costs.keys()) rig.start(`${who}`);
        // Nobody ever runs out of turns.
        for (let usedMs = 0; usedMs < 2_000; ) {
          const at = rig.sent.length - rig.line.ahead;
          const who = Number((rig.sent[at]!.frame as { installationId: string }).installationId);
          rig.step(costs[who]!, true);
          rig.start(`${who}`);
          had[who] = had[who]! + costs[who]!;
          usedMs += costs[who]!;
        }
        const fair = had.reduce((sum, each) => sum + each, 0) / costs.length;
        for (const each of had) expect(each).to.be.within(fair - 150, fair + 150);
      }),
      { numRuns: 30 },
    );
  });

  it('lets others pass while an installation waits for its code, and does not send all of it then', () => {
    const rig = openRig();
    for (let times = 0; times < 10; times++) rig.start('cold');
    rig.line.onLoading('cold');
    expect([rig.sentOf('cold').length, rig.line.ahead]).to.deep.equal([1, 0]);
    rig.start('warm');
    expect([rig.sentOf('warm').length, rig.line.ahead]).to.deep.equal([1, 1]);
    rig.line.onLoaded('cold');
    expect([rig.sentOf('cold').length, rig.line.ahead]).to.deep.equal([1, 2]);
  });

  it('says of an execution whether the lane has ever heard of it, also of one that it drops', () => {
    const rig = openRig();
    const [first, ...others] = Array.from({ length: 6 }, () => rig.start('one')) as [number, ...number[]];
    expect([rig.line.isHeld(first), rig.line.isHeld(others[4]!)]).to.deep.equal([false, true]);
    expect([rig.drop(first), rig.drop(others[4]!), rig.drop(99)]).to.deep.equal([false, true, false]);
    expect([rig.line.held, rig.line.isHeld(others[4]!)]).to.deep.equal([4, false]);
  });
});
