import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { LanePen } from './black-box.ts';
import { compactHead, createHostHeadExpander } from './compact-heads.ts';
import type { LaneFds } from './descriptors.ts';
import { FrameReader, FrameWriter } from './frames.ts';
import { guestScript } from './isolate/plugin-isolate.ts';
import { createShelf, type Shelf } from './isolate-shelf.ts';
import { createLaneEar } from './lane-ear.ts';
import { createLaneGarbage, takeCollector } from './lane-garbage.ts';
import { type LaneProfiler, openLaneProfiler } from './lane-profiler.ts';
import { createLaneRuns } from './lane-runs.ts';
import { createLaneTurns } from './lane-turns.ts';
import type { HostMessage, LaneMessage, ProfileMessage } from './messages.ts';
import { dropPermissions } from './privileges.ts';
import { createTurnMeter } from './turn-meter.ts';
import { watchBoard } from './watch-board.ts';

/** Set by bundle-cordon.ts: 0, and then the profiler is not in the file, but for benchmarks. */
declare const PROFILE_MS: number | undefined;

export interface LaneTask extends LaneFds {
  lane: number;
  lanes: number;
  blackBoxFd: number;
  board: SharedArrayBuffer;
  isolatesMax: number;
  /** What the lane's isolates may hold together. */
  heldMiBMax: number;
}

const READ_BYTES = 256 * 1024;
/** Answers do not wait longer for the rest of what was read with their questions. */
const FLUSH_AFTER_MS = 1;
const FLUSH_AFTER_BYTES = 64 * 1024;
/** V8 and Node have errands of their own on this thread (weak callbacks, messages); they get a turn of the event loop. */
const LOOP_PERIOD_MS = 20;

/**
 * A lane: a piscina task that owns inherited descriptors and blocks on the one where it hears. Blocking is what makes it quick (no event
 * loop between a frame and its turn), and harmless: the main thread watches, and timers are the host's.
 * Resolves when the host has closed the descriptor.
 */
export default async function runLane(task: LaneTask): Promise<void> {
  const { lane, lanes, speakFd, blackBoxFd, board, isolatesMax, heldMiBMax } = task;
  const watch = watchBoard(lanes, board);
  const pen = new LanePen(blackBoxFd, lane);
  const meter = createTurnMeter(lane, pen, watch);
  const writer = new FrameWriter();
  let shelf: Shelf | null = null;
  let carryOut: ((message: HostMessage, tail: string) => void) | null = null;
  let flushedAtMs = performance.now();
  let profiler: LaneProfiler | null = null;
  let frames = 0;
  let pollUs = 0;

  const garbage = createLaneGarbage(takeCollector(watch.meet));
  const send = (message: LaneMessage, tail = '') => {
    garbage.note(tail.length);
    writer.add(compactHead(message), tail);
  };
  const flush = () => {
    pen.leave();
    if (writer.bytes > 0) writeAll(speakFd, writer.take());
    flushedAtMs = performance.now();
  };
  const setUp = (guest: string) => {
    const onCount = (count: number) => send({ op: 'isolates', count });
    shelf = createShelf(guestScript(guest), { isolatesMax, heldMiBMax, onCount, time: meter.time });
    carryOut = createLaneRuns({ meter, shelf, turns: createLaneTurns({ meter, shelf, send }), send });
    if (typeof PROFILE_MS === 'number' && PROFILE_MS > 0) {
      profiler = openLaneProfiler(PROFILE_MS, (json) => writer.add({ op: 'profile' } satisfies ProfileMessage, json));
    }
    dropPermissions();
    watch.setReady(lane);
  };
  const expand = createHostHeadExpander();
  const reader = new FrameReader((head, tail) => {
    frames++;
    // The host is trusted: what it says is not checked again.
    if (carryOut) {
      const message = expand(head);
      if (message.op === 'start') ({ pollUs } = message);
      carryOut(message, tail);
    } else setUp(tail);
    if (writer.bytes > FLUSH_AFTER_BYTES || performance.now() - flushedAtMs > FLUSH_AFTER_MS) flush();
  });

  const hear = createLaneEar(task, performance.now.bind(performance));
  const chunk = Buffer.allocUnsafeSlow(READ_BYTES);
  let loopedAtMs = performance.now();
  for (;;) {
    const bytes = hear(chunk, pollUs);
    pollUs = 0;
    if (bytes === 0) return;
    flushedAtMs = performance.now();
    reader.push(chunk.subarray(0, bytes));
    (profiler as LaneProfiler | null)?.tick(frames);
    frames = 0;
    flush();
    garbage.collect();
    (shelf as Shelf | null)?.restock();
    if (performance.now() - loopedAtMs > LOOP_PERIOD_MS) {
      await setImmediate();
      loopedAtMs = performance.now();
    }
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
