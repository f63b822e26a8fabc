import { BackOff } from '../../sandbox/index.ts';
import type { Log } from '../http/log.ts';
import { mergeMetrics } from './merge-metrics.ts';

/** Where callers reach a host. */
export interface Served {
  /** Such as `http://127.0.0.1:8080`. */
  url: string;
  adminUrl: string | null;
}

/** A process that was started to be a host. */
export interface HostProcess {
  pid: number | undefined;
  /** Null where it ended, or had to be killed for its slowness, before it served. Never rejects. */
  served: Promise<Served | null>;
  /** How it ended, such as `SIGKILL` or `exit code 1`. Never rejects. */
  ended: Promise<string>;
  /** Says that all hosts have been ready once. */
  allReady(): void;
  /** Lets it finish what it has begun, then end; kills it where that takes too long. */
  drain(): void;
  kill(): void;
  /** Its own metrics; null where it does not tell them in time. Never rejects. */
  expose(): Promise<string | null>;
}

export interface SupervisorPorts {
  /** How many hosts there are to be. */
  hosts: number;
  /** Starts a process; `number` counts from 1 and stays with the place, whoever takes it. */
  launch(number: number): HostProcess;
  log: Log;
  /** Any clock that does not go back. */
  nowMs(): number;
  /** Resolves after that time, or at once when `signal` is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<unknown>;
}

export interface Supervisor {
  /** Resolves when all hosts serve; null where one of them does not start, then all have ended. Call it once. */
  start(): Promise<Served | null>;
  /** Puts a new process in the place of each, one after the other; stops where a new one does not serve. */
  replaceAll(): Promise<void>;
  /** The metrics of all hosts in one text. */
  exposeAll(): Promise<string>;
  /** Drains all hosts; resolves when they have ended. Idempotent. */
  close(): Promise<void>;
}

/** One of the hosts, through all its processes. */
interface Place {
  number: number;
  /** The newest process that is meant to serve. */
  host: HostProcess | null;
  /** The one that serves. */
  ready: HostProcess | null;
  restarts: number;
  backOff: BackOff;
}

/** Keeps so many hosts up: one that ends is started again, after pauses that grow while it keeps ending. */
export function createSupervisor({ hosts, launch, log, nowMs, pause }: SupervisorPorts): Supervisor {
  const closing = new AbortController();
  const { signal } = closing;
  const living = new Set<HostProcess>();
  let wereAllReady = false;
  let replacing: Promise<void> | null = null;
  const places = Array.from(
    { length: hosts },
    (_, at): Place => ({ number: at + 1, host: null, ready: null, restarts: 0, backOff: new BackOff(nowMs) }),
  );

  const start = (number: number): HostProcess => {
    const host = launch(number);
    living.add(host);
    void host.ended.then(() => living.delete(host));
    return host;
  };
  const takePlace = (place: Place, host: HostProcess) => {
    place.host = host;
    place.ready = host;
    void host.ended.then(() => {
      if (place.ready === host) place.ready = null;
    });
    if (wereAllReady) host.allReady();
    else if (places.every(({ ready }) => ready !== null)) {
      wereAllReady = true;
      for (const { ready } of places) ready!.allReady();
    }
  };
  const bringUp = async (place: Place): Promise<Served | null> => {
    const host = start(place.number);
    place.host = host;
    const served = await host.served;
    if (served === null || place.host !== host) return null;
    takePlace(place, host);
    return served;
  };

  const keepUp = async (place: Place): Promise<void> => {
    while (!signal.aborted) {
      const host = place.host!;
      const how = await host.ended;
      // Where another has its place by now, it was asked to go.
      if (signal.aborted || place.host !== host) continue;
      const pauseMs = place.backOff.fail();
      log.error({ number: place.number, pid: host.pid, how, pauseMs }, 'a host has ended and is started again');
      await pause(pauseMs, signal);
      if (signal.aborted || place.host !== host) continue;
      place.restarts += 1;
      void bringUp(place).then((served) => {
        if (served) log.info({ number: place.number, pid: place.host?.pid }, 'a host is back');
      });
    }
  };

  const replace = async (place: Place): Promise<boolean> => {
    const next = start(place.number);
    const served = await next.served;
    if (served === null || signal.aborted) {
      next.kill();
      if (!signal.aborted) log.error({ number: place.number }, 'a new host did not start; the old ones stay');
      return false;
    }
    const old = place.host!;
    takePlace(place, next);
    old.drain();
    await old.ended;
    log.info({ number: place.number, pid: next.pid }, 'a host was replaced');
    return true;
  };
  const replaceInTurn = async () => {
    for (const place of places) if (signal.aborted || !(await replace(place))) return;
  };

  const close = async () => {
    closing.abort();
    for (const host of living) host.drain();
    await Promise.all([...living].map(({ ended }) => ended));
  };

  return {
    close,
    async start() {
      // The first one alone: what is wrong with the settings is then said once, and what is made at the first use is made by one.
      const [first, ...others] = places;
      const served = [await bringUp(first!)];
      if (served[0] !== null) served.push(...(await Promise.all(others.map(bringUp))));
      if (served.includes(null)) {
        await close();
        return null;
      }
      for (const place of places) void keepUp(place);
      return served[0]!;
    },
    replaceAll: () => {
      replacing ??= replaceInTurn().finally(() => {
        replacing = null;
      });
      return replacing;
    },
    exposeAll: async () =>
      mergeMetrics(
        await Promise.all(
          places.map(async ({ number, restarts, ready }) => ({
            number,
            restarts,
            pid: ready?.pid,
            text: (await ready?.expose()) ?? null,
          })),
        ),
      ),
  };
}
