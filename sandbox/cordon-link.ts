import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type Attention, attend } from './attention.ts';
import { type BlackBoxReading, closeBlackBox, type OpenTurn, readBlackBox } from './black-box.ts';
import type { CordonEnd } from './blame.ts';
import type { BusyPoll } from './busy-poll.ts';
import { monotonicMs } from './clock.ts';
import { compactHead, expandLaneHead } from './compact-heads.ts';
import type { SandboxPorts } from './contract.ts';
import { FrameReader, FrameWriter } from './frames.ts';
import { LaneBorder } from './lane-border.ts';
import { LaneLine } from './lane-line.ts';
import { createLanePace, type LanePace } from './lane-pace.ts';
import { type CordonProcess, type CordonSize, exitOf, type LaneWays, type LaunchCordon } from './launch-cordon.ts';
import { OVERDUE_GRACE_MS } from './limits.ts';
import { type ControlMessage, type LaneMessage, readLaneMessage } from './messages.ts';
import { NumberTable } from './number-table.ts';
import type { RunLane } from './run.ts';
import type { TurnCosts } from './turn-costs.ts';

const STDERR_UNITS_MAX = 16 * 1024;
/** An engine that gives up writes some pages at most. */
const STDERR_UNITS_SAID_MAX = 1024 * 1024;
/** Between two looks of the host; four are usual. */
const CONTROL_FRAMES_MAX = 1_000;
/** A cordon says four times a second that it lives. Counted in ticks, so that a host that was stopped kills nobody. */
const HEART_PERIOD_MS = 500;
const HEART_MISSES_MAX = 10;
/** A lane that is inside of no turn answers at once when it is told to end an invocation. */
const SILENT_LOOKS_MAX = 20;
/** A busy machine takes its time to start one. */
const START_MISSES_MAX = 60;
/** After the exit of a process its streams end at once; this is for the case that they do not. */
const LAST_WORDS_MS = 1_000;
const EXIT_WAIT_MS = 5_000;
/** The cordon watches its size itself, forty times a second; this is for one that does not any more. */
const OVERGROWN_LOOKS = 2;
/** Frames of one tick leave together; so many do not wait for its end. */
const FLUSH_FRAMES = 8;
/** Long frames leave sooner. A pipe that could not be widened holds 64 KiB; the rest waits for another round of the event loop. */
const FLUSH_BYTES = 32 * 1024;

/** The host's end of one lane. */
export interface LaneLink extends RunLane {
  readonly cordon: Cordon;
  lane: number;
  isolates: number;
  /**
   * How often the host has looked, and found it inside of no turn that may go on, since the lane was told to end an invocation and has
   * said nothing; null where it owes no word.
   */
  silentLooks: number | null;
  pace: LanePace;
  readonly border: LaneBorder;
  readonly line: LaneLine;
}

export interface CordonPorts {
  guest: string;
  launch: LaunchCordon;
  costs: TurnCosts;
  poll: BusyPoll;
  onProfile?: SandboxPorts['onProfile'];
  onReady(cordon: Cordon): void;
  onMessage(lane: LaneLink, message: LaneMessage, tail: string): void;
  /** Called once; nothing comes from the cordon afterwards. */
  onEnd(cordon: Cordon, end: CordonEnd): void;
}

/** Owns one cordon process and its descriptors. */
export class Cordon {
  /** Until the cordon is on its way it may be that of a process that waits for it. */
  pid: number;
  readonly startedAtMs = Date.now();
  readonly lanes: LaneLink[];
  state: 'starting' | 'ready' | 'dying' = 'starting';
  /** Ended on purpose: its death is no news. */
  asked = false;
  /** When it became ready, on the monotonic clock; 0 before. */
  readyAtMs = 0;
  /** An invocation was sent to it. */
  used = false;
  /** It is replaced: it ends the invocations that it has and gets no new ones. */
  draining = false;
  /** Memory of the process at the last look; 0 before the first. */
  residentMiB = 0;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
  #onGone!: () => void;
  readonly #process: CordonProcess;
  readonly #ports: CordonPorts;
  #stderr = '';
  #stderrUnits = 0;
  #controlFrames = 0;
  #heart: NodeJS.Timeout;
  #misses = 0;
  #heartStopped = false;
  #ended = false;
  #distrusted: string | null = null;
  readonly #residentMiBMax: number;
  #saidMiB = 0;
  #overgrownLooks = 0;
  #attention: Attention = 'full';

