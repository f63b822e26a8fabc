import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The black box of a cordon: a nameless file that host and cordon share by descriptor. A lane notes each turn before it
 * enters it; the page cache outlives the process, so after any death the supervisor can read who was running.
 *
 * Slot 0 is the watchdog's mark, slot n + 1 belongs to lane n. Numbers are float64 little endian.
 *   mark:  [lane + 1, reason, cpuMs, 0]      lane: [startedAtMs, mustEndByMs, text bytes, 0] + text
 */
const SLOT_BYTES = 1024;
const HEAD_BYTES = 32;
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Why the main thread of a cordon killed it. `memory`: the turn of the marked lane made it grow. `crowded`: it grew too large, and
 * more than one turn may have done it. `full`: it grew too large over many turns, and nobody is to blame.
 */
export const MARK_REASONS = ['overdue', 'memory', 'lane-lost', 'crowded', 'full'] as const;
export type MarkReason = (typeof MARK_REASONS)[number];

/** Who was inside a turn, on the monotonic clock. */
export interface OpenTurn {
  lane: number;
  startedAtMs: number;
  mustEndByMs: number;
  invocationId: string;
  installationId: string;
  digest: string;
  /** The bundle's top-level code, not a turn of the invocation. */
  startingUp: boolean;
}

export interface BlackBoxReading {
  mark: { lane: number; reason: MarkReason; cpuMs: number } | null;
  openTurns: OpenTurn[];
}

/** Text of a turn; the ids have no white space and are short enough, which the sandbox checks on arrival. */
export const turnText = (invocationId: string, installationId: string, digest: string): string =>
  `${invocationId} ${installationId} ${digest}`;
/** The same for the bundle's top-level code. */
export const startUpText = (text: string): string => `${text} start`;
export const TURN_TEXT_BYTES_MAX = SLOT_BYTES - HEAD_BYTES;

/** A new black box without a name in the file system; close the descriptor when the cordon is gone. */
export function openBlackBox(lanes: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-box-'));
  try {
    const fd = openSync(join(folder, 'box'), 'wx+', 0o600);
    writeSync(fd, Buffer.alloc(SLOT_BYTES * (lanes + 1)), 0, SLOT_BYTES * (lanes + 1), 0);
    return fd;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const closeBlackBox = (fd: number): void => closeSync(fd);

/** The pen of one lane. */
export class LanePen {
  readonly #fd: number;
  readonly #position: number;
  readonly #buffer = Buffer.alloc(SLOT_BYTES);
  readonly #numbers = new Float64Array(this.#buffer.buffer, this.#buffer.byteOffset, HEAD_BYTES / 8);
  #text = '';
  #open = false;

  constructor(fd: number, lane: number) {
    if (!LITTLE_ENDIAN) throw new Error('the black box needs a little-endian machine');
    this.#fd = fd;
    this.#position = SLOT_BYTES * (lane + 1);
  }

  /** Call before each turn: costs one `pwrite`. */
  enter(text: string, startedAtMs: number, mustEndByMs: number): void {
    if (text !== this.#text) {
      this.#text = text;
      this.#numbers[2] = this.#buffer.write(text, HEAD_BYTES, 'utf8');
    }
    this.#numbers[0] = startedAtMs;
    this.#numbers[1] = mustEndByMs;
    this.#open = true;
    writeSync(this.#fd, this.#buffer, 0, HEAD_BYTES + (this.#numbers[2] as number), this.#position);
  }

  /** Call once after a run of turns: nobody is inside a turn now. */
  leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#numbers[0] = 0;
    writeSync(this.#fd, this.#buffer, 0, 8, this.#position);
  }
}

/** Notes whom the watchdog is about to kill the cordon for. */
export function markBlackBox(fd: number, lane: number, reason: MarkReason, cpuMs: number): void {
  const numbers = Float64Array.of(lane + 1, MARK_REASONS.indexOf(reason), cpuMs, 0);
  writeSync(fd, new Uint8Array(numbers.buffer), 0, HEAD_BYTES, 0);
}

/** Reads a black box; good at any time, also while the cordon lives. */
export function readBlackBox(fd: number, lanes: number): BlackBoxReading {
  const buffer = Buffer.alloc(SLOT_BYTES * (lanes + 1));
  readSync(fd, buffer, 0, buffer.length, 0);
  const markedLane = buffer.readDoubleLE(0) - 1;
  const reason = MARK_REASONS[buffer.readDoubleLE(8)];
  const mark = markedLane >= 0 && reason ? { lane: markedLane, reason, cpuMs: buffer.readDoubleLE(16) } : null;
  const openTurns: OpenTurn[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const at = SLOT_BYTES * (lane + 1);
    const startedAtMs = buffer.readDoubleLE(at);
    const bytes = buffer.readDoubleLE(at + 16);
    if (!(startedAtMs > 0) || !(bytes > 0 && bytes <= TURN_TEXT_BYTES_MAX)) continue;
    const text = buffer.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + bytes);
    const [invocationId = '', installationId = '', digest = '', phase] = text.split(' ');
    const mustEndByMs = buffer.readDoubleLE(at + 8);
    const startingUp = phase === 'start';
    openTurns.push({ lane, startedAtMs, mustEndByMs, invocationId, installationId, digest, startingUp });
  }
  return { mark, openTurns };
}
