import { Annex, type AnnexPorts } from './annex.ts';
import { answerNeed } from './answer-need.ts';
import { type Attention, mayRaise } from './attention.ts';
import type { OpenTurn } from './black-box.ts';
import { type CordonEnd, faultOfCulprit, type Judgement, judgeDeath } from './blame.ts';
import { BusyPoll } from './busy-poll.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import { monotonicMs } from './clock.ts';
import type {
  Culprit,
  ExtraCpu,
  Invocation,
  InvocationPorts,
  Outcome,
  SandboxOptions,
  SandboxPorts,
  SandboxStatus,
} from './contract.ts';
import { Cordon, type LaneLink } from './cordon-link.ts';
import { type CordonHooks, CordonPool } from './cordon-pool.ts';
import { type Place, statusOf } from './cordon-status.ts';
import { Deadlines } from './deadlines.ts';
import { SandboxRefusal } from './errors.ts';
import { LaneChoice } from './lane-choice.ts';
import { noteTurns } from './lane-line.ts';
import type { LaunchCordon } from './launch-cordon.ts';
import { LOSSES_MAX, roundTo3 } from './limits.ts';
import type { LaneMessage } from './messages.ts';
import { Probation } from './probation.ts';
import { Run, type RunLane } from './run.ts';
import { RunTable } from './run-table.ts';
import { SolitaryCordons } from './solitary-cordons.ts';
import { TurnCosts } from './turn-costs.ts';

/** How often cordons are looked at for recycling and for rest. */
const TICK_MS = 1_000;
/** From this share of its memory on a cordon is recycled. */
const RECYCLE_SHARE = 0.7;
const SECOND_SPARE_MS = 60_000;
/** So many cordons of the pool go with one for those on probation. */
const POOL_FOR_ONE_APART = 4;
/** The cordon for suspects is kept for so long after the last of them. */
const QUARANTINE_IDLE_MS = 10_000;

/** Host side of the sandbox: cordons, and the invocations that they run. */
export class Supervisor {
  readonly #options: Required<SandboxOptions>;
  readonly #ports: SandboxPorts;
  readonly #launchCordon: LaunchCordon;
  readonly #pool: CordonPool;
  readonly #quarantine: Annex;
  readonly #solitary: SolitaryCordons;
  readonly #probation: Probation | null = null;
  readonly #choice: LaneChoice;
  readonly #runs = new RunTable();
  readonly #deadlines = new Deadlines(() => this.#runs.values());
  readonly #poll: BusyPoll;
  readonly #costs = new TurnCosts(monotonicMs, (installationId) => setImmediate(this.#onLong, installationId));
  /** Invocations that wait for a cordon of the pool. */
  readonly #parked = new Set<Run>();
  readonly #runHooks = { callsInFlight: new CallsInFlight(), onOver: (run: Run) => this.#onOver(run) };
  #tickets = 0;
  #deaths = 0;
  #closing = false;
  #suspectAtMs = 0;
  #onQuiet: (() => void) | null = null;
  readonly #ticker: NodeJS.Timeout;

