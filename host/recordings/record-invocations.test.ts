import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { DEFAULT_LIMITS, inputText } from '../../plugins-sdk/contract/index.ts';
import { RECORDING_BYTES_MAX, type Recording } from '../../plugins-sdk/contract/recording.ts';
import type { Outcome } from '../../sandbox/index.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import type { EndedInvocation } from '../invocations/contract.ts';
import { createInvocationRecorder } from './record-invocations.ts';
import type { NewRecording, RecordingStore } from './recording-store.ts';
import { SAME_FAILURE_MAX, WINDOW_MS } from './rules/may-record.ts';
import { DEFAULT_RECORDING, type RecordingSettings } from './rules/settings.ts';

const HEX = 'a'.repeat(64);
const installation = {
  id: 'one',
  slug: 'shop',
  operator: { id: 'o', slug: 'arcade' },
  plugin: 'acme/hello',
  version: '1.0.0',
  releaseId: 'r',
  manifest: { personal: ['/body/email'] },
} as unknown as InstallationFacts;

const usage = { cpuMs: 1, wallMs: 2, executions: 1 } as Outcome['usage'];
const recorded = { calls: [], turns: [] };
const threw = (message = 'x'): Outcome => ({
  status: 'faulted',
  fault: { code: 'plugin-threw', message },
  usage,
  recorded,
});
const completed = (output = '{}'): Outcome => ({ status: 'completed', output, usage, recorded });

