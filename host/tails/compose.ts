import type { Principal } from '../../registry/index.ts';
import { keepContext } from '../database-context.ts';
import { HostRefusal } from '../errors.ts';
import type { Installation, InstallationLogEntry } from '../installations/contract.ts';
import { withoutFrames } from '../installations/without-frames.ts';
import type { TailEvent, TailFilter, Tails } from './contract.ts';
import { type FollowPorts, followLines, idAt } from './follow-lines.ts';
import { outcomeOf } from './outcome-lines.ts';
import type { WatchList } from './watch-list.ts';

/** On one host; each asks the database a few times a second. */
const TAILS_MAX = 100;
const TAILS_PER_ORGANISATION_MAX = 10;
const BEAT_MS = 15_000;
const WATCH_MS = 10_000;
/** Then the reader comes again, with its token: one that was revoked follows nothing for longer than this. */
const TAIL_MS_MAX = 10 * 60_000;

export interface TailsPorts {
  findInstallation(id: string): Promise<Installation | null>;
  logs: {
    linesAfter(
      installationId: string,
      range: Parameters<FollowPorts['linesAfter']>[0] & Pick<TailFilter, 'level'>,
    ): Promise<InstallationLogEntry[]>;
  };
  watchList: Pick<WatchList, 'watch'>;
  nowMs(): number;
  pause?: FollowPorts['pause'];
}

export function createTails(ports: TailsPorts): Tails {
  const { nowMs, pause = pauseFor } = ports;
  const open = new Set<{ organisationId: string; stop: AbortController }>();

  const admit = (organisationId: string) => {
    const own = [...open].filter((tail) => tail.organisationId === organisationId).length;
    if (open.size >= TAILS_MAX || own >= TAILS_PER_ORGANISATION_MAX) throw new HostRefusal('tails-saturated');
    const tail = { organisationId, stop: new AbortController() };
    open.add(tail);
    return tail;
  };

  return {
    open: async (actor, id, filter, signal) => {
      const mayRead = await readerOf(ports, actor, id);
      if (mayRead === null) throw new HostRefusal('installation-unknown');
      const tail = admit(actor.organisation.id);
      const ended = AbortSignal.any([signal, tail.stop.signal]);
      const leave = () => open.delete(tail);
      // One that is never read must not count for ever; nor one whose reader has gone by now, of which nobody is told again.
      ended.addEventListener('abort', leave, { once: true });
      if (ended.aborted) leave();
      const watched = ports.watchList.watch(id).catch(() => {});
      await watched;
      // Whoever sends the stream asks for its next piece, and acts for nobody.
      const kept = {
        findInstallation: keepContext(ports.findInstallation),
        logs: { linesAfter: keepContext(ports.logs.linesAfter) },
      };
      return events({ ...ports, ...kept, nowMs, pause }, actor, id, filter, ended, leave);
    },
    close: () => {
      for (const { stop } of open) stop.abort();
    },
  };
}

/** What somebody may see of an installation's lines; null where that is nothing. */
async function readerOf(
  { findInstallation }: Pick<TailsPorts, 'findInstallation'>,
  { organisation }: Principal,
  id: string,
): Promise<'publisher' | 'operator' | null> {
  const installation = await findInstallation(id);
  if (installation?.plugin.startsWith(`${organisation.slug}/`)) return 'publisher';
  return installation?.operator.id === organisation.id ? 'operator' : null;
}

async function* events(
  ports: Required<TailsPorts>,
  actor: Principal,
  id: string,
  { level, outcome, after }: TailFilter,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncGenerator<TailEvent> {
  const { nowMs, pause, logs, watchList } = ports;
  const startedAtMs = nowMs();
  let saidAtMs = startedAtMs;
  let watchedAtMs = startedAtMs;
  const reader = await readerOf(ports, actor, id);
  const linesAfter: FollowPorts['linesAfter'] = (range) => logs.linesAfter(id, { ...range, level });
  try {
    yield { type: 'beat' };
    for await (const line of followLines({ linesAfter, nowMs, pause }, after ?? idAt(startedAtMs), signal)) {
      const atMs = nowMs();
      if (line !== null && (outcome === undefined || outcomeOf(line) === outcome)) {
        saidAtMs = atMs;
        yield { type: 'line', entry: reader === 'publisher' ? line : withoutFrames(line) };
      } else if (atMs - saidAtMs >= BEAT_MS) {
        saidAtMs = atMs;
        yield { type: 'beat' };
      }
      if (atMs - startedAtMs >= TAIL_MS_MAX) break;
      if (atMs - watchedAtMs >= WATCH_MS) {
        watchedAtMs = atMs;
        if ((await readerOf(ports, actor, id)) === null) return;
        await watchList.watch(id);
      }
    }
    yield { type: 'again' };
  } finally {
    onEnd();
  }
}

const pauseFor: FollowPorts['pause'] = (ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
