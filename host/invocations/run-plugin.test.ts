import { expect } from 'chai';
import { DEFAULT_LIMITS, type GuestInput, readInputText } from '../../plugins-sdk/contract/index.ts';
import {
  type Invocation,
  type InvocationPorts,
  type Outcome,
  SandboxRefusal,
  type Usage,
} from '../../sandbox/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import { PINNED } from '../rollouts/contract.ts';
import type { PluginFaultError } from './contract.ts';
import { type CompletedInvocation, createPluginRunner } from './run-plugin.ts';

const installation = {
  id: 'i',
  slug: 'shop',
  conduct: GOOD_CONDUCT,
  updates: PINNED,
  version: '1.2.3',
  bundleDigest: 'd',
  operator: { id: 'o', slug: 'arcade-one' },
  grants: ['config'],
  config: { secret: 1 },
  limits: { ...DEFAULT_LIMITS, concurrent: 2, queued: 1, cpuMsPerSecond: 1, cpuBurstMs: 100 },
} as unknown as InstallationFacts;

const usage: Usage = {
  cpuMs: 1,
  wallMs: 100,
  turns: 1,
  hostCalls: 0,
  heapMiB: 1,
  externalMiB: 0,
  logBytes: 0,
  inputBytes: 1,
  outputBytes: 1,
  queuedMs: 0,
  executions: 1,
};
const completed = (output: unknown): Outcome => ({ status: 'completed', output: JSON.stringify(output), usage });

const runner = (invoke: (invocation: Invocation, ports: InvocationPorts) => Promise<Outcome>) => {
  const lines: Omit<InstallationLogEntry, 'id'>[] = [];
  const metered: string[] = [];
  const refused: string[] = [];
  const ended: CompletedInvocation[] = [];
  const clock = { nowMs: 0 };
  const suspended = new Set<string>();
  let next = 0;
  const run = createPluginRunner({
    sandbox: { invoke },
    broker: async () => ({ ok: true, json: 'null' }),
    record: (_installation, entry) => lines.push(entry),
    meter: (_installation, kind, outcome, logBytes) => metered.push(`${kind} ${outcome.status} ${logBytes}`),
    completed: (_installation, end) => ended.push(end),
    refused: (_installation, code) => refused.push(code),
    isSuspended: (id) => suspended.has(id),
    monotonicMs: () => clock.nowMs,
    nowMs: () => 1_000,
    newId: () => `id-${next++}`,
    newSeed: () => 'f'.repeat(64),
  });
  return { run, lines, metered, ended, refused, clock, suspended };
};

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error) => error.fault?.code ?? error.code,
  );