  constructor(size: CordonSize, ports: CordonPorts) {
    this.#ports = ports;
    this.#residentMiBMax = size.residentMiBMax;
    this.gone = new Promise((resolve) => {
      this.#onGone = resolve;
    });
    this.#process = ports.launch(size);
    const { child, control, stderr } = this.#process;
    this.pid = child.pid ?? 0;
    this.lanes = this.#process.lanes.map((ways, lane) => this.#openLane(ways, lane));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_UNITS_MAX);
      this.#stderrUnits += text.length;
      if (this.#stderrUnits > STDERR_UNITS_SAID_MAX) this.#distrust('it floods its standard error');
    });
    stderr.on('error', () => {});
    this.#listen(control, new FrameReader((head) => this.#onControl(head as ControlMessage)));
    for (const lane of this.lanes) lane.send({ op: 'guest' }, ports.guest);
    this.#heart = setInterval(() => this.#feelPulse(), HEART_PERIOD_MS);
    child.once('error', (error) => this.#end(null, null, String(error)));
    child.once('exit', (childCode, childSignal) => {
      const { code, signal } = exitOf(childCode, childSignal);
      this.state = 'dying';
      const late = setTimeout(() => this.#end(code, signal), LAST_WORDS_MS);
      child.once('close', () => {
        clearTimeout(late);
        this.#end(code, signal);
      });
    });
  }

  /** How much of a busy machine it gets. */
  attend(attention: Attention): void {
    if (attention === this.#attention) return;
    this.#attention = attention;
    this.#attend();
  }

  #attend(): void {
    attend(this.pid, this.#attention);
    // Before the cordon itself can be known, what starts it.
    const { child } = this.#process;
    if (child.pid && child.pid !== this.pid) attend(child.pid, this.#attention);
  }

  /** Ends the process at once; `onEnd` follows. */
  kill(): void {
    this.state = 'dying';
    this.#process.child.kill('SIGKILL');
  }

  /** It was ready once, so its death is not a failure to start. */
  get wasReady(): boolean {
    return this.readyAtMs > 0;
  }

  /** Kills the process on purpose; resolves when it is gone. */
  async shutDown(): Promise<void> {
    this.asked = true;
    this.kill();
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(resolve, EXIT_WAIT_MS);
    await Promise.race([this.gone, promise]);
    clearTimeout(late);
  }

  /** The turns that lanes are inside of now. */
  openTurns(): OpenTurn[] {
    return this.#readBlackBox().openTurns;
  }

  /** Everything in the cordon can write there, so it counts only where it speaks of what a lane was given. */
  #readBlackBox(): BlackBoxReading {
    const { mark, openTurns } = readBlackBox(this.#process.blackBoxFd, this.lanes.length);
    return { mark, openTurns: openTurns.filter((turn) => this.lanes[turn.lane]!.border.hasMet(turn)) };
  }

  #openLane({ toLane, fromLane }: LaneWays, lane: number): LaneLink {
    const { poll } = this.#ports;
    const writer = new FrameWriter();
    let frames = 0;
    const flush = () => {
      if (frames === 0) return;
      frames = 0;
      // The view is good only until the next frame, the pipe may need it longer.
      toLane.write(Buffer.from(writer.take()));
    };
    const link: LaneLink = {
      cordon: this,
      lane,
      runs: new NumberTable(),
      leaving: new Map(),
      waiting: 0,
      isolates: 0,
      silentLooks: null,
      pace: createLanePace(),
      border: new LaneBorder(this.#ports.onProfile ? 1 : 0),
      line: new LaneLine({
        costs: this.#ports.costs,
        nowMs: monotonicMs,
        send: (frame, tail) => link.send(frame, tail),
      }),
      send: (message, tail) => {
        if (this.state === 'dying') return;
        link.border.onSend(message);
        if (message.op === 'expire') link.silentLooks ??= 0;
        if (message.op === 'start')
          message.pollUs = poll.onStart(link, message.installationId, link.pace.quietMs(monotonicMs()));
        writer.add(compactHead(message), tail);
        if (++frames === 1) setImmediate(flush);
        else if (frames === FLUSH_FRAMES || writer.bytes >= FLUSH_BYTES) flush();
      },
    };
    const reader = new FrameReader((head, tail) => {
      // The rest of what came with it.
      if (this.#distrusted !== null) return;
      link.silentLooks = null;
      poll.onWord();
      const message = readLaneMessage(expandLaneHead(head));
      if (!message) {
        this.#distrust('it says what no lane says');
        return;
      }
      const run = 'ticket' in message ? link.runs.get(message.ticket) : undefined;
      const isOwed = run === undefined && 'ticket' in message && link.leaving.has(message.ticket);
      const objection = link.border.objectionTo(message, tail, run, isOwed);
      if (objection !== null) this.#distrust(objection);
      else if (message.op === 'profile') this.#ports.onProfile?.(tail);
      else this.#ports.onMessage(link, message, tail);
    });
    this.#listen(fromLane, reader);
    toLane.on('error', () => {});
    return link;
  }

  #listen(stream: Readable, reader: FrameReader): void {
    stream.on('data', (chunk: Buffer) => {
      if (this.#ended || this.#distrusted !== null) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#distrust(String(error));
      }
    });
    // The exit of the process says more than a broken pipe.
    stream.on('error', () => {});
  }

  #distrust(why: string): void {
    this.#distrusted ??= why;
    this.kill();
  }

  #onControl(message: ControlMessage): void {
    if (++this.#controlFrames > CONTROL_FRAMES_MAX) this.#distrust('it floods the control channel');
    this.#misses = 0;
    if (message.op === 'beat' && Number.isFinite(message.residentMiB)) this.#saidMiB = message.residentMiB;
    if (this.state !== 'starting') return;
    // Said by what confines the cordon, before there is one; `ready` is said before it runs anything of others.
    if (message.op === 'pid') this.pid = message.pid;
    // What starts it may have forked before it was told, and a thread while it was.
    this.#attend();
    if (message.op !== 'ready') return;
    this.state = 'ready';
    this.readyAtMs = monotonicMs();
    this.#ports.onReady(this);
  }

  #feelPulse(): void {
    this.#controlFrames = 0;
    this.residentMiB = Math.max(this.#saidMiB, residentMiBOf(this.pid));
    this.#overgrownLooks = this.residentMiB > this.#residentMiBMax ? this.#overgrownLooks + 1 : 0;
    if (this.#overgrownLooks >= OVERGROWN_LOOKS) this.kill();
    const missesMax = this.state === 'starting' ? START_MISSES_MAX : HEART_MISSES_MAX;
    if (this.state === 'dying' || (++this.#misses < missesMax && !this.#hearsNothing())) return;
    this.#heartStopped = this.state === 'ready';
    this.kill();
  }

  /** Whether a lane has owed a word for too long, although the process says that it lives. */
  #hearsNothing(): boolean {
    const silent = this.lanes.filter(({ silentLooks }) => silentLooks !== null);
    if (silent.length === 0) return false;
    const turns = this.openTurns().filter(({ mustEndByMs }) => monotonicMs() <= mustEndByMs + OVERDUE_GRACE_MS);
    for (const link of silent) if (!turns.some(({ lane }) => lane === link.lane)) link.silentLooks!++;
    return silent.some(({ silentLooks }) => silentLooks! >= SILENT_LOOKS_MAX);
  }

  #end(code: number | null, signal: string | null, spawnFault = ''): void {
    if (this.#ended) return;
    this.#ended = true;
    this.state = 'dying';
    clearInterval(this.#heart);
    const { blackBoxFd, lanes, control, stderr } = this.#process;
    const reading = this.#readBlackBox();
    closeBlackBox(blackBoxFd);
    const ways = lanes.flatMap(({ toLane, fromLane }) => [toLane, fromLane]);
    for (const stream of [...ways, control, stderr]) stream?.destroy();
    this.#ports.onEnd(this, {
      code,
      signal,
      heartStopped: this.#heartStopped,
      overgrown: this.#overgrownLooks >= OVERGROWN_LOOKS,
      reading,
      ...(this.#distrusted === null ? {} : { distrusted: this.#distrusted }),
      stderr: this.#stderr + spawnFault,
      endedAtMs: monotonicMs(),
    });
    this.#onGone();
  }
}

/** 0 where the system does not say: then the cordon's own word counts alone. */
function residentMiBOf(pid: number): number {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kibibytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}
