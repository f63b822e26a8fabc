import { expect } from 'chai';
import type { CapabilityName, Manifest } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { NewMessage } from './contract.ts';
import { memoryQueue, runDueMessages } from './memory-queue.ts';
import { delayAfter } from './rules/back-off.ts';
import { createMessageRunner } from './run-message.ts';

const fault = () => new PluginFaultError({ code: 'plugin-threw', message: 'no' }, 'v');
const INSTALLATION = {
  id: 'i',
  enabled: true,
  grants: ['queue'] as CapabilityName[],
  conduct: { suspendedAt: null },
  manifest: { queues: [{ name: 'mails', attempts: 3, backOffSeconds: 10 }] } as unknown as Manifest,
} as InstallationFacts;

function open(outcomes: (Error | 'ok' | Promise<void>)[], changes: Partial<InstallationFacts> | null = {}) {
  let nowMs = 0;
  const queue = memoryQueue(() => nowMs);
  const runs: unknown[][] = [];
  const lines: string[] = [];
  const ports = {
    store: queue.store,
    factsOf: async () => changes && { ...INSTALLATION, ...changes },
    runPlugin: async (...args: unknown[]) => {
      runs.push(args.slice(1));
      const outcome = outcomes.shift() ?? 'ok';
      if (outcome instanceof Error) throw outcome;
      await outcome;
      return {} as never;
    },
    record: (_installation: unknown, { message }: { message: string }) => void lines.push(message),
    onUsed: () => {},
    nowMs: () => nowMs,
  };
  let sent = 0;
  const send = async (message: Partial<NewMessage> = {}) => {
    sent += 1;
    const id = `m${sent}`;
    await queue.queue.send({
      id,
      callId: id,
      installationId: 'i',
      queue: 'mails',
      key: null,
      payload: '{"n":1}',
      delayMs: 0,
      attemptsMax: 3,
      depth: 2,
      seed: 'seed',
      ...message,
    });
    return id;
  };
  return {
    queue,
    runs,
    lines,
    send,
    run: createMessageRunner(ports),
    runDue: (untilMs = nowMs) => {
      nowMs = untilMs;
      return runDueMessages(queue, ports);
    },
    stateOf: (id: string) => queue.messages().find((each) => each.id === id)?.state,
  };
}

describe('createMessageRunner', () => {
  it('runs a message as the same invocation in every attempt, until it succeeds', async () => {
    const { runs, send, run, stateOf } = open([fault(), fault(), 'ok']);
    const id = await send();
    expect(await run(id)).to.deep.equal({ next: 'again', delayMs: 10_000 });
    expect(await run(id)).to.deep.equal({ next: 'again', delayMs: 20_000 });
    expect(await run(id)).to.deep.equal({ next: 'ended' });
    expect(stateOf(id)).to.equal('done');
    expect(runs.map(([job]) => (job as { event: { attempt: number } }).event.attempt)).to.deep.equal([1, 2, 3]);
    expect(runs[0]).to.deep.equal([
      {
        kind: 'hook',
        event: {
          hook: 'queue.mails',
          eventId: id,
          occurredAt: '1970-01-01T00:00:00.000Z',
          payload: { n: 1 },
          attempt: 1,
        },
      },
      { caller: null, lineage: { depth: 2, waiting: [] }, attempt: { invocationId: id, seed: 'seed' } },
    ]);
    expect(new Set(runs.map(([, options]) => JSON.stringify(options))).size).to.equal(1);
    expect(await run(id)).to.deep.equal({ next: 'ended' });
    expect(runs).to.have.length(3);
  });

  it('gives a message up after as many attempts as it was sent with, and tells the log', async () => {
    const { lines, send, run, stateOf } = open([fault(), fault(), fault()]);
    const id = await send();
    for (let attempt = 0; attempt < 3; attempt += 1) await run(id);
    expect(stateOf(id)).to.equal('dead');
    expect(lines.at(-1)).to.equal(
      'message of queue mails failed: plugin-threw; attempt 3 of 3, it is dead; see: gate queue list',
    );
  });

  it('counts no attempt where the plugin was not run', async () => {
    const errors = [
      new HostRefusal('installation-saturated'),
      new HostRefusal('cpu-budget-exhausted'),
      new SandboxRefusal('sandbox-saturated'),
    ];
    const { send, run, queue } = open([...errors]);
    const id = await send();
    for (const _ of errors) expect(await run(id)).to.deep.equal({ next: 'again', delayMs: 1_000 });
    expect(queue.messages()[0]).to.include({ state: 'waiting', attempts: 0 });
  });

  it('lets messages of an installation wait that is disabled or blocked, and ends those of one that is gone', async () => {
    const resting = open([], { enabled: false });
    expect(await resting.run(await resting.send())).to.deep.equal({ next: 'again', delayMs: 60_000 });
    const installing = open([], { enabled: false, installing: true });
    expect(await installing.run(await installing.send())).to.deep.equal({ next: 'again', delayMs: 10_000 });
    const blocked = open([new HostRefusal('release-blocked')]);
    expect(await blocked.run(await blocked.send())).to.deep.equal({ next: 'again', delayMs: 60_000 });
    const gone = open([], null);
    expect(await gone.run(await gone.send())).to.deep.equal({ next: 'ended' });
    expect([...resting.runs, ...gone.runs]).to.deep.equal([]);
  });

  it('gives messages up at once that nothing may handle any more', async () => {
    const undeclared = open([], { manifest: {} as Manifest });
    const ungranted = open([], { grants: [] });
    for (const { run, send, stateOf, lines } of [undeclared, ungranted]) {
      const id = await send();
      await run(id);
      expect(stateOf(id)).to.equal('dead');
      expect(lines[0]).to.match(/queue-undeclared|capability-denied/);
    }
  });

  it('runs some messages of one installation at a time, and none twice at once', async () => {
    let finish = () => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { send, run, runs } = open(Array.from({ length: 20 }, () => gate));
    const ids = await Promise.all(Array.from({ length: 10 }, () => send()));
    const verdicts = ids.map(run);
    const busy = [...(await Promise.all(verdicts.slice(8))), await run(ids[0]!)];
    expect(busy).to.deep.equal(Array(3).fill({ next: 'again', delayMs: 1_000 }));
    expect(runs).to.have.length(8);
    finish();
    await Promise.all(verdicts);
    expect(await run(ids[9]!)).to.deep.equal({ next: 'ended' });
  });

  it('lets a failure of the host itself through', async () => {
    const { send, run, queue } = open([new Error('database gone')]);
    const id = await send();
    const error = await run(id).catch((thrown) => thrown);
    expect(error).to.have.property('message', 'database gone');
    expect(queue.messages()[0]).to.include({ state: 'waiting', attempts: 0 });
  });
});

describe('runDueMessages', () => {
  it('runs what is due by the clock, and what that leads to', async () => {
    const { send, runDue, stateOf } = open([fault()]);
    const failing = await send();
    const later = await send({ delayMs: 5_000 });
    expect(await runDue()).to.equal(1);
    expect(await runDue(5_000)).to.equal(1);
    expect([stateOf(failing), stateOf(later)]).to.deep.equal(['waiting', 'done']);
    expect(await runDue(10_000)).to.equal(1);
    expect(stateOf(failing)).to.equal('done');
  });
});

describe('delayAfter', () => {
  it('doubles up to six hours', () => {
    expect([1, 2, 3, 4].map((attempt) => delayAfter(attempt, 10_000))).to.deep.equal([10_000, 20_000, 40_000, 80_000]);
    expect(delayAfter(20, 3_600_000)).to.equal(6 * 3_600_000);
  });
});