describe('createPluginRunner', () => {
  it('asks for a cordon of its own where the installation is solitary', async () => {
    const asked: (boolean | undefined)[] = [];
    const { run } = runner(async ({ solitary }) => {
      asked.push(solitary);
      return completed({ kind: 'value', value: 1 });
    });
    const conduct = { ...GOOD_CONDUCT, solitarySince: '2026-11-21T12:00:00.000Z' };
    await run(installation, { kind: 'health' }, { caller: null });
    await run({ ...installation, conduct }, { kind: 'health' }, { caller: null });
    expect(asked).to.deep.equal([false, true]);
  });

  it('refuses a release that was blocked, and says why', async () => {
    const { run } = runner(() => expect.fail('it ran'));
    const blocked = { at: '2026-11-21T12:00:00.000Z', reason: 'vulnerable-code: Guests see the prices of others.' };
    const error = await run({ ...installation, blocked }, { kind: 'health' }, { caller: null }).catch(
      (reason) => reason,
    );
    expect(error).to.include({ code: 'release-blocked' });
    expect(error.message).to.contain(blocked.reason);
    expect(error.facts).to.deep.equal(blocked);
  });

  it('gives the plugin the context and nothing that was not granted', async () => {
    const inputs: GuestInput[] = [];
    const { run } = runner(async ({ input }) => {
      inputs.push(readInputText(input));
      return completed({ kind: 'value', value: 1 });
    });
    await run(installation, { kind: 'health' }, { caller: { kind: 'operator', id: 't' } });
    await run({ ...installation, grants: [] }, { kind: 'health' }, { caller: null });
    expect(inputs[0]).to.deep.equal({
      kind: 'health',
      context: {
        invocationId: 'id-0',
        installation: { id: 'i', slug: 'shop', version: '1.2.3' },
        operator: { id: 'o', slug: 'arcade-one' },
        caller: { kind: 'operator', id: 't' },
        grants: ['config'],
        config: { secret: 1 },
      },
    });
    expect(inputs[1]!.context.config).to.equal(null);
  });

  it('runs as many at once as may, lets others wait for their turn, and refuses and counts the rest', async () => {
    const ends: (() => void)[] = [];
    const { run, refused } = runner(
      () => new Promise((resolve) => ends.push(() => resolve(completed({ kind: 'value', value: 1 })))),
    );
    const ask = () => run(installation, { kind: 'health' }, { caller: null });
    const [first, second, third] = [ask(), ask(), ask()];
    expect(await codeOf(ask())).to.equal('installation-saturated');
    expect(refused).to.deep.equal(['installation-saturated']);
    expect(ends).to.have.length(2);
    ends[0]!();
    await first;
    await new Promise(setImmediate);
    expect(ends).to.have.length(3);
    for (const end of ends) end();
    expect(await Promise.all([second, third])).to.have.length(2);
  });

  it('runs nothing that waited for its turn while its installation was suspended', async () => {
    const ends: (() => void)[] = [];
    const { run, suspended } = runner(
      () => new Promise((resolve) => ends.push(() => resolve(completed({ kind: 'value', value: 1 })))),
    );
    const ask = () => codeOf(run(installation, { kind: 'health' }, { caller: null }));
    const codes = [ask(), ask(), ask()];
    suspended.add(installation.id);
    ends[0]!();
    ends[1]!();
    expect(await Promise.all(codes)).to.deep.equal(['answered', 'answered', 'installation-suspended']);
    expect(ends).to.have.length(2);
  });

  it('counts the wait for a turn as part of the wall time and of the usage', async () => {
    const invocations: Invocation[] = [];
    let end = () => {};
    const { run, clock, lines } = runner((invocation) => {
      invocations.push(invocation);
      if (invocations.length > 1) {
        return Promise.resolve({ status: 'faulted', fault: { code: 'plugin-threw', message: 'x' }, usage });
      }
      return new Promise((resolve) => {
        end = () => resolve(completed({ kind: 'value', value: 1 }));
      });
    });
    const one = { ...installation, limits: { ...installation.limits, concurrent: 1, wallMs: 50_000 } };
    const ask = () => run(one, { kind: 'health' }, { caller: null });
    const answers = [ask(), codeOf(ask())];
    clock.nowMs = 20_000;
    end();
    await Promise.all(answers);
    expect(invocations.map(({ limits }) => limits.wallMs)).to.deep.equal([50_000, 30_000]);
    expect(lines[0]!.facts).to.have.nested.include({ 'usage.queuedMs': 20_000, 'usage.wallMs': 20_100 });
  });

  it('takes the CPU time of every invocation, also of failed and abandoned ones, from the budget', async () => {
    const ended: (() => Promise<Outcome>)[] = [
      async () => completed({ kind: 'value', value: 1 }),
      async () => ({ status: 'faulted', fault: { code: 'cpu-limit', message: '' }, usage: { ...usage, cpuMs: 49 } }),
      () => Promise.reject(new SandboxRefusal('invocation-aborted', { ...usage, cpuMs: 49.5 })),
    ];
    const { run, clock, refused } = runner(() => ended.shift()?.() ?? Promise.resolve(completed({ kind: 'value' })));
    const ask = () => codeOf(run(installation, { kind: 'health' }, { caller: null }));
    expect([await ask(), await ask(), await ask()]).to.deep.equal(['answered', 'cpu-limit', 'invocation-aborted']);
    expect(await ask()).to.equal('cpu-budget-exhausted');
    expect(refused).to.deep.equal(['invocation-aborted', 'cpu-budget-exhausted']);
    clock.nowMs = 500;
    expect(await ask()).to.equal('answered');
  });

  it('believes no sandbox that charges more CPU time than time has passed', async () => {
    const { run, clock } = runner(async () => ({
      ...completed({ kind: 'value' }),
      usage: { ...usage, cpuMs: 2 ** 50 },
    }));
    const ask = () => codeOf(run(installation, { kind: 'health' }, { caller: null }));
    expect([await ask(), await ask()]).to.deep.equal(['answered', 'cpu-budget-exhausted']);
    clock.nowMs = usage.wallMs * 1_000;
    expect(await ask()).to.equal('answered');
  });

  it('turns a fault into an error, a log line with the usage, and a meter reading', async () => {
    const { run, lines, metered } = runner(async () => ({
      status: 'faulted',
      fault: { code: 'cpu-limit', message: 'too slow', limit: 'cpuMs', allowed: 50, used: 61 },
      usage,
    }));
    const error = (await run(installation, { kind: 'health' }, { caller: null }).catch((e) => e)) as PluginFaultError;
    expect(error.fault.code).to.equal('cpu-limit');
    expect(error.invocationId).to.equal('id-0');
    expect(lines[0]).to.deep.include({ source: 'host', level: 'error', message: 'cpu-limit: too slow' });
    expect(lines[0]!.facts).to.have.nested.include({ kind: 'health', 'fault.used': 61, 'usage.cpuMs': 1 });
    expect(metered).to.deep.equal(['health faulted 0']);
  });

  it('shows the host calls of a fault, and of an answer to whoever asks', async () => {
    const asking = runner(async (invocation, { hostCall }) => {
      await hostCall({ ...invocation, seq: 1, name: 'kv.get', args: '["k"]' });
      return asking.ended.length > 0
        ? { status: 'faulted', fault: { code: 'plugin-threw', message: 'no' }, usage }
        : completed({ kind: 'value', value: 1 });
    });
    await asking.run(installation, { kind: 'health' }, { caller: null });
    expect(asking.ended[0]!.trace!.waterfall().calls).to.have.length(1);
    expect(asking.ended[0]).to.deep.include({ invocationId: 'id-0', output: { kind: 'value', value: 1 } });
    expect(await codeOf(asking.run(installation, { kind: 'health' }, { caller: null }))).to.equal('plugin-threw');
    expect(asking.lines[0]!.facts).to.have.nested.include({ 'trace.omitted': 0, 'trace.calls[0].name': 'kv.get' });
    expect(asking.ended).to.have.length(1);
  });

  it('counts an answer that the guest runtime never makes as a fault of the plugin', async () => {
    const http = { kind: 'http', route: 'GET /', params: {}, request: { body: null } as never } as const;
    for (const output of [
      'not json',
      '{"kind":"value"}',
      '{"kind":"http","response":{"status":"200"}}',
      '{"kind":"http","response":{"status":200,"headers":[["a",1]],"body":null,"bodyEncoding":"utf8"}}',
      '{"kind":"http","response":{"status":200,"headers":[7],"body":null,"bodyEncoding":"utf8"}}',
      '{"kind":"http","response":{"status":200,"headers":[],"body":{},"bodyEncoding":"utf8"}}',
      '{"kind":"http","response":{"status":200,"headers":[],"body":"a","bodyEncoding":"utf8"}}\nb',
      '{"kind":"value","value":1}\nb',
    ]) {
      const { run } = runner(async () => ({ status: 'completed', output, usage }));
      expect(await codeOf(run(installation, http, { caller: null })), output).to.equal('plugin-answer-invalid');
    }
  });

  it('keeps facts that nest too deeply for a database as text', async () => {
    const deep = `{"message":"m","facts":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`;
    const { run, lines } = runner(async (_invocation, { log }) => {
      log({ source: 'console', level: 'info', json: deep, atMs: 0 });
      return completed({ kind: 'value', value: 1 });
    });
    await run(installation, { kind: 'health' }, { caller: null });
    expect(lines[0]).to.deep.include({ message: 'm', facts: { text: deep } });
  });

  it('keeps structured log lines only where the capability is granted; console lines always', async () => {
    const writing = runner(async (_invocation, { log }) => {
      log({ source: 'console', level: 'info', json: '{"message":"a"}', atMs: 0 });
      log({ source: 'log', level: 'warn', json: '{"message":"b","facts":{"x":1}}', atMs: 0 });
      log({ source: 'console', level: 'info', json: 'garbage', atMs: 0 });
      return completed({ kind: 'value', value: 1 });
    });
    await writing.run(installation, { kind: 'health' }, { caller: null });
    expect(writing.lines.map(({ message }) => message)).to.deep.equal(['a', 'garbage']);
    expect(writing.metered).to.deep.equal(['health completed 22']);
    await writing.run({ ...installation, grants: ['log'] }, { kind: 'health' }, { caller: null });
    expect(writing.lines.at(-2)).to.deep.include({ message: 'b', facts: { x: 1 }, level: 'warn' });
  });

  it('runs an attempt once at a time, also while it waits for its turn, and again when it has ended, well or not', async () => {
    const ends: (() => void)[] = [];
    const { run } = runner(
      () => new Promise((resolve) => ends.push(() => resolve(completed({ kind: 'value', value: 1 })))),
    );
    const attempt = (invocationId: string) => ({ invocationId, seed: 'f'.repeat(64) });
    const ask = (id: string) =>
      run(installation, { kind: 'health' }, { caller: null, attempt: attempt(id) }).then(
        () => 'answered',
        (error: Error) => error.message,
      );
    const asked = ['a', 'b', 'c'].map(ask);
    expect(await Promise.all(['a', 'c'].map(ask))).to.deep.equal([
      'invocation a is running already',
      'invocation c is running already',
    ]);
    for (let at = 0; at < asked.length; at++) {
      ends[at]!();
      expect(await asked[at]).to.equal('answered');
    }
    const again = ask('a');
    ends[3]!();
    expect(await again).to.equal('answered');
    const { run: fail } = runner(() => Promise.reject(new SandboxRefusal('sandbox-saturated')));
    for (const _ of [1, 2]) {
      const failing = fail(installation, { kind: 'health' }, { caller: null, attempt: attempt('a') });
      expect(await codeOf(failing)).to.equal('sandbox-saturated');
    }
  });
});
