import type { OpenTurn } from './black-box.ts';
import { type CordonEnd, faultOfCulprit, type Judgement, judgeDeath } from './blame.ts';
import { monotonicMs } from './clock.ts';
import type {
  Culprit,
  Invocation,
  InvocationPorts,
  Outcome,
  SandboxOptions,
  SandboxPorts,
  SandboxStatus,
} from './contract.ts';
import { Cordon, type LaneLink } from './cordon-link.ts';
import { SandboxRefusal } from './errors.ts';
import { LOSSES_MAX } from './limits.ts';
import type { LaneMessage } from './messages.ts';
import { createPlacement } from './placement.ts';
import { Run } from './run.ts';

/** Delay before a cordon that died while it started is started again; doubled each time. */
const BACK_OFF_MS = 100;
const BACK_OFF_MAX_MS = 10_000;
/** A cordon that cannot start so many times in a row at boot is a fault of the installation, not bad luck. */
const BOOT_FAILURES_MAX = 3;
/** The cordon for suspects is kept for so long after the last of them. */
const QUARANTINE_IDLE_MS = 10_000;
const EXIT_WAIT_MS = 5_000;

/** A place for a cordon; its lanes keep their numbers when the process is replaced. */
interface Slot {
  firstLane: number;
  lanes: number;
  cordon: Cordon | null;
  failures: number;
  /** Until it is started again. */
  timer: NodeJS.Timeout | null;
  quarantine: boolean;
}

/** Host side of the sandbox: cordons, and the invocations that they run. */
export class Supervisor {
  readonly #options: SandboxOptions;
  readonly #ports: SandboxPorts;
  readonly #slots: Slot[];
  readonly #quarantine: Slot;
  readonly #links: (LaneLink | null)[];
  readonly #loads: number[];
  readonly #placement: ReturnType<typeof createPlacement>;
  readonly #runs = new Map<string, Run>();
  /** Invocations that wait for a cordon. */
  readonly #parked = new Set<Run>();
  #tickets = 0;
  #deaths = 0;
  #closing = false;
  #idle: NodeJS.Timeout | null = null;
  #onQuiet: (() => void) | null = null;
  #boot: { onReady(): void; onFailure(why: string): void } | null = null;

  constructor(options: SandboxOptions, ports: SandboxPorts) {
    this.#options = options;
    this.#ports = ports;
    const { cordons, lanesPerCordon } = options;
    const slot = (firstLane: number, lanes: number, quarantine: boolean): Slot => ({
      firstLane,
      lanes,
      cordon: null,
      failures: 0,
      timer: null,
      quarantine,
    });
    this.#slots = Array.from({ length: cordons }, (_, at) => slot(at * lanesPerCordon, lanesPerCordon, false));
    this.#quarantine = slot(cordons * lanesPerCordon, 1, true);
    this.#links = Array.from({ length: cordons * lanesPerCordon }, () => null);
    this.#loads = this.#links.map(() => 0);
    this.#placement = createPlacement(this.#links.length);
  }