describe('createInvocationRecorder', () => {
  let stored: NewRecording[];
  let told: string[];
  let settings: Map<string, RecordingSettings>;
  let clockMs: number;
  let answer: Awaited<ReturnType<RecordingStore['add']>>;
  let count: number;
  let asked: number;
  beforeEach(() => {
    [stored, told, settings, clockMs, answer, count, asked] = [[], [], new Map(), 1_000, 'stored', 0, 0];
  });

  const open = async (own: Partial<RecordingSettings> = {}) => {
    if (Object.keys(own).length > 0) settings.set('one', { ...DEFAULT_RECORDING, ...own });
    const recorder = createInvocationRecorder({
      store: {
        add: async (recording) => {
          asked += 1;
          if (answer === 'stored') stored.push(recording);
          return answer;
        },
        settings: async () => settings,
        prune: async () => {},
      },
      engine: { gatehouse: '0.1.0', node: '26', v8: '14', guest: HEX },
      tell: (_installation, { message }) => told.push(message),
      log: {
        debug: () => {},
        info: () => {},
        warn: () => told.push('dropped'),
        error: () => expect.fail('an error'),
      } as never,
      nowMs: () => clockMs,
    });
    await recorder.refresh();
    return recorder;
  };
  const ended = (outcome: Outcome, more: Partial<EndedInvocation> = {}): EndedInvocation => {
    count += 1;
    const request = { method: 'POST', url: '/x', headers: [], body: '{"email":"ada@example.org"}' };
    const input = inputText(
      { kind: 'http', route: 'POST /x', params: {}, request: { ...request, bodyEncoding: 'utf8' } },
      '{}',
    );
    return {
      installation,
      job: 'POST /x',
      invocation: {
        invocationId: `i${count}`,
        installationId: 'one',
        digest: HEX,
        input,
        seed: 'f'.repeat(64),
        startedAtMs: 5,
        limits: DEFAULT_LIMITS,
      },
      outcome,
      logs: null,
      secrets: [],
      requested: false,
      ...more,
    };
  };
  const contentOf = ({ content }: NewRecording) => JSON.parse(gunzipSync(content).toString()) as Recording;

  it('asks the sandbox for faults, for samples, and for what was requested', async () => {
    const byDefault = await open();
    expect(byDefault.modeOf('one', HEX, false)).to.equal('on-fault');
    expect(byDefault.modeOf('one', HEX, true)).to.equal('always');
    const sampling = await open({ sampleRate: 0.5, failures: false });
    expect(sampling.modeOf('one', `7${HEX.slice(1)}`, false)).to.equal('always');
    expect(sampling.modeOf('one', `8${HEX.slice(1)}`, false)).to.equal(undefined);
    expect(sampling.modeOf('another', HEX, false)).to.equal('on-fault');
  });

  it('stores a failure, redacted, with everything that a replay needs', async () => {
    const recorder = await open();
    recorder.keep(ended(threw('no mail for ada@example.org')));
    await recorder.flush();
    expect(stored).to.have.length(1);
    expect(stored[0]).to.include({ id: 'i1', why: 'failed', outcome: 'plugin-threw', job: 'POST /x', redacted: true });
    const recording = contentOf(stored[0]!);
    expect(JSON.stringify(recording)).to.not.include('ada@');
    expect(recording).to.deep.include({ plugin: 'acme/hello', bundleDigest: HEX, calls: [], turns: [] });
    expect(recording.outcome).to.deep.equal({
      status: 'faulted',
      fault: { code: 'plugin-threw', message: 'no mail for personal-1@redacted.invalid' },
    });
  });

  it('stores few failures that look alike, and more in the next window', async () => {
    const recorder = await open();
    for (let at = 0; at < 10; at++) recorder.keep(ended(threw()));
    recorder.keep(ended(threw('of another kind')));
    await recorder.flush();
    expect(stored).to.have.length(SAME_FAILURE_MAX + 1);
    clockMs += WINDOW_MS;
    recorder.keep(ended(threw()));
    await recorder.flush();
    expect(stored).to.have.length(SAME_FAILURE_MAX + 2);
  });

  it('stores no failures where the operator does not want them, nor what merely completed', async () => {
    const recorder = await open({ failures: false });
    recorder.keep(ended(threw()));
    recorder.keep(ended(completed()));
    await recorder.flush();
    expect(stored).to.deep.equal([]);
    recorder.keep(ended(completed(), { requested: true }));
    await recorder.flush();
    expect(stored.map(({ why }) => why)).to.deep.equal(['requested']);
  });

  it('hides the secrets that the invocation had to do with', async () => {
    const recorder = await open();
    recorder.keep(ended(completed('"key k-123456 used"'), { requested: true, secrets: ['k-123456'] }));
    await recorder.flush();
    expect(contentOf(stored[0]!).outcome).to.have.property('output', '"key secret-1 used"');
  });

  it('tells who asked for a recording why there is none', async () => {
    const recorder = await open();
    recorder.keep(ended(completed('x'.repeat(RECORDING_BYTES_MAX)), { requested: true }));
    answer = 'over-budget';
    recorder.keep(ended(completed(), { requested: true }));
    recorder.keep(ended(threw()));
    await recorder.flush();
    expect(stored).to.deep.equal([]);
    expect(told).to.have.length(2);
    expect(told[0]).to.match(/larger than \d+ bytes/);
    expect(told[1]).to.include('budget');
  });

  it('drops what comes faster than it can be stored', async () => {
    const recorder = await open();
    for (let at = 0; at < 150; at++) recorder.keep(ended(completed(), { requested: true }));
    await recorder.flush();
    expect(stored.length).to.be.within(100, 101);
    expect(told).to.deep.equal([]);
    await recorder.sweep();
    await recorder.sweep();
    expect(told).to.deep.equal(['dropped']);
  });

  it('does no work for a budget that is used up, until the next day or until it is raised', async () => {
    const recorder = await open({ sampleRate: 1 });
    const sample = async () => {
      asked = 0;
      recorder.keep(ended(completed()));
      await recorder.flush();
      return asked;
    };
    answer = 'over-budget';
    expect([await sample(), await sample()]).to.deep.equal([1, 0]);
    await recorder.refresh();
    expect([await sample(), await sample()]).to.deep.equal([1, 0]);
    clockMs += 86_400_000;
    expect(await sample()).to.equal(1);
  });

  it('goes on where there was nothing to store, as for a second attempt of a message', async () => {
    const recorder = await open();
    answer = 'dropped';
    recorder.keep(ended(threw('first')));
    await recorder.flush();
    answer = 'stored';
    recorder.keep(ended(threw('second')));
    recorder.keep(ended(completed(), { requested: true }));
    await recorder.flush();
    expect(stored).to.have.length(2);
    expect(told).to.deep.equal([]);
  });
});
