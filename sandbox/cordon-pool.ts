import type { Attention } from './attention.ts';
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
  /** What its cordons are for. Those of `probation` have the machine's last attention. */
  kind: 'pool' | 'probation';
  cordons: number;
  lanesPerCordon: number;
  spare: boolean;
  /** For so long after a death another one is likely, and a second spare is kept. */
  secondSpareMs: number;
  /** On average it starts no more than one in so long, two at once; 0 for as many as are needed. */
  startPeriodMs: number;
  /** With how much a spare starts where another one is ready. `low` only where it can be raised again. */
  reserveAttention: Attention;
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
  launch(lanes: number, hooks: CordonHooks, attention: Attention): Cordon;
  /** A clock that does not go back. */
  nowMs(): number;
  /** Does something when what is under way now is done: starting a process holds up the host for milliseconds. */
  later(work: () => void): void;
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
  #diedAtMs = Number.NEGATIVE_INFINITY;
  /** When the last two were started. */
  #startsMs = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
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
    this.open();
  }

  /** Starts what is lacking, the spare too, without waiting for it. */
  open(): void {
    this.#booted = true;
    this.#fill();
  }

  /** Every living cordon with its place. */
  list(): { cordon: Cordon; kind: CordonKind }[] {
    const seated = [...this.#seats.flatMap(({ cordon }) => cordon ?? []), ...this.#draining.keys()];
    const free = this.#seats.filter(({ cordon }) => cordon === null).length;
    return [
      ...seated.map((cordon) => ({ cordon, kind: this.#options.kind })),
      // Those that stand by while seats are free are to take them.
      ...[...this.#standby].map((cordon, at) => ({ cordon, kind: at < free ? this.#options.kind : this.#spareKind })),
    ];
  }

  /** Recycles what is too old or too large, and ends what has drained. Call it about once a second. */
  tick(): void {
    for (const [cordon, untilMs] of this.#draining) {
      if (isQuiet(cordon) || this.#ports.nowMs() > untilMs) void cordon.shutDown();
    }
    for (const { cordon } of this.list()) this.#hasStarted(cordon);
    const surplus = this.#standby.size - Math.max(1, this.#sparesWanted());
    if (surplus > 0 && !this.#hasFreeSeat()) void [...this.#standby].at(-1)!.shutDown();
    this.#recycle();
    this.#fill();
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pause) clearTimeout(this.#pause);
    await Promise.all(this.list().map(({ cordon }) => cordon.shutDown()));
  }

  /** The spare of those on probation is for nobody else. */
  get #spareKind(): CordonKind {
    return this.#options.kind === 'pool' ? 'spare' : 'probation';
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
    if (this.#options.kind === 'pool') cordon.attend('full');
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
    // Whoever had time to start is the next one now.
    if (this.#options.kind === 'pool' && !this.#readyStandby())
      for (const cordon of this.#standby) cordon.attend('full');
    const seated = this.#seats.filter(({ cordon }) => cordon !== null).length;
    const lacking = this.#seats.length + this.#sparesWanted() - seated - this.#standby.size;
    const starting = [...this.#standby].filter(({ state }) => state === 'starting').length;
    const starts = this.alarm ? Math.min(lacking, 1 - starting) : lacking;
    for (let started = 0; started < starts && !this.#pause; started++) {
      const waitMs = this.#startsMs[0]! + 2 * this.#options.startPeriodMs - this.#ports.nowMs();
      if (waitMs > 0) this.#waitFor(waitMs);
      else this.#launch();
    }
  }

  #waitFor(ms: number): void {
    if (this.#pause) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#fill();
    }, ms);
  }

  #sparesWanted(): number {
    if (!this.#booted || !this.#options.spare) return this.#due() === null ? 0 : 1;
    const isDeadly = this.#ports.nowMs() - this.#diedAtMs < this.#options.secondSpareMs;
    return isDeadly && this.#readyStandby() ? 2 : 1;
  }

  #launch(): void {
    this.#startsMs = [this.#startsMs[1]!, this.#ports.nowMs()];
    const { kind, reserveAttention } = this.#options;
    // Who starts while another stands by ready has time.
    const inReserve = this.#readyStandby() !== undefined && !this.#hasFreeSeat();
    const attention = kind === 'probation' ? 'low' : inReserve ? reserveAttention : 'full';
    const hooks: CordonHooks = {
      onReady: (cordon) => this.#onReady(cordon),
      onEnd: (ended, end) => this.#onEnd(ended, end),
    };
    try {
      const cordon = this.#ports.launch(this.#options.lanesPerCordon, hooks, attention);
      this.#standby.add(cordon);
    } catch (error) {
      this.#onFailure(String(error));
    }
  }

  #onReady(cordon: Cordon): void {
    this.alarm = null;
    if (this.#options.kind === 'pool') cordon.attend('full');
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
    if (!cordon.asked && started) this.#diedAtMs = this.#ports.nowMs();
    const why = end.stderr.trim() || `it ended with ${end.signal ?? end.code}`;
    if (!cordon.asked && !started) this.#onFailure(why, cordon.wasReady);
    if (!this.#closing) this.#sitDown();
    this.#ports.onEnd(cordon, end);
    this.#ports.later(() => this.#fill());
  }

  /** Whether it counts as one that starts. Failures that lie apart by such a one have nothing to do with each other. */
  #hasStarted(cordon: Cordon): boolean {
    const lifeMs = this.#ports.nowMs() - cordon.readyAtMs;
    const started = cordon.wasReady && (cordon.used || lifeMs >= SHORT_LIFE_MS);
    if (started) this.#backOff.succeed(cordon.readyAtMs);
    return started;
  }

  #onFailure(why: string, wasReady = false): void {
    if (this.#closing) return;
    const retryInMs = this.#backOff.fail();
    const { failures } = this.#backOff;
    // Somebody has killed it. Once is chance, and whoever waits for a cordon need not wait for that.
    if (wasReady && failures === 1) return;
    this.alarm = {
      code: 'cordon-start-failed',
      kind: this.#hasFreeSeat() ? this.#options.kind : this.#spareKind,
      failures,
      why,
      retryInMs,
    };
    this.#ports.onAlarm(this.alarm);
    if (failures >= this.#seats.length + BOOT_RETRIES) this.#boot?.onFailure(why);
    this.#waitFor(retryInMs);
  }

  #hasFreeSeat(): boolean {
    return this.#seats.some(({ cordon }) => cordon === null);
  }
}

export const isQuiet = ({ lanes }: Cordon): boolean => lanes.every(({ runs }) => runs.size === 0);
