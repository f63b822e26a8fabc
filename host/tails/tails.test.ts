import { expect } from 'chai';
import type { Principal } from '../../registry/index.ts';
import type { HostRefusal } from '../errors.ts';
import type { Installation, InstallationLogEntry } from '../installations/contract.ts';
import type { CompletedInvocation } from '../invocations/run-plugin.ts';
import { createTails } from './compose.ts';
import type { TailEvent, TailFilter } from './contract.ts';
import { followLines, idAt } from './follow-lines.ts';
import { createOutcomeLines, outcomeOf } from './outcome-lines.ts';
import { createWatchList } from './watch-list.ts';

const T = 1_800_000_000_000;
const line = (atMs: number, message: string, changes: Partial<InstallationLogEntry> = {}): InstallationLogEntry => ({
  id: `${idAt(atMs).slice(0, 24)}${message.padEnd(12, '0').slice(0, 12)}`,
  at: new Date(atMs).toISOString(),
  invocationId: 'i',
  source: 'log',
  level: 'info',
  message,
  facts: {},
  ...changes,
});

/** A log in memory and a clock; every pause is a step of the story. */
function story(steps: ((log: InstallationLogEntry[]) => void)[]) {
  const log: InstallationLogEntry[] = [];
  const clock = { nowMs: T };
  const asked: number[] = [];
  return {
    log,
    clock,
    asked,
    ports: {
      linesAfter: async ({ after, before, limit }: { after: string; before?: string; limit: number }) => {
        const found = log
          .filter(({ id }) => id > after && (before === undefined || id < before))
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit);
        asked.push(found.length);
        return found;
      },
      nowMs: () => clock.nowMs,
      pause: async () => {
        clock.nowMs += 400;
        steps.shift()?.(log);
      },
    },
    steps,
  };
}

async function take<Item>(items: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) if (taken.push(item) === count) break;
  return taken;
}

describe('followLines', () => {
  it('gives each line once, and one that was written late when it comes', async () => {
    const { ports } = story([
      (log) => log.push(line(T + 300, 'b')),
      (log) => log.push(line(T + 200, 'a'), line(T + 900, 'c')),
      () => {},
      (log) => log.push(line(T - 10, 'before'), line(T + 1_700, 'd')),
    ]);
    const lines = followLines(ports, idAt(T), new AbortController().signal);
    const said = (await take(lines, 7)).map((each) => each?.message ?? null);
    expect(said).to.deep.equal([null, 'b', 'a', 'c', null, 'd', null]);
  });

  it('reads a flood page by page, each page when the one before was taken', async () => {
    const { log, ports, asked } = story([]);
    for (let n = 0; n < 1_200; n += 1) log.push(line(T + 1 + n, `m${n}`));
    const lines = followLines(ports, idAt(T), new AbortController().signal);
    expect(await take(lines, 500)).to.have.length(500);
    expect(asked.filter((found) => found > 0)).to.deep.equal([500]);
    const rest = followLines(ports, log[499]!.id, new AbortController().signal);
    expect((await take(rest, 700)).at(-1)?.message).to.equal('m1199');
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const { ports } = story([() => stop.abort()]);
    expect(await take(followLines(ports, idAt(T), stop.signal), 5)).to.deep.equal([null]);
  });
});

describe('createWatchList', () => {
  it('tells every host, remembers for a while, and leaves other notifications alone', async () => {
    const clock = { nowMs: 0 };
    const there = createWatchList({ notify: async () => {}, nowMs: () => clock.nowMs });
    const here = createWatchList({
      notify: async (payload) => void there.onPayload(payload),
      nowMs: () => clock.nowMs,
    });
    expect(there.isWatched('a')).to.equal(false);
    await here.watch('a');
    expect([here.isWatched('a'), there.isWatched('a'), there.isWatched('b')]).to.deep.equal([true, true, false]);
    clock.nowMs = 25_000;
    expect([here.isWatched('a'), there.isWatched('a')]).to.deep.equal([false, false]);
    expect(there.onPayload('installations:a')).to.equal(false);
  });
});

describe('createOutcomeLines', () => {
  const installation = { id: 'n' } as never;
  const usage = { cpuMs: 1, wallMs: 2 } as CompletedInvocation['usage'];
  const end = {
    invocationId: 'i',
    job: { kind: 'http', route: 'GET /orders/:id', params: { id: 'secret' } } as never,
    output: { kind: 'http', response: { status: 201 } } as never,
    usage,
    trace: undefined,
  };

  it('says nothing unless somebody watches, and never the address', () => {
    const lines: Omit<InstallationLogEntry, 'id'>[] = [];
    let watched = false;
    const { completed } = createOutcomeLines({
      watchList: { isWatched: () => watched },
      record: (_installation, entry) => lines.push(entry),
      nowMs: () => T,
    });
    completed(installation, end);
    expect(lines).to.deep.equal([]);
    watched = true;
    completed(installation, end);
    expect(lines[0]).to.deep.include({ message: 'completed: GET /orders/:id answered 201', level: 'debug' });
    expect(JSON.stringify(lines)).to.not.contain('secret');
    expect(outcomeOf(lines[0]!)).to.equal('completed');
  });

  it('writes fifty lines a second and then a number', () => {
    const lines: Omit<InstallationLogEntry, 'id'>[] = [];
    const clock = { nowMs: T };
    const { completed } = createOutcomeLines({
      watchList: { isWatched: () => true },
      record: (_installation, entry) => lines.push(entry),
      nowMs: () => clock.nowMs,
    });
    for (let n = 0; n < 80; n += 1) completed(installation, end);
    expect(lines).to.have.length(50);
    clock.nowMs += 1_000;
    completed(installation, end);
    expect(lines.slice(50).map(({ message }) => message)).to.deep.equal([
      'completed: 30 more invocations within a second',
      'completed: GET /orders/:id answered 201',
    ]);
  });
});

