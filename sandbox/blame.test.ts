import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../plugins-sdk/contract/index.ts';
import type { OpenTurn } from './black-box.ts';
import { type CordonEnd, faultOfCulprit, judgeDeath } from './blame.ts';

const turn = (lane: number, mustEndByMs = 1_000): OpenTurn => ({
  lane,
  startedAtMs: 900,
  mustEndByMs,
  invocationId: `i${lane}`,
  installationId: 'one',
  digest: 'd',
  startingUp: false,
});
const death = (end: Partial<CordonEnd>): CordonEnd => ({
  code: null,
  signal: 'SIGKILL',
  heartStopped: false,
  overgrown: false,
  reading: { mark: null, openTurns: [] },
  stderr: '',
  endedAtMs: 2_000,
  ...end,
});
const culprit = { limits: DEFAULT_LIMITS, startingUp: false, cpuMs: 0, wallLeftMs: 5_000 };

describe('judgeDeath', () => {
  it('blames nobody for a kill from outside, even inside a turn', () => {
    const judged = judgeDeath(death({ reading: { mark: null, openTurns: [turn(0)] } }));
    expect(judged).to.deep.include({ reason: 'killed', culprits: [], suspects: [] });
  });

  it('blames whom the watchdog marked, and not the lane beside', () => {
    const mark = { lane: 1, reason: 'overdue' as const, cpuMs: 400 };
    const judged = judgeDeath(death({ reading: { mark, openTurns: [turn(0), turn(1)] } }));
    expect(judged).to.deep.include({ reason: 'overdue', culprits: [turn(1)], suspects: [], cpuMs: 400 });
  });

  it('blames the lane whose turn made the cordon grow, for its memory', () => {
    const mark = { lane: 1, reason: 'memory' as const, cpuMs: 40 };
    const judged = judgeDeath(death({ reading: { mark, openTurns: [turn(0), turn(1)] } }));
    expect(judged).to.deep.include({ reason: 'overgrown', cause: 'memory', culprits: [turn(1)], suspects: [] });
  });

  it('suspects all that were inside a turn when nothing tells who made the cordon grow', () => {
    const openTurns = [turn(0), turn(1)];
    const mark = { lane: 0, reason: 'crowded' as const, cpuMs: 40 };
    const marked = judgeDeath(death({ reading: { mark, openTurns } }));
    const unmarked = judgeDeath(death({ overgrown: true, reading: { mark: null, openTurns } }));
    for (const judged of [marked, unmarked]) {
      expect(judged).to.deep.include({ reason: 'overgrown', culprits: [], suspects: openTurns });
    }
  });

  it('blames nobody for a cordon that grew over many turns', () => {
    const mark = { lane: 0, reason: 'full' as const, cpuMs: 0 };
    const judged = judgeDeath(death({ reading: { mark, openTurns: [turn(0)] } }));
    expect(judged).to.deep.include({ reason: 'overgrown', cause: 'none', culprits: [], suspects: [] });
  });

  it('blames the only one that was inside a turn when V8 aborted, for memory if V8 said so', () => {
    const reading = { mark: null, openTurns: [turn(0)] };
    const aborted = { signal: 'SIGABRT', reading };
    expect(judgeDeath(death({ ...aborted, stderr: 'is_heap_oom = 1' }))).to.include({ cause: 'memory' });
    expect(judgeDeath(death(aborted))).to.deep.include({ reason: 'aborted', cause: 'crash', culprits: [turn(0)] });
  });

  it('suspects all that were inside turns when V8 aborted, and blames none of them', () => {
    const reading = { mark: null, openTurns: [turn(0), turn(1)] };
    const judged = judgeDeath(death({ signal: 'SIGSEGV', reading }));
    expect(judged).to.deep.include({ culprits: [], suspects: [turn(0), turn(1)] });
  });

  it('blames only overdue turns when the heart of a cordon stopped', () => {
    const reading = { mark: null, openTurns: [turn(0, 1_000), turn(1, 1_900)] };
    expect(judgeDeath(death({ heartStopped: true, reading })).culprits).to.deep.equal([turn(0, 1_000)]);
  });

  it('blames nobody for a lane that was lost to a fault of ours', () => {
    const reading = { mark: { lane: 0, reason: 'lane-lost' as const, cpuMs: 0 }, openTurns: [turn(0)] };
    expect(judgeDeath(death({ reading }))).to.deep.include({ reason: 'exited', culprits: [], suspects: [] });
    expect(judgeDeath(death({ code: 1, signal: null }))).to.include({ reason: 'exited' });
  });
});

describe('faultOfCulprit', () => {
  const overdue = { reason: 'overdue', cause: 'cpu', culprits: [], suspects: [], cpuMs: 400 } as const;
  const judged = (changes: object) => ({ ...overdue, culprits: [], suspects: [], ...changes });

  it('is the limit that the overdue turn broke', () => {
    expect(faultOfCulprit(judged({}), culprit)).to.include({ code: 'cpu-limit', used: 400 });
    expect(faultOfCulprit(judged({ cpuMs: 10 }), { ...culprit, wallLeftMs: -1 })).to.include({ code: 'wall-limit' });
    expect(faultOfCulprit(judged({}), { ...culprit, startingUp: true })).to.include({ code: 'startup-cpu-limit' });
  });

  it('is heap-limit for memory, and sandbox-killed for a crash without a limit', () => {
    expect(faultOfCulprit(judged({ cause: 'memory' }), culprit)).to.include({ code: 'heap-limit', allowed: 32 });
    expect(faultOfCulprit(judged({ reason: 'aborted', cause: 'crash' }), culprit)).to.include({
      code: 'sandbox-killed',
    });
  });

  it('is none where the machine was only too busy', () => {
    expect(faultOfCulprit(judged({ cpuMs: 10 }), culprit)).to.equal(null);
  });
});
