import { BackOff } from './back-off.ts';
import type { CordonEnd } from './blame.ts';
import type { CordonKind, SandboxAlarm } from './contract.ts';
import type { Cordon, LaneLink } from './cordon-link.ts';

/** One that was ready, ran nothing and lived less than this has failed to start. */
const SHORT_LIFE_MS = 1_000;
/** At boot, failures beyond one for each cordon that are bad luck; more are a fault of the installation. */
const BOOT_RETRIES = 2;
/** A cordon that grows as fast as this is stopped by its cap. */
const GROWN_AGE_MS_MIN = 10_000;
/** Over the ceiling of `wallMs`: no invocation of a cordon that drains can take longer. */
export const DRAIN_MS_MAX = 61_000;

export interface PoolOptions {
  cordons: number;
  lanesPerCordon: number;
  spare: boolean;
  ageMsMax: number;
  /** Size at which a cordon is recycled. */
  residentMiBSoft: number;
}

/** What is said of a cordon while it lives. */
export interface CordonHooks {
  onReady(cordon: Cordon): void;
  onEnd(cordon: Cordon, end: CordonEnd): void;
}

export interface PoolPorts {
  /** Starts a process; throws where that cannot be done. */
  launch(lanes: number, hooks: CordonHooks): Cordon;
  /** A clock that does not go back. */
  nowMs(): number;
  /** There are lanes that were not there before. */
  onSeated(): void;
  /** The lanes of the cordon are gone, and those of a spare have taken their place where there was one. */
  onEnd(cordon: Cordon, end: CordonEnd): void;
  onAlarm(alarm: SandboxAlarm): void;
}

interface Seat {
  firstLane: number;
  cordon: Cordon | null;
  seatedAtMs: number;
}

/**
 * The cordons that run whatever comes. Each has a seat, which gives its lanes their numbers; cordons without a seat stand by
 * to take one that becomes free by a death, at once, or by recycling, without a gap.
 */
export class CordonPool {
  /** By number of the lane; null where its seat is free. */
  readonly links: (LaneLink | null)[];
  recycled = 0;
  alarm: SandboxAlarm | null = null;
  readonly #options: PoolOptions;
  readonly #ports: PoolPorts;
  readonly #seats: Seat[];
  readonly #standby = new Set<Cordon>();
  /** Until when each may take. */
  readonly #draining = new Map<Cordon, number>();
  readonly #backOff: BackOff;
  #pause: NodeJS.Timeout | null = null;
  #booted = false;
  #closing = false;
  #boot: { onSeated(): void; onFailure(why: string): void } | null = null;

