import type { Attention } from './attention.ts';
import { BackOff } from './back-off.ts';
import type { CordonEnd } from './blame.ts';
import type { SandboxAlarm } from './contract.ts';
import type { Cordon } from './cordon-link.ts';
import type { CordonHooks } from './cordon-pool.ts';
import type { Run, RunLane } from './run.ts';

export interface AnnexOptions {
  kind: 'solitary' | 'quarantine';
  /** Whom it is for; null where it is for everybody. */
  installationId: string | null;
  /** Invocations that may wait; more are refused with sandbox-saturated. */
  queueMax: number;
}

export interface AnnexPorts {
  /** Starts a process; throws where that cannot be done. */
  launch(lanes: number, hooks: CordonHooks, attention: Attention): Cordon;
  /** A clock that does not go back. */
  nowMs(): number;
  /** Sends a run to a lane. */
  begin(run: Run, lane: RunLane): void;
  onEnd(cordon: Cordon, end: CordonEnd): void;
  onAlarm(alarm: SandboxAlarm): void;
}

/** A cordon beside the pool, with one lane: it is started when somebody needs it, and ended when nobody does. */
export class Annex {
  readonly options: AnnexOptions;
  /** Invocations that wait for it to start. */
  readonly parked = new Set<Run>();
  cordon: Cordon | null = null;
  alarm: SandboxAlarm | null = null;
  readonly #ports: AnnexPorts;
  readonly #backOff: BackOff;
  #pause: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: AnnexOptions, ports: AnnexPorts) {
    this.options = options;
    this.#ports = ports;
    this.#backOff = new BackOff(ports.nowMs);
  }

  /** Nothing runs in it and nothing waits for it. */
  get isQuiet(): boolean {
    return this.parked.size === 0 && (this.cordon?.lanes[0]?.runs.size ?? 0) === 0;
  }

  /** Runs an invocation as soon as it can, or refuses it. */
  add(run: Run): void {
    const lane = this.cordon?.state === 'ready' ? this.cordon.lanes[0]! : null;
    // An invocation that the sandbox took on already is not turned away.
    const full = run.executions === 0 && (lane ? lane.waiting : this.parked.size) >= this.options.queueMax;
    if (full) run.refuse('sandbox-saturated');
    else if (lane) this.#ports.begin(run, lane);
    else {
      run.park(this.parked);
      this.#ensure();
    }
  }

  /** Ends the process, where there is one. It starts again with the next invocation. */
  async rest(): Promise<void> {
    if (this.#pause) clearTimeout(this.#pause);
    this.#pause = null;
    await this.cordon?.shutDown();
  }

  /** Ends it for good. */
  close(): Promise<void> {
    this.#closing ??= this.rest();
    return this.#closing;
  }

  #ensure(): void {
    if (this.cordon || this.#pause || this.#closing || this.parked.size === 0) return;
    const hooks: CordonHooks = {
      onReady: (cordon) => this.#onReady(cordon),
      onEnd: (cordon, end) => this.#onEnd(cordon, end),
    };
    try {
      this.cordon = this.#ports.launch(1, hooks, 'low');
    } catch (error) {
      this.#wait(String(error));
    }
  }

  #onReady(cordon: Cordon): void {
    this.alarm = null;
    for (const run of [...this.parked]) {
      run.unpark();
      this.#ports.begin(run, cordon.lanes[0]!);
    }
  }

  #onEnd(cordon: Cordon, end: CordonEnd): void {
    this.cordon = null;
    if (!cordon.asked && !cordon.wasReady) this.#wait(end.stderr.trim() || `it ended with ${end.signal ?? end.code}`);
    // Whoever kills its own cordon again and again must not keep the machine busy with starting others.
    else if (!cordon.asked && this.options.kind === 'solitary') this.#wait(null);
    this.#ports.onEnd(cordon, end);
    this.#ensure();
  }

  /** Starts again after a pause; `why` is null where the cordon had started well. */
  #wait(why: string | null): void {
    if (this.#closing) return;
    const retryInMs = this.#backOff.fail();
    const { failures } = this.#backOff;
    if (why !== null) {
      this.alarm = { code: 'cordon-start-failed', kind: this.options.kind, failures, why, retryInMs };
      this.#ports.onAlarm(this.alarm);
    }
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#ensure();
    }, retryInMs);
  }
}
