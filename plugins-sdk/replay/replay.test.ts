import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../contract/index.ts';
import { RECORDING_FORMAT } from '../contract/recording.ts';
import { compareLogs, compareOutcomes, type RecordedLog } from './compare-replay.ts';
import { describeDivergence } from './describe-replay.ts';
import { RecordingInvalid, readRecording } from './read-recording.ts';

const HEX = 'a'.repeat(64);
const recording = {
  format: RECORDING_FORMAT,
  id: 'i',
  recordedAt: 'then',
  why: 'failed',
  plugin: 'a/b',
  version: '1.0.0',
  bundleDigest: HEX,
  installation: { id: 'i', slug: 's', operator: 'o' },
  job: 'GET /',
  engine: { gatehouse: '0.1.0', node: '26', v8: '14', guest: HEX },
  invocation: { input: '{}', seed: HEX, startedAtMs: 0, limits: DEFAULT_LIMITS },
  calls: [{ name: 'kv.get', args: '{}', result: null }],
  turns: [] as { seq: number; nowMs: number }[],
  logs: [],
  outcome: { status: 'completed', output: '{}' },
  usage: { cpuMs: 1, wallMs: 1, executions: 1 },
  redacted: null,
};

describe('readRecording', () => {
  const faultsOf = (value: unknown): string[] => {
    try {
      readRecording(typeof value === 'string' ? value : JSON.stringify(value));
      return [];
    } catch (error) {
      expect(error).to.be.instanceOf(RecordingInvalid);
      const { message, faults } = error as RecordingInvalid;
      return faults.length === 0 ? [message] : faults.map(({ pointer }) => pointer);
    }
  };

  it('reads what a host writes', () => {
    expect(readRecording(JSON.stringify(recording))).to.deep.equal(recording);
  });
  it('names every fault of what is none', () => {
    expect(faultsOf('nonsense')[0]).to.match(/^It is not JSON/);
    expect(faultsOf(null)[0]).to.include('Its format is undefined');
    expect(faultsOf({ ...recording, seed: 1, job: 2 })).to.have.members(['/seed', '/job']);
    expect(faultsOf({ ...recording, invocation: { ...recording.invocation, limits: {} } })).to.include(
      '/invocation/limits/cpuMs',
    );
  });
  it('takes no turn for a result that is not there', () => {
    expect(faultsOf({ ...recording, turns: [{ seq: 1, nowMs: 0 }] })).to.deep.equal(['/turns/0/seq']);
    expect(faultsOf({ ...recording, turns: [{ seq: 2, nowMs: 0 }] })).to.deep.equal(['/turns/0/seq']);
  });
});

describe('compareOutcomes', () => {
  const answered = (output: string) => ({ status: 'completed', output }) as const;
  const failed = (more: object) =>
    ({ status: 'faulted', fault: { code: 'plugin-threw', message: 'm', ...more } }) as const;

  it('finds the first character that differs', () => {
    expect(compareOutcomes(answered('abc'), answered('abc'), true)).to.equal(null);
    const divergence = compareOutcomes(answered('abc'), answered('abX'), true)!;
    expect(divergence).to.deep.equal({ kind: 'output', at: 2, expected: 'abc', got: 'abX' });
    expect(describeDivergence(divergence)).to.deep.equal({
      headline: 'answers differently from character 3 on',
      recorded: 'abc',
      now: 'abX',
    });
    expect(compareOutcomes(answered('ab'), answered('abc'), true)).to.include({ at: 2 });
  });
  it('expects the same places in stacks of the same code alone', () => {
    expect(compareOutcomes(failed({ stack: 'a' }), failed({ stack: 'b' }), true)).to.include({ kind: 'outcome' });
    expect(compareOutcomes(failed({ stack: 'a' }), failed({ stack: 'b' }), false)).to.equal(null);
    expect(compareOutcomes(failed({ name: 'TypeError' }), failed({ name: 'RangeError' }), false)).to.include({
      kind: 'outcome',
    });
  });
  it('does not look at how much was used of a limit', () => {
    const cpu = (used: number) =>
      failed({ code: 'cpu-limit', message: `${used} used`, limit: 'cpuMs', allowed: 50, used });
    expect(compareOutcomes(cpu(51), cpu(57), true)).to.equal(null);
    expect(compareOutcomes(cpu(51), failed({}), true)).to.include({ kind: 'outcome' });
    expect(compareOutcomes(cpu(51), answered('{}'), true)).to.include({ kind: 'outcome' });
  });
});

describe('compareLogs', () => {
  const line = (json: string): RecordedLog => ({ source: 'console', level: 'info', json });
  it('finds the first line that differs, or that only one of them has', () => {
    expect(compareLogs([line('a')], [line('a')])).to.equal(null);
    expect(compareLogs([line('a'), line('b')], [line('a'), line('c')])).to.include({ index: 1 });
    expect(compareLogs([line('a')], [])).to.include({ index: 0, got: null });
    expect(compareLogs([], [line('a')])).to.include({ index: 0, expected: null });
  });
});
