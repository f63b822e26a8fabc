import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import { monotonicMs } from './clock.ts';
import { type KnownRun, LaneBorder } from './lane-border.ts';
import type { Cost, HostMessage } from './messages.ts';

const limits = { ...DEFAULT_LIMITS, hostCalls: 5, timers: 2, pieces: 3, logBytes: 100, outputBytes: 50 };
const cost: Cost = { cpuMs: 1, turns: 1, hostCalls: 0, startedAtMs: 1, heapMiB: 1, externalMiB: 0 };
const known = (): KnownRun => ({ deadlineMs: monotonicMs() + limits.wallMs, invocation: { limits } });
const start = (installationId: string, digest: string, ticket = 1): HostMessage => ({
  op: 'start',
  ticket,
  execution: 1,
  id: 'x',
  installationId,
  digest,
  seed: '',
  nowMs: 0,
  deadlineMs: 0,
  limits,
  pollUs: 0,
});
const done = (output: string, outputBytes = Buffer.byteLength(output), more: Partial<Cost> = {}) =>
  [{ op: 'done', ticket: 1, outputBytes, cost: { ...cost, ...more } }, output] as const;

describe('LaneBorder', () => {
  it('lets a lane ask and bill for what it was given, and for nothing else', () => {
    const border = new LaneBorder();
    border.onSend(start('one', 'aa'));
    const need = (installationId: string, digest: string) =>
      border.objectionTo({ op: 'need', has: false, isolate: 1, installationId, digest }, '', undefined);
    expect(need('one', 'aa')).to.equal(null);
    expect([need('one', 'bb'), need('two', 'aa')]).to.deep.equal(Array(2).fill('it asks for the code of a stranger'));
    const started = { op: 'started', installationId: 'two', digest: 'aa', cpuMs: 1 } as const;
    expect(border.objectionTo(started, '', undefined)).to.equal('it bills a stranger');
  });

  describe('where a lane asks for code', () => {
    const needOf = (border: LaneBorder) => (installationId: string, has: boolean) =>
      border.objectionTo({ op: 'need', has, isolate: 1, installationId, digest: 'aa' }, '', undefined);
    const OBJECTION = 'it asks for code more often than it was given something to run';

    it('answers it once for each execution that the lane was sent, whether it has the code or not', () => {
      const border = new LaneBorder();
      const need = needOf(border);
      // Evicted in between, so it needs one isolate after the other.
      for (const ticket of [1, 2, 3]) border.onSend(start('one', 'aa', ticket));
      for (const has of [false, true, false]) expect(need('one', has)).to.equal(null);
      expect(need('one', true)).to.equal(OBJECTION);
    });

    it('saves nothing up: an execution of which the lane has spoken makes it ask no more, nor does any before it', () => {
      const border = new LaneBorder();
      const need = needOf(border);
      for (let ticket = 1; ticket <= 500; ticket++) border.onSend(start('one', 'aa', ticket));
      expect(need('one', false)).to.equal(null);
      border.objectionTo({ op: 'turn', ticket: 498, cost }, '', undefined);
      expect([need('one', false), need('one', false)]).to.deep.equal([null, null]);
      expect(need('one', false)).to.equal(OBJECTION);
    });

    it('lets it speak of those that have their code before it asks for that of the next', () => {
      const border = new LaneBorder();
      const need = needOf(border);
      for (const ticket of [1, 2]) border.onSend(start('one', 'aa', ticket));
      border.objectionTo(...done('x'), undefined);
      border.onSend(start('two', 'aa', 3));
      expect([need('one', false), need('two', true)]).to.deep.equal([null, null]);
    });
  });

  describe('where a lane bills start-ups', () => {
    const OVERBILLED = 'it bills more CPU time than has passed';
    const open = () => {
      const clock = { nowMs: 0 };
      const border = new LaneBorder(0, () => clock.nowMs);
      border.onSend(start('one', 'aa'));
      const bill = (cpuMs: number) => {
        border.onSend({ op: 'bundle', isolate: 1, ok: true });
        return border.objectionTo({ op: 'started', installationId: 'one', digest: 'aa', cpuMs }, '', undefined);
      };
      return { border, clock, bill };
    };

    it('takes one bill for each code that may run', () => {
      const { border, bill } = open();
      expect(bill(1)).to.equal(null);
      border.onSend({ op: 'bundle', isolate: 1, ok: false });
      const again = { op: 'started', installationId: 'one', digest: 'aa', cpuMs: 0 } as const;
      expect(border.objectionTo(again, '', undefined)).to.equal('it bills start-ups that were none');
    });

    it('objects to many small ones as to a large one', () => {
      const { clock, bill } = open();
      clock.nowMs = 2_000;
      // A second more than has passed is the grain of clocks.
      for (let count = 0; count < 300; count++) expect(bill(10)).to.equal(null);
      expect(bill(10)).to.equal(OVERBILLED);
    });

    it('takes those of a lane that has done nothing else for hours', () => {
      const { clock, bill } = open();
      for (let count = 0; count < 10_000; count++) {
        clock.nowMs += 1_000;
        expect(bill(1_000)).to.equal(null);
      }
    });

    it('objects to more than a minute at once, however long the lane was there', () => {
      const { clock, bill } = open();
      clock.nowMs = 3_600_000;
      expect(bill(60_000)).to.equal(null);
      expect(bill(2_000)).to.equal(OVERBILLED);
    });
  });

  it('takes no profile that nobody asked for, and not a second one', () => {
    const asked = new LaneBorder(1);
    const profile = { op: 'profile' } as const;
    const objection = 'it sends a profile that nobody asked for';
    expect(new LaneBorder().objectionTo(profile, '{}', undefined)).to.equal(objection);
    expect(asked.objectionTo(profile, '{}', undefined)).to.equal(null);
    expect(asked.objectionTo(profile, '{}', undefined)).to.equal(objection);
  });

  it('never objects to what stays within the limits of its invocation', () => {
    const output = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => Buffer.byteLength(text) <= 50);
    const most = [
      ...Array(5).fill('kv.get'),
      ...Array(2).fill('timer'),
      ...Array(3).fill('response.write'),
    ] as string[];
    const calls = fc.shuffledSubarray(most);
    fc.assert(
      fc.property(calls, fc.array(fc.nat(84), { maxLength: 4 }), output, (names, logs, answer) => {
        const [border, run] = [new LaneBorder(), known()];
        const objections = [
          ...names.map((name, at) => border.objectionTo({ op: 'call', ticket: 1, seq: at + 1, name, cost }, '{}', run)),
          ...logs.map((units, at) =>
            border.objectionTo({ op: 'log', ticket: 1, seq: at + 1, name: 'log:info' }, 'x'.repeat(units), run),
          ),
          border.objectionTo(...done(answer), run),
        ];
        expect(objections.filter((objection) => objection !== null)).to.deep.equal([]);
      }),
    );
  });

  it('counts anew for each execution, and each kind of call by its own limit', () => {
    const [border, run] = [new LaneBorder(), known()];
    const call = (ticket: number, seq: number, name = 'kv.get') =>
      border.objectionTo({ op: 'call', ticket, seq, name, cost }, '', run);
    for (let seq = 1; seq <= 5; seq++) expect(call(1, seq)).to.equal(null);
    expect(call(2, 1)).to.equal(null);
    expect(call(1, 6, 'timer')).to.equal(null);
    expect(call(1, 7, 'request.read')).to.equal(null);
    expect(call(1, 8)).to.match(/more host calls/);
  });

  it('objects to answers that are too large or lie about their size', () => {
    const objectionTo = (output: string, bytes?: number) =>
      new LaneBorder().objectionTo(...done(output, bytes), known());
    expect(objectionTo('x'.repeat(50))).to.equal(null);
    for (const [output, bytes] of [['x'.repeat(51)], ['xx', 1], ['x', 4]] as [string, number?][]) {
      expect(objectionTo(output, bytes), `${output} ${bytes}`).to.match(/larger than it may be/);
    }
  });

  it('objects to more CPU time than one thread can have used', () => {
    const run = { ...known(), deadlineMs: monotonicMs() - 2_000 + limits.wallMs };
    const objectionTo = (cpuMs: number) => new LaneBorder().objectionTo(...done('x', 1, { cpuMs }), run);
    expect(objectionTo(2_500)).to.equal(null);
    expect(objectionTo(60_000)).to.match(/more CPU time/);
  });

  describe('where a lane has lost executions that were in no turn', () => {
    const OBJECTION = 'it loses invocations for no reason';
    const open = () => {
      const border = new LaneBorder();
      for (const ticket of [1, 2, 3]) border.onSend(start('one', 'aa', ticket));
      const lost = (ticket: number, inside = false) =>
        border.objectionTo({ op: 'interrupted', ticket, cost, inside }, '', known());
      const end = (op: 'fault' | 'left', ticket: number, run?: KnownRun, isOwed?: boolean) =>
        border.objectionTo({ op, ticket, cost }, '', run, isOwed);
      return { border, lost, end };
    };

    it('believes it after a word on one that may have cost them their isolate', () => {
      for (const speak of [
        ({ end }) => end('fault', 2, known()),
        ({ end }) => end('fault', 2, undefined, true),
        ({ end }) => end('left', 2, undefined, true),
        ({ lost }) => lost(2, true),
      ] as ((lane: ReturnType<typeof open>) => string | null)[]) {
        const lane = open();
        expect([speak(lane), lane.lost(1), lane.lost(3)]).to.deep.equal([null, null, null]);
      }
    });

    it('objects where nobody had an end, or one that is no last word', () => {
      expect(open().lost(1)).to.equal(OBJECTION);
      for (const run of [known(), undefined]) {
        const { end, lost } = open();
        expect([end('left', 2, run), lost(1)]).to.deep.equal([null, OBJECTION]);
      }
      const { border, lost } = open();
      expect([border.objectionTo(...done('x'), known()), lost(2)]).to.deep.equal([null, OBJECTION]);
    });

    it('objects where it loses them once more by the same end', () => {
      const { border, end, lost } = open();
      expect([end('fault', 2, known()), lost(1)]).to.deep.equal([null, null]);
      border.onSend(start('one', 'aa', 4));
      expect(lost(4)).to.equal(OBJECTION);
    });
  });

  it('puts up with late words, and not with a flood of them', () => {
    const border = new LaneBorder();
    const late = () => border.objectionTo(...done('x'), undefined);
    for (let count = 0; count < 1_000; count++) expect(late()).to.equal(null);
    expect(late()).to.match(/concerns nobody/);
    border.onSend(start('one', 'aa'));
    expect(late()).to.equal(null);
  });
});
