import { expect } from 'chai';
import type { Manifest, PluginJob } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { RunOptions } from '../invocations/run-plugin.ts';
import type { Delivery } from './contract.ts';
import { createEventDelivery } from './deliver-events.ts';
import { delayAfter } from './rules/back-off.ts';

const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  eventId: 'e',
  installationId: 'i',
  topic: 'item.sold',
  payload: '{"a":1}',
  depth: 1,
  seed: 'a'.repeat(64),
  publishedAtMs: 0,
  from: { plugin: 'acme/seller', installation: 'seller' },
  attempt: 1,
  claims: 1,
  ...changes,
});

const subscriber = {
  id: 'i',
  grants: ['events'],
  enabled: true,
  conduct: GOOD_CONDUCT,
  manifest: { events: { subscribes: [{ topic: 'item.sold' }] } } as Manifest,
} as unknown as InstallationFacts;

/** Delivers what is given and tells what came of it. */
async function deliver(
  due: Delivery[],
  {
    fails,
    facts = subscriber,
    until,
    begun,
    ends: endsMin = due.length,
  }: {
    fails?: Error;
    facts?: InstallationFacts | null;
    /** What the invocations wait for, what begins it, and how many ends there will be. */
    until?: Promise<void>;
    begun?: () => void;
    ends?: number;
  } = {},
) {
  const ends: unknown[] = [];
  const logs: string[] = [];
  const runs: { job: PluginJob; options: RunOptions }[] = [];
  let waiting = due;
  const ended =
    (name: string) =>
    async (each: Delivery, ...rest: unknown[]) =>
      void ends.push([name, each.attempt, ...rest]);
  const events = createEventDelivery({
    store: {
      claim: async (limit) => {
        const taken = waiting.slice(0, limit);
        waiting = waiting.slice(limit);
        return taken;
      },
      done: ended('done'),
      failed: ended('failed'),
      postpone: ended('postpone'),
    },
    factsOf: async () => facts,
    runPlugin: async (_installation, job, options) => {
      runs.push({ job, options });
      if (fails) throw fails;
      await until;
      return { invocationId: '', output: { kind: 'value', value: null } };
    },
    record: (_installation, { level, message }) => void logs.push(`${level} ${message}`),
    onDelivered: () => {},
    nowMs: () => 0,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  await events.tick();
  await new Promise((resolve) => setImmediate(resolve));
  begun?.();
  while (ends.length < endsMin) await new Promise((resolve) => setImmediate(resolve));
  await events.close();
  return { ends, logs, runs };
}

describe('createEventDelivery', () => {
  it('runs the hook of the topic, at the depth of the event', async () => {
    const { ends, runs } = await deliver([delivery()]);
    expect(ends).to.deep.equal([['done', 1]]);
    const event = {
      hook: 'events.item.sold',
      eventId: 'e',
      occurredAt: '1970-01-01T00:00:00.000Z',
      payload: { a: 1 },
      from: { plugin: 'acme/seller', installation: 'seller' },
    };
    expect(runs[0]!.job).to.deep.equal({ kind: 'hook', event });
    expect(runs[0]!.options).to.deep.include({ caller: null, lineage: { depth: 1, waiting: [] } });
  });

  it('names an attempt alike on every host, and each attempt and subscriber otherwise', async () => {
    const attempts = [{}, { claims: 2 }, { attempt: 2 }, { installationId: 'j' }];
    const runs: { options: RunOptions }[] = [];
    for (const changes of attempts) runs.push(...(await deliver([delivery(changes)])).runs);
    const [first, again, next, other] = runs.map(({ options }) => options.attempt!.invocationId);
    expect(first)
      .to.equal(again)
      .and.match(/^[0-9a-f-]{36}$/);
    expect(new Set([first, next, other]).size).to.equal(3);
    expect(runs[0]!.options.attempt!.seed).to.not.equal('a'.repeat(64));
  });

  it('tries again with growing pauses after a fault, and gives up after eight attempts', async () => {
    const fails = new PluginFaultError({ code: 'plugin-threw', message: 'x' }, 'v');
    const { ends, logs } = await deliver(
      [1, 2, 7, 8].map((attempt) => delivery({ attempt })),
      { fails },
    );
    expect(ends).to.deep.equal([
      ['failed', 1, 'plugin-threw', 1_000],
      ['failed', 2, 'plugin-threw', 4_000],
      ['failed', 7, 'plugin-threw', 4_096_000],
      ['failed', 8, 'plugin-threw', null],
    ]);
    expect(logs[0]).to.equal('warn event item.sold not delivered: plugin-threw; attempt 1, it is tried again in 1 s');
    expect(logs[3]).to.equal('error event item.sold not delivered: plugin-threw; attempt 8, it is given up');
    expect(delayAfter(8)).to.equal(null);
  });

  it('counts neither what the sandbox refused nor what it could not begin', async () => {
    for (const [code, begun] of [
      ['sandbox-interrupted', true],
      ['sandbox-saturated', false],
    ] as const) {
      const { ends } = await deliver([delivery()], { fails: new SandboxRefusal(code) });
      expect(ends, code).to.deep.equal([['postpone', 1, 1_000, begun]]);
    }
  });

  it('counts an attempt as failed that three hosts have begun and none has ended', async () => {
    const { ends, runs } = await deliver([delivery({ claims: 4 })]);
    expect(ends).to.deep.equal([['failed', 1, 'internal-error', 1_000]]);
    expect(runs).to.deep.equal([]);
  });

  it('does not begin an attempt beside itself whose lease has ended', async () => {
    let end = () => {};
    const running = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { ends, runs } = await deliver([delivery(), delivery({ claims: 2 })], {
      until: running,
      ends: 1,
      begun: end,
    });
    expect([ends, runs.length]).to.deep.equal([[['done', 1]], 1]);
  });

  it('drops what nobody hears any more, and keeps what a disabled installation may hear later', async () => {
    const nobody = [null, { ...subscriber, grants: [] }, { ...subscriber, manifest: {} as Manifest }];
    for (const facts of nobody) expect((await deliver([delivery()], { facts })).ends).to.deep.equal([['done', 1]]);
    const disabled = { ...subscriber, enabled: false };
    const { ends, runs } = await deliver([delivery()], { facts: disabled });
    expect(ends).to.deep.equal([['failed', 1, 'installation-disabled', 1_000]]);
    expect(runs).to.deep.equal([]);
  });
});
