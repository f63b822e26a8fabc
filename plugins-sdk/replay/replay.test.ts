import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../contract/index.ts';
import { RECORDING_FORMAT, type Recording } from '../contract/recording.ts';
import { compareLogs, compareOutcomes, type RecordedLog } from './compare-replay.ts';
import { describeDivergence } from './describe-replay.ts';
import { RecordingInvalid, readRecording } from './read-recording.ts';
import { writeReplayTest } from './write-replay-test.ts';

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

const PLACEHOLDER = '$'.concat('{foul()}');

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
  it('takes no id that leads to another folder or out of a text', () => {
    for (const id of ['../../x', 'a`;b', PLACEHOLDER, 'a b'])
      expect(faultsOf({ ...recording, id })).to.deep.equal(['/id']);
  });
  it('takes no turn for a result that is not there', () => {
    expect(faultsOf({ ...recording, turns: [{ seq: 1, nowMs: 0 }] })).to.deep.equal(['/turns/0/seq']);
    expect(faultsOf({ ...recording, turns: [{ seq: 2, nowMs: 0 }] })).to.deep.equal(['/turns/0/seq']);
  });
});

describe('writeReplayTest', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'replay-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const from = (changes: object) => ({ ...recording, ...changes }) as unknown as Recording;

  it('makes no code of what a recording says', async () => {
    const said = `1\nfoul();${PLACEHOLDER}`;
    const fault = { code: 'plugin-threw', message: said };
    const foul = from({
      plugin: said,
      version: said,
      job: said,
      recordedAt: said,
      outcome: { status: 'faulted', fault },
    });
    const { test } = await writeReplayTest(foul, join(folder, PLACEHOLDER), join(folder, 'a.test.ts'));
    const lines = (await readFile(test, 'utf8')).split('\n').filter((line) => line.includes('foul'));
    expect(lines.map((line) => /^ *(\/\/|test\("|folder: `)/.exec(line)?.[1])).to.deep.equal([
      '//',
      'test("',
      'folder: `',
      '//',
    ]);
    expect(lines[2]).to.include(`/\\${PLACEHOLDER}`);
  });

  it('writes both files or none', async () => {
    await writeReplayTest(from({}), folder, join(folder, 'a.test.ts'));
    const error = await writeReplayTest(from({}), folder, join(folder, 'b.test.ts')).catch(({ code }) => code);
    expect(error).to.equal('EEXIST');
    expect((await readdir(folder)).sort()).to.deep.equal(['a.test.ts', 'recordings']);
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