  constructor(options: Required<SandboxOptions>, ports: SandboxPorts, launch: LaunchCordon) {
    this.#options = options;
    this.#ports = ports;
    this.#launchCordon = launch;
    this.#poll = new BusyPoll(options.busyPollUs, this.#runs, this.#costs);
    const { cordons, lanesPerCordon, spare, cordonAgeMsMax, residentMiBMax, queuePerLane, solitaryMax } = options;
    const shared = {
      launch: this.#launch,
      nowMs: monotonicMs,
      later: (work: () => void) => void setImmediate(work),
      begin: this.#begin,
      onEnd: this.#onEnd,
      onAlarm: (alarm: Parameters<AnnexPorts['onAlarm']>[0]) => ports.onAlarm?.(alarm),
    };
    const reserveAttention = mayRaise() ? 'low' : 'full';
    const size = {
      ageMsMax: cordonAgeMsMax,
      residentMiBSoft: residentMiBMax * RECYCLE_SHARE,
      reserveAttention,
    } as const;
    this.#pool = new CordonPool(
      { kind: 'pool', cordons, lanesPerCordon, spare, secondSpareMs: SECOND_SPARE_MS, startPeriodMs: 0, ...size },
      { ...shared, onSeated: this.#onSeated },
    );
    if (options.probation) {
      const apart = { cordons: Math.ceil(cordons / POOL_FOR_ONE_APART), queueMax: queuePerLane, ...size };
      this.#probation = new Probation(apart, shared);
    }
    this.#quarantine = new Annex({ kind: 'quarantine', installationId: null, queueMax: queuePerLane }, shared);
    this.#solitary = new SolitaryCordons(
      { max: solitaryMax, idleMs: options.solitaryIdleMs, queueMax: queuePerLane },
      shared,
    );
    this.#choice = new LaneChoice(this.#pool.links.length, this.#costs);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Starts the cordons; resolves when all but the spare are ready. Rejects with what a cordon said when it cannot start. */
  async start(): Promise<void> {
    try {
      await this.#pool.start();
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  invoke(invocation: Invocation, ports: InvocationPorts): Promise<Outcome> {
    if (this.#closing) return Promise.reject(new SandboxRefusal('sandbox-closed'));
    if (ports.signal?.aborted) return Promise.reject(new SandboxRefusal('invocation-aborted'));
    const run = new Run(invocation, ports, this.#runHooks);
    this.#runs.add(run);
    this.#deadlines.watch(run.dueMs);
    this.#dispatch(run);
    return run.outcome;
  }

  evict(installationId: string): void {
    for (const { cordon } of this.#list()) for (const link of cordon.lanes) link.send({ op: 'evict', installationId });
  }

  stop(installationId: string): void {
    for (const run of this.#runs.list()) {
      if (run.invocation.installationId !== installationId) continue;
      run.forget();
      run.refuse('sandbox-interrupted');
    }
  }

  status(): SandboxStatus {
    const places = this.#list();
    const lanes = places.flatMap(({ cordon }) => cordon.lanes);
    const others = [this.#probation, this.#quarantine, ...this.#solitary.annexes];
    return {
      cordons: places.map(statusOf),
      isolates: lanes.reduce((sum, { isolates }) => sum + isolates, 0),
      running: this.#runs.size,
      cordonDeaths: this.#deaths,
      cordonsRecycled: this.#pool.recycled,
      alarm: this.#pool.alarm ?? others.find((other) => other?.alarm)?.alarm ?? null,
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
    for (const run of this.#runs.list()) run.refuse('sandbox-closed');
    clearInterval(this.#ticker);
    this.#deadlines.close();
    await Promise.all([this.#pool.close(), this.#probation?.close(), this.#quarantine.close(), this.#solitary.close()]);
  }

  #list(): Place[] {
    const annexes = [this.#quarantine, ...this.#solitary.annexes].flatMap(({ cordon, options }) =>
      cordon ? [{ cordon, kind: options.kind, installationId: options.installationId }] : [],
    );
    return [...this.#pool.list(), ...(this.#probation?.list() ?? []), ...annexes];
  }

  #tick(): void {
    this.#pool.tick();
    this.#probation?.tick();
    this.#solitary.tick();
    const idleMs = monotonicMs() - this.#suspectAtMs;
    const isOver = this.#quarantine.cordon && this.#quarantine.isQuiet && idleMs > QUARANTINE_IDLE_MS;
    if (isOver) void this.#quarantine.rest();
  }

  #launch = (lanes: number, hooks: CordonHooks, attention: Attention): Cordon => {
    const own = { launch: this.#launchCordon, costs: this.#costs, poll: this.#poll, onMessage: this.#onMessage };
    const ports = { guest: this.#ports.guest, onProfile: this.#ports.onProfile, ...own, ...hooks };
    const cordon = new Cordon({ ...this.#options, lanes }, ports);
    cordon.attend(attention);
    return cordon;
  };

  #onOver = (run: Run): void => {
    this.#runs.delete(run);
    this.#probation?.note(run.invocation.installationId, run.ended);
    if (run.invocation.solitary) this.#solitary.onOver(run);
    else if (run.suspect) this.#suspectAtMs = monotonicMs();
    if (this.#runs.size === 0) this.#onQuiet?.();
  };

  /** Sends a run to a lane, or parks it until there is one. */
  #dispatch(run: Run): void {
    if (run.invocation.solitary) this.#solitary.add(run);
    else if (run.suspect) this.#quarantine.add(run);
    else if (!this.#probation?.takes(run)) this.#dispatchToPool(run);
  }

  #dispatchToPool(run: Run): void {
    const { links } = this.#pool;
    // An invocation that the sandbox took on already is not turned away.
    const isOpen = ({ waiting }: LaneLink) => run.executions > 0 || waiting < this.#options.queuePerLane;
    const { installationId } = run.invocation;
    const lane = this.#choice.choose(installationId, links, isOpen, this.#runs.countOf(installationId), monotonicMs());
    if (lane >= 0) this.#begin(run, links[lane]!);
    else if (links.every((link) => link === null)) this.#park(run);
    else run.refuse('sandbox-saturated');
  }

  /** Its turns turned out to be long: what waits goes to where those are. */
  #onLong = (installationId: string): void => {
    for (const run of this.#runs.stepBack(installationId)) this.#dispatch(run);
  };

  #begin = (run: Run, lane: RunLane): void => {
    lane.cordon.used = true;
    run.begin(lane, ++this.#tickets);
  };

  #park(run: Run): void {
    if (run.executions === 0 && this.#parked.size >= this.#options.queuePerLane * this.#pool.links.length) {
      run.refuse('sandbox-saturated');
    } else run.park(this.#parked);
  }

  #onSeated = (): void => {
    for (const run of [...this.#parked]) {
      run.unpark();
      this.#dispatch(run);
    }
  };

  #onMessage = (link: LaneLink, message: LaneMessage, tail: string): void => {
    link.pace.heard(monotonicMs(), message.op === 'done' || message.op === 'fault' ? message.cost.cpuMs : undefined);
    if (message.op === 'isolates') link.isolates = message.count;
    else if (message.op === 'need') void answerNeed(link, message, this.#ports);
    else if (message.op === 'started') this.#bill('start-up', message, message.cpuMs);
    else {
      noteTurns(link.line, message);
      // A ticket that is unknown was answered meanwhile: aborted, or over its wall deadline.
      const run = link.runs.get(message.ticket);
      if (!run) this.#onLateWord(link, message);
      else if (message.op === 'interrupted')
        this.#again(run, message.cost.cpuMs, { suspect: false, inside: message.inside });
      else if (message.op !== 'left') run.onMessage(message, tail);
    }
  };

  #onLateWord({ leaving }: LaneLink, message: Extract<LaneMessage, { ticket: number }>): void {
    const billed = leaving.get(message.ticket);
    if (!billed || message.op === 'call' || message.op === 'log' || message.op === 'turn') return;
    leaving.delete(message.ticket);
    this.#bill('after-end', billed, message.cost.cpuMs - billed.cpuMs);
  }

  /** CPU time that is part of no outcome. */
  #bill(why: ExtraCpu['why'], { installationId, digest }: Pick<ExtraCpu, 'installationId' | 'digest'>, cpuMs: number) {
    if (cpuMs > 0) this.#ports.onExtraCpu?.({ why, installationId, digest, cpuMs: roundTo3(cpuMs) });
  }

  /**
   * Executes an invocation once more that lost its isolate or its cordon without a fault. Whoever was inside no turn cannot
   * have caused that, so only its deadline ends its patience.
   */
  #again(run: Run, cpuMs: number, { suspect, inside }: { suspect: boolean; inside: boolean }): void {
    run.interrupted();
    if (run.over) return;
    this.#bill('repeated', run.invocation, cpuMs);
    if (inside) run.losses++;
    run.suspect ||= suspect;
    if (run.losses < LOSSES_MAX) this.#dispatch(run);
    else run.refuse('sandbox-interrupted');
  }

  #onEnd = (cordon: Cordon, end: CordonEnd): void => {
    if (!cordon.asked) this.#deaths++;
    const judgement = judgeDeath(end);
    const culprits = this.#settleRuns(cordon, judgement, end);
    if (!cordon.asked && cordon.wasReady) this.#report(cordon, end, judgement, culprits);
  };

  /** Answers the culprits, executes the others again. Returns whom `onCordonDeath` names. */
  #settleRuns(cordon: Cordon, judgement: Judgement, { reading, endedAtMs, distrusted }: CordonEnd): Culprit[] {
    const { openTurns } = reading;
    const blamed: Culprit[] = [];
    const runs = cordon.lanes.flatMap((link) => link.runs.list().map((run) => ({ run, lane: link.lane })));
    // Whose time is up first is executed again first.
    runs.sort((one, other) => one.run.deadlineMs - other.run.deadlineMs);
    for (const turn of judgement.culprits) {
      const { invocationId, installationId, digest } = turn;
      // The cordon may have other lanes, and their time is not the culprit's.
      const cpuMs = Math.min(judgement.cpuMs, Math.max(0, endedAtMs - turn.startedAtMs));
      const run = runs.find(
        (other) => other.lane === turn.lane && other.run.invocation.invocationId === turn.invocationId,
      )?.run;
      if (!run) {
        blamed.push({ invocationId, installationId, digest });
        this.#probation?.blame(installationId);
        this.#bill('after-end', turn, cpuMs);
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
      if (turn.startingUp) this.#bill('start-up', turn, cpuMs);
      else run.cost = { ...run.cost, cpuMs: roundTo3(run.cost.cpuMs + cpuMs) };
      if (!fault) continue;
      // What the host knows of the invocation, not what the cordon wrote about it.
      const { installationId: ownerId, digest: bundle } = run.invocation;
      blamed.push({ invocationId, installationId: ownerId, digest: bundle, fault });
      run.fail(fault);
    }
    for (const { run, lane } of runs) {
      if (run.over) continue;
      const isTurnOfRun = (turn: OpenTurn) => turn.lane === lane && turn.invocationId === run.invocation.invocationId;
      const inside = distrusted !== undefined || openTurns.some(isTurnOfRun);
      // Once is chance. Whoever was there twice must not meet the others a third time, whatever the cause.
      const again = inside && run.losses > 0;
      this.#again(run, run.cost.cpuMs, {
        suspect: distrusted !== undefined || again || judgement.suspects.some(isTurnOfRun),
        inside,
      });
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
      ...(end.distrusted === undefined ? {} : { why: end.distrusted }),
    });
  }
}