  /** Starts the cordons; resolves when all are ready. Rejects with what a cordon said when it cannot start. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      this.#boot = {
        onReady: () => this.#slots.every(({ cordon }) => cordon?.state === 'ready') && resolve(),
        onFailure: (why) => reject(new Error(`a sandbox process does not start: ${why}`)),
      };
    });
    for (const slot of this.#slots) this.#launch(slot);
    try {
      await ready;
    } catch (error) {
      await this.close(0);
      throw error;
    } finally {
      this.#boot = null;
    }
  }

  invoke(invocation: Invocation, ports: InvocationPorts): Promise<Outcome> {
    if (this.#closing) return Promise.reject(new SandboxRefusal('sandbox-closed'));
    if (ports.signal?.aborted) return Promise.reject(new SandboxRefusal('invocation-aborted'));
    if (this.#runs.has(invocation.invocationId)) {
      return Promise.reject(new Error(`invocation ${invocation.invocationId} is running already`));
    }
    const run = new Run(invocation, ports, { onOver: this.#onOver });
    this.#runs.set(invocation.invocationId, run);
    this.#dispatch(run);
    return run.outcome;
  }

  evict(installationId: string): void {
    for (const slot of [...this.#slots, this.#quarantine]) {
      for (const link of slot.cordon?.lanes ?? []) link.send({ op: 'evict', installationId });
    }
  }

  status(): SandboxStatus {
    const cordons = [...this.#slots, this.#quarantine].flatMap(({ cordon }) => cordon ?? []);
    const lanes = cordons.flatMap((cordon) => cordon.lanes);
    return {
      cordons: cordons.map((cordon) => ({
        pid: cordon.pid,
        state: cordon.state,
        startedAtMs: cordon.startedAtMs,
        lanes: cordon.lanes.length,
        running: cordon.lanes.reduce((sum, { runs }) => sum + runs.size, 0),
      })),
      isolates: lanes.reduce((sum, { isolates }) => sum + isolates, 0),
      running: this.#runs.size,
      cordonDeaths: this.#deaths,
    };
  }

  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    if (this.#runs.size > 0 && drainMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, drainMs);
      this.#onQuiet = resolve;
      await promise;
      clearTimeout(timer);
    }
    for (const run of [...this.#runs.values()]) run.refuse('sandbox-closed');
    if (this.#idle) clearTimeout(this.#idle);
    const slots = [...this.#slots, this.#quarantine];
    for (const { timer } of slots) if (timer) clearTimeout(timer);
    await Promise.all(slots.map((slot) => this.#shutDown(slot)));
  }

  #onOver = (run: Run): void => {
    this.#runs.delete(run.invocation.invocationId);
    this.#parked.delete(run);
    if (run.suspect) this.#relaxQuarantine();
    if (this.#runs.size === 0) this.#onQuiet?.();
  };

  /** Sends a run to a lane, or parks it until there is one. */
  #dispatch(run: Run): void {
    if (run.suspect) this.#dispatchSuspect(run);
    else this.#dispatchInnocent(run);
  }

  #dispatchInnocent(run: Run): void {
    const { queuePerLane } = this.#options;
    const links = this.#links;
    let ready = false;
    for (let lane = 0; lane < links.length; lane++) {
      const link = links[lane];
      this.#loads[lane] = link ? link.runs.size : 0;
      ready ||= link !== null;
    }
    if (!ready) {
      this.#park(run);
      return;
    }
    // An invocation that the sandbox took on already is not turned away.
    const again = run.executions > 0;
    const isOpen = (lane: number) => links[lane] != null && (again || links[lane].waiting < queuePerLane);
    const lane = this.#placement.place(run.invocation.installationId, this.#loads, isOpen);
    if (lane < 0) run.refuse('sandbox-saturated');
    else run.begin(links[lane]!, ++this.#tickets);
  }

  #park(run: Run): void {
    if (run.executions === 0 && this.#parked.size >= this.#options.queuePerLane * this.#links.length) {
      run.refuse('sandbox-saturated');
    } else this.#parked.add(run);
  }

  #dispatchSuspect(run: Run): void {
    const slot = this.#quarantine;
    if (slot.cordon?.state === 'ready') run.begin(slot.cordon.lanes[0]!, ++this.#tickets);
    else {
      this.#parked.add(run);
      if (!slot.cordon && !slot.timer) this.#launch(slot);
    }
  }

  #relaxQuarantine(): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (![...this.#runs.values()].some(({ suspect }) => suspect)) void this.#shutDown(this.#quarantine);
    }, QUARANTINE_IDLE_MS);
    this.#idle.unref();
  }

  #launch(slot: Slot): void {
    slot.timer = null;
    if (this.#closing) return;
    try {
      slot.cordon = new Cordon(slot.lanes, this.#options.isolatesPerLane, {
        guest: this.#ports.guest,
        onReady: (cordon) => this.#onReady(slot, cordon),
        onMessage: this.#onMessage,
        onEnd: (cordon, end) => this.#onEnd(slot, cordon, end),
      });
    } catch (error) {
      this.#onStartFailure(slot, String(error));
    }
  }

  #onReady(slot: Slot, cordon: Cordon): void {
    slot.failures = 0;
    if (!slot.quarantine) for (const link of cordon.lanes) this.#links[slot.firstLane + link.lane] = link;
    const parked = [...this.#parked].filter(({ suspect }) => suspect === slot.quarantine);
    for (const run of parked) {
      this.#parked.delete(run);
      this.#dispatch(run);
    }
    this.#boot?.onReady();
  }

  #onStartFailure(slot: Slot, why: string): void {
    slot.failures++;
    if (this.#boot && slot.failures >= BOOT_FAILURES_MAX) this.#boot.onFailure(why);
    const delayMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (slot.failures - 1));
    slot.timer = setTimeout(() => this.#launch(slot), delayMs);
  }

  #onMessage = (link: LaneLink, message: LaneMessage, tail: string): void => {
    if (message.op === 'isolates') link.isolates = message.count;
    else if (message.op === 'need') void this.#loadBundle(link, message);
    else {
      // A ticket that is unknown was answered meanwhile: aborted, or over its wall deadline.
      const run = link.runs.get(message.ticket);
      if (!run) return;
      if (message.op === 'interrupted') this.#again(run, { suspect: false, inside: true });
      else run.onMessage(message, tail);
    }
  };

  async #loadBundle(link: LaneLink, need: Extract<LaneMessage, { op: 'need' }>): Promise<void> {
    const { isolate, installationId, digest } = need;
    try {
      const code = await this.#ports.loadBundle(digest);
      link.send({ op: 'bundle', isolate, ok: true }, code);
    } catch (error) {
      for (const run of [...link.runs.values()]) {
        const { invocation } = run;
        const waits = !run.begun && invocation.digest === digest && invocation.installationId === installationId;
        if (waits) run.reject(error);
      }
      link.send({ op: 'bundle', isolate, ok: false });
    }
  }

  /**
   * Executes an invocation once more that lost its isolate or its cordon without a fault. Whoever was inside no turn cannot
   * have caused that, so only its deadline ends its patience.
   */
  #again(run: Run, { suspect, inside }: { suspect: boolean; inside: boolean }): void {
    run.detach();
    if (run.over) return;
    run.suspect ||= suspect;
    if (inside) run.losses++;
    if (run.losses < LOSSES_MAX) this.#dispatch(run);
    else run.refuse('sandbox-interrupted');
  }

  #onEnd(slot: Slot, cordon: Cordon, end: CordonEnd): void {
    if (slot.cordon === cordon) slot.cordon = null;
    if (!slot.quarantine) for (const { lane } of cordon.lanes) this.#links[slot.firstLane + lane] = null;
    const neverReady = !cordon.wasReady;
    if (!cordon.asked) {
      this.#deaths++;
      if (neverReady) this.#onStartFailure(slot, end.stderr.trim() || `it ended with ${end.signal ?? end.code}`);
      else if (!slot.quarantine) this.#launch(slot);
    }
    const judgement = judgeDeath(end);
    const blamed = this.#settleRuns(cordon, judgement, end.reading.openTurns);
    if (!cordon.asked && !neverReady) this.#report(cordon, end, judgement, blamed);
  }

  /** Answers the culprits, executes the others again. Returns whom `onCordonDeath` names. */
  #settleRuns(cordon: Cordon, judgement: Judgement, openTurns: OpenTurn[]): Culprit[] {
    const blamed: Culprit[] = [];
    const runs = cordon.lanes.flatMap((link) => [...link.runs.values()].map((run) => ({ run, lane: link.lane })));
    for (const turn of judgement.culprits) {
      const { invocationId, installationId, digest } = turn;
      const run = runs.find(
        (other) => other.lane === turn.lane && other.run.invocation.invocationId === turn.invocationId,
      )?.run;
      if (!run) {
        blamed.push({ invocationId, installationId, digest });
        continue;
      }
      run.wasInside(turn.startedAtMs);
      const fault = faultOfCulprit(judgement, {
        limits: run.invocation.limits,
        startingUp: turn.startingUp,
        cpuMs: run.cost.cpuMs,
        wallLeftMs: run.deadlineMs - monotonicMs(),
        ...(run.lastHostCall ? { lastHostCall: run.lastHostCall } : {}),
      });
      if (!fault) continue;
      blamed.push({ invocationId, installationId, digest, fault });
      if (judgement.cpuMs > 0) run.cost = { ...run.cost, cpuMs: run.cost.cpuMs + judgement.cpuMs };
      run.fail(fault);
    }
    for (const { run, lane } of runs) {
      if (run.over) continue;
      const isTurnOfRun = (turn: OpenTurn) => turn.lane === lane && turn.invocationId === run.invocation.invocationId;
      this.#again(run, { suspect: judgement.suspects.some(isTurnOfRun), inside: openTurns.some(isTurnOfRun) });
    }
    return blamed;
  }

  #report(cordon: Cordon, end: CordonEnd, { reason }: Judgement, culprits: Culprit[]): void {
    this.#ports.onCordonDeath?.({
      pid: cordon.pid,
      atMs: Date.now(),
      reason,
      exit: end.signal ?? String(end.code),
      culprits,
    });
  }

  /** Kills the cordon of a slot; resolves when the process is gone. */
  async #shutDown(slot: Slot): Promise<void> {
    const { cordon } = slot;
    if (!cordon) return;
    slot.cordon = null;
    cordon.asked = true;
    cordon.kill();
    const deadline = AbortSignal.timeout(EXIT_WAIT_MS);
    await Promise.race([cordon.gone, new Promise((resolve) => deadline.addEventListener('abort', resolve))]);
  }
}
