import type { Outcome, SandboxAlarm } from './contract.ts';
import type { LaneLink } from './cordon-link.ts';
import { CordonPool, isQuiet, type PoolOptions, type PoolPorts } from './cordon-pool.ts';
import type { Place } from './cordon-status.ts';
import { createPlacement } from './placement.ts';
import type { Run, RunLane } from './run.ts';
import { TrackRecords } from './track-record.ts';

/** Newcomers wait behind so many; where there are more, the machine has no better place than the pool. */
const NEWCOMERS_MAX = 32;
/** Forking costs the host 6 ms of its event loop (measured, 200 MiB). Whoever breaks cordons faster than this waits. */
const START_PERIOD_MS = 1_000;

export interface ProbationOptions extends Pick<PoolOptions, 'reserveAttention' | 'ageMsMax' | 'residentMiBSoft'> {
  /** Of one lane each. */
  cordons: number;
  /** Invocations that may wait for one of them. */
  queueMax: number;
}

export interface ProbationPorts extends Omit<PoolPorts, 'onSeated'> {
  /** Sends a run to a lane. */
  begin(run: Run, lane: RunLane): void;
}

/**
 * Cordons for those that have broken a limit not long ago, and, for as long as somebody does, for those of which nothing is known yet: the
 * first offence costs its neighbours a turn, and the next ones cost them nothing. They have a spare of their own and the machine's last
 * attention. In peace there are none.
 */
export class Probation {
  readonly #options: ProbationOptions;
  readonly #ports: ProbationPorts;
  readonly #records: TrackRecords;
  readonly #placement: ReturnType<typeof createPlacement>;
  /** Invocations that wait for a cordon to start. */
  readonly #parked = new Set<Run>();
  #pool: CordonPool | null = null;
  #closing = false;

  constructor(options: ProbationOptions, ports: ProbationPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#records = new TrackRecords(ports.nowMs);
    this.#placement = createPlacement(options.cordons);
  }

  get alarm(): SandboxAlarm | null {
    return this.#pool?.alarm ?? null;
  }

  /** Runs an invocation apart, as soon as it can, or refuses it. False where it may run with everybody. */
  takes(run: Run): boolean {
    const standing = this.#records.standingOf(run.invocation.installationId);
    if (standing === 'clean' || this.#pool === null) return false;
    const link = this.#laneFor(run, this.#pool.links);
    const waiting = link ? link.waiting : this.#parked.size;
    if (standing === 'newcomer' && waiting >= NEWCOMERS_MAX) return false;
    // An invocation that the sandbox took on already is not turned away.
    if (run.executions === 0 && waiting >= this.#options.queueMax) run.refuse('sandbox-saturated');
    else if (link) this.#ports.begin(run, link);
    else run.park(this.#parked);
    return true;
  }

  /** An invocation is over; `outcome` is null where it was refused. */
  note(installationId: string, outcome: Outcome | null): void {
    if (this.#records.note(installationId, outcome)) this.#open();
  }

  /** A cordon has died of the installation. */
  blame(installationId: string): void {
    this.#records.offend(installationId);
    this.#open();
  }

  list(): Place[] {
    return this.#pool?.list() ?? [];
  }

  /** Call it about once a second. */
  tick(): void {
    this.#pool?.tick();
    if (!this.#pool || this.#records.isUnrest || this.#parked.size > 0) return;
    if (this.#pool.list().every(({ cordon }) => isQuiet(cordon))) void this.#rest();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#rest();
  }

  #laneFor({ invocation }: Run, links: readonly (LaneLink | null)[]): LaneLink | null {
    const loads = links.map((link) => link?.runs.size ?? 0);
    const lane = this.#placement.place(invocation.installationId, loads, (number) => links[number] != null);
    return links[lane] ?? null;
  }

  #open(): void {
    if (this.#pool || this.#closing) return;
    const { queueMax: _, ...size } = this.#options;
    this.#pool = new CordonPool(
      { kind: 'probation', lanesPerCordon: 1, spare: true, secondSpareMs: 0, startPeriodMs: START_PERIOD_MS, ...size },
      { ...this.#ports, onSeated: this.#onSeated },
    );
    this.#pool.open();
  }

  #onSeated = (): void => {
    for (const run of [...this.#parked]) {
      const link = this.#laneFor(run, this.#pool!.links);
      if (!link) return;
      run.unpark();
      this.#ports.begin(run, link);
    }
  };

  async #rest(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.close();
  }
}
