import { Socket } from 'node:net';
import { BLACK_BOX_FD, CONTROL_FD, laneFds } from './descriptors.ts';
import { FrameWriter } from './frames.ts';
import { assertEngine } from './isolate/engine.ts';
import type { LaneTask } from './lane.ts';
import type { ControlMessage } from './messages.ts';
import { runLanes } from './pool.ts';
import {
  assertBareEnvironment,
  assertPermissions,
  dropPermissions,
  dropPrivileges,
  leaveTimeZone,
} from './privileges.ts';
import { watchBoard } from './watch-board.ts';
import { killSelf, residentMiB, startWatchdog } from './watchdog.ts';

/**
 * The main thread of a cordon: starts the lanes, gives up privileges, watches. It never runs plugin code.
 * Its descriptors are those of descriptors.ts. Arguments: `<lanes> <isolates per lane> <MiB of memory that it may have>
 * <account to become>`.
 */
const READY_PERIOD_MS = 2;
/**
 * Of the cordon's memory, for the process itself (OWN_MIB) and what isolates hold. From 70 % on the whole cordon is recycled, and
 * with it all that was warm.
 */
const HELD_SHARE = 0.65;
const OWN_MIB = 75;
export const BEAT_PERIOD_MS = 250;

assertBareEnvironment();
assertPermissions();
assertEngine();
leaveTimeZone();

const lanes = Number(process.argv[2]);
const isolatesMax = Number(process.argv[3]);
const residentMiBMax = Number(process.argv[4]);
const account = Number(process.argv[5]);
const board = watchBoard(lanes);

// A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group; the host decides when a cordon ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const die = () => killSelf(BLACK_BOX_FD, -1, 'lane-lost');
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
// The host has closed the channel or is dead: nobody needs this process any more.
control.on('end', die).on('error', die).on('close', die).resume();
const writer = new FrameWriter();
const tell = (message: ControlMessage) => {
  writer.add(message);
  control.write(Buffer.from(writer.take()));
};

const tasks = Array.from(
  { length: lanes },
  (_, lane): LaneTask => ({
    lane,
    lanes,
    ...laneFds(lane),
    blackBoxFd: BLACK_BOX_FD,
    board: board.buffer,
    isolatesMax,
    heldMiBMax: residentMiBMax > 0 ? (residentMiBMax * HELD_SHARE - OWN_MIB) / lanes : Number.POSITIVE_INFINITY,
  }),
);
runLanes(tasks).then(die, (error: unknown) => {
  process.stderr.write(`lane lost: ${error instanceof Error ? error.stack : String(error)}\n`, () =>
    killSelf(BLACK_BOX_FD, 0, 'lane-lost'),
  );
});

const waiting = setInterval(() => {
  if (!tasks.every(({ lane }) => board.isReady(lane))) return;
  clearInterval(waiting);
  dropPrivileges(account);
  dropPermissions();
  startWatchdog(board, BLACK_BOX_FD, residentMiBMax);
  tell({ op: 'ready' });
  setInterval(() => tell({ op: 'beat', residentMiB: residentMiB() }), BEAT_PERIOD_MS);
}, READY_PERIOD_MS);