  constructor(options: PoolOptions, ports: PoolPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#backOff = new BackOff(ports.nowMs);
    const { cordons, lanesPerCordon } = options;
    this.#seats = Array.from({ length: cordons }, (_, at) => ({
      firstLane: at * lanesPerCordon,
      cordon: null,
      seatedAtMs: 0,
    }));
    this.links = Array.from({ length: cordons * lanesPerCordon }, () => null);
  }

  /** Resolves when every seat is taken; the spare comes afterwards. Rejects with what a cordon said when it cannot start. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#boot = {
      onSeated: () => this.#seats.every(({ cordon }) => cordon !== null) && resolve(),
      onFailure: (why) => reject(new Error(`a sandbox process does not start: ${why}`)),
    };
    this.#fill();
    await promise.finally(() => {
      this.#boot = null;
    });
    this.#booted = true;
    this.#fill();
  }

  /** Every living cordon with its place. */
  list(): { cordon: Cordon; kind: CordonKind }[] {
    const seated = [...this.#seats.flatMap(({ cordon }) => cordon ?? []), ...this.#draining.keys()];
    const free = this.#seats.filter(({ cordon }) => cordon === null).length;
    return [
      ...seated.map((cordon) => ({ cordon, kind: 'pool' as const })),
      // Those that stand by while seats are free are to take them.
      ...[...this.#standby].map((cordon, at) => ({ cordon, kind: at < free ? ('pool' as const) : ('spare' as const) })),
    ];
  }

  /** Recycles what is too old or too large, and ends what has drained. Call it about once a second. */
  tick(): void {
    for (const [cordon, untilMs] of this.#draining) {
      if (isQuiet(cordon) || this.#ports.nowMs() > untilMs) void cordon.shutDown();
    }
    for (const { cordon } of this.list()) this.#hasStarted(cordon);
    this.#recycle();
    this.#fill();
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pause) clearTimeout(this.#pause);
    await Promise.all(this.list().map(({ cordon }) => cordon.shutDown()));
  }

  /** The seat whose cordon should be replaced; one at a time. */
  #due(): Seat | null {
    if (this.#draining.size > 0) return null;
    const nowMs = this.#ports.nowMs();
    const { ageMsMax, residentMiBSoft } = this.#options;
    const isDue = ({ cordon, seatedAtMs }: Seat) => {
      if (!cordon) return false;
      const ageMs = nowMs - seatedAtMs;
      return ageMs > ageMsMax || (cordon.residentMiB > residentMiBSoft && ageMs > GROWN_AGE_MS_MIN);
    };
    return this.#seats.find(isDue) ?? null;
  }

  #recycle(): void {
    const seat = this.#due();
    if (!seat?.cordon) return;
    const heir = this.#readyStandby();
    if (!heir) return;
    this.recycled++;
    seat.cordon.draining = true;
    this.#draining.set(seat.cordon, this.#ports.nowMs() + DRAIN_MS_MAX);
    this.#sit(seat, heir);
  }

  #readyStandby(): Cordon | undefined {
    return [...this.#standby].find(({ state }) => state === 'ready');
  }

  #sit(seat: Seat, cordon: Cordon): void {
    this.#standby.delete(cordon);
    seat.cordon = cordon;
    seat.seatedAtMs = this.#ports.nowMs();
    for (const link of cordon.lanes) this.links[seat.firstLane + link.lane] = link;
    this.#ports.onSeated();
    this.#boot?.onSeated();
  }

  #sitDown(): void {
    for (const seat of this.#seats) {
      if (seat.cordon) continue;
      const heir = this.#readyStandby();
      if (!heir) return;
      this.#sit(seat, heir);
    }
  }

  /** Starts what is lacking. While starts fail there is one attempt at a time. */
  #fill(): void {
    if (this.#closing || this.#pause) return;
    const extra = (this.#booted && this.#options.spare) || this.#due() !== null ? 1 : 0;
    const seated = this.#seats.filter(({ cordon }) => cordon !== null).length;
    const lacking = this.#seats.length + extra - seated - this.#standby.size;
    const starting = [...this.#standby].filter(({ state }) => state === 'starting').length;
    const starts = this.alarm ? Math.min(lacking, 1 - starting) : lacking;
    for (let started = 0; started < starts && !this.#pause; started++) this.#launch();
  }

  #launch(): void {
    try {
      const cordon = this.#ports.launch(this.#options.lanesPerCordon, {
        onReady: () => this.#onReady(),
        onEnd: (ended, end) => this.#onEnd(ended, end),
      });
      this.#standby.add(cordon);
    } catch (error) {
      this.#onFailure(String(error));
    }
  }

  #onReady(): void {
    this.alarm = null;
    this.#sitDown();
    this.#recycle();
    this.#fill();
  }

  #onEnd(cordon: Cordon, end: CordonEnd): void {
    this.#standby.delete(cordon);
    this.#draining.delete(cordon);
    const seat = this.#seats.find((other) => other.cordon === cordon);
    if (seat) {
      seat.cordon = null;
      for (const { lane } of cordon.lanes) this.links[seat.firstLane + lane] = null;
    }
    const started = this.#hasStarted(cordon);
    if (!cordon.asked && !started) this.#onFailure(end.stderr.trim() || `it ended with ${end.signal ?? end.code}`);
    if (!this.#closing) this.#sitDown();
    this.#fill();
    this.#ports.onEnd(cordon, end);
  }

  /** Whether it counts as one that starts. Failures that lie apart by such a one have nothing to do with each other. */
  #hasStarted(cordon: Cordon): boolean {
    const lifeMs = this.#ports.nowMs() - cordon.readyAtMs;
    const started = cordon.wasReady && (cordon.used || lifeMs >= SHORT_LIFE_MS);
    if (started) this.#backOff.succeed(cordon.readyAtMs);
    return started;
  }

  #onFailure(why: string): void {
    if (this.#closing) return;
    const retryInMs = this.#backOff.fail();
    const { failures } = this.#backOff;
    this.alarm = {
      code: 'cordon-start-failed',
      kind: this.#hasFreeSeat() ? 'pool' : 'spare',
      failures,
      why,
      retryInMs,
    };
    this.#ports.onAlarm(this.alarm);
    if (failures >= this.#seats.length + BOOT_RETRIES) this.#boot?.onFailure(why);
    if (this.#pause) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#fill();
    }, retryInMs);
  }

  #hasFreeSeat(): boolean {
    return this.#seats.some(({ cordon }) => cordon === null);
  }
}

export const isQuiet = ({ lanes }: Cordon): boolean => lanes.every(({ runs }) => runs.size === 0);