describe('createTails', () => {
  const operator = { organisation: { id: 'o', slug: 'arcade' } } as Principal;
  const publisher = { organisation: { id: 'p', slug: 'acme' } } as Principal;
  const stranger = { organisation: { id: 's', slug: 'acm' } } as Principal;
  const installation = { id: 'n', operator: { id: 'o' }, plugin: 'acme/x' } as Installation;

  function tailing(steps: Parameters<typeof story>[0] = []) {
    const told = story(steps);
    const watched: string[] = [];
    const levels: unknown[] = [];
    let found: Installation | null = installation;
    const tails = createTails({
      findInstallation: async () => found,
      logs: {
        linesAfter: (_id, { level, ...range }) => {
          levels.push(level);
          return told.ports.linesAfter(range);
        },
      },
      watchList: { watch: async (id) => void watched.push(id) },
      nowMs: told.ports.nowMs,
      pause: told.ports.pause,
    });
    const open = (actor: Principal, filter: TailFilter = {}, signal = new AbortController().signal) =>
      tails.open(actor, 'n', filter, signal);
    return {
      ...told,
      tails,
      open,
      watched,
      levels,
      remove: () => {
        found = null;
      },
    };
  }
  const refusalOf = (work: Promise<unknown>) =>
    work.then(
      () => 'opened',
      (error: HostRefusal) => error.code,
    );
  const messages = (events: TailEvent[]) =>
    events.map((event) => (event.type === 'line' ? event.entry.message : event.type));

  it('lets operators and publishers follow, each with what they may see, and nobody else', async () => {
    const stack = '    at a (src/a.ts:1:1)';
    const push = (log: InstallationLogEntry[]) =>
      log.push(line(T + 100, 'x', { source: 'host', facts: { fault: { stack } } }));
    expect(await refusalOf(tailing().open(stranger))).to.equal('installation-unknown');
    const seen = [];
    for (const actor of [publisher, operator]) {
      const { open } = tailing([push]);
      seen.push(JSON.stringify(await take(await open(actor), 2)).includes('src/a.ts'));
    }
    expect(seen).to.deep.equal([true, false]);
  });

  it('filters by level where the lines are, and by outcome here', async () => {
    const { open, levels } = tailing([
      (log) =>
        log.push(line(T + 100, 'said'), line(T + 200, 'done', { source: 'host', facts: { outcome: 'completed' } })),
    ]);
    const events = await take(await open(operator, { level: 'warn', outcome: 'completed' }), 2);
    expect(messages(events)).to.deep.equal(['beat', 'done']);
    expect(levels).to.include('warn');
  });

  it('goes on after the line that was seen last', async () => {
    const { open, log } = tailing();
    log.push(line(T - 9_000, 'old'), line(T - 8_000, 'new'));
    expect(messages(await take(await open(operator, { after: log[0]!.id }), 2))).to.deep.equal(['beat', 'new']);
  });

  it('keeps being watched, sends a beat into silence, and ends where the installation is gone', async () => {
    const { open, watched, remove, clock } = tailing();
    const events = await take(await open(operator), 3);
    expect(messages(events)).to.deep.equal(['beat', 'beat', 'beat']);
    expect(clock.nowMs - T).to.be.within(30_000, 31_000);
    expect(watched.length).to.be.at.least(4);
    const other = tailing(Array.from({ length: 10 }, () => remove));
    const gone = tailing([]);
    gone.remove();
    expect(await refusalOf(gone.open(operator))).to.equal('installation-unknown');
    const stream = await other.open(operator);
    other.remove();
    expect(messages(await take(stream, 9))).to.deep.equal(['beat']);
  });

  it('asks its reader to come again after ten minutes, and when the host closes', async () => {
    const { open, clock } = tailing();
    const all = await take(await open(operator), 1_000);
    expect(all.at(-1)).to.deep.equal({ type: 'again' });
    expect(clock.nowMs - T).to.be.within(600_000, 601_000);
    const closing = tailing();
    const stream = await closing.open(operator);
    closing.tails.close();
    expect(messages(await take(stream, 9))).to.deep.equal(['beat', 'again']);
  });

  it('refuses an organisation that follows too many at once, until one ends', async () => {
    const { open } = tailing();
    const stop = new AbortController();
    await open(operator, {}, stop.signal);
    for (let n = 1; n < 10; n += 1) await open(operator);
    expect(await refusalOf(open(operator))).to.equal('tails-saturated');
    await open(publisher);
    stop.abort();
    expect(await refusalOf(open(operator))).to.equal('opened');
  });

  it('keeps no place for a reader who has gone while it was let in', async () => {
    const { open } = tailing();
    for (let n = 0; n < 11; n += 1) {
      const gone = new AbortController();
      const opening = open(operator, {}, gone.signal);
      gone.abort();
      expect(await refusalOf(opening)).to.equal('opened');
    }
  });
});
