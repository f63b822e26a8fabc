import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { BLACK_BOX_FD, CONTROL_FD, laneFds } from '../descriptors.ts';
import { type Attempt, accepted, attempt, BY_NODE, Refusal } from './attempt.ts';

const DESCRIPTORS_TRIED = 5_000;
const BLACK_BOX_BYTES_TRIED = 4 * 1024 * 1024;

/** Within one process there is one memory, so whoever has left its isolate has all lanes of its cordon, and no other. */
export const NEIGHBOURS: Attempt[] = [
  accepted(
    'writes to the black box',
    () => writeSync(BLACK_BOX_FD, Buffer.alloc(8), 0, 8, 1024),
    'the host believes a black box only about installations that it has sent to that lane',
  ),
  accepted(
    'speaks for the main thread',
    () => writeSync(CONTROL_FD, Buffer.alloc(0)),
    'the control channel says "ready" once and that the cordon lives; the host checks both',
  ),
  accepted(
    'speaks for other lanes of its cordon',
    ({ lanes }) => {
      for (let lane = 0; lane < lanes; lane++) writeSync(laneFds(lane).speakFd, Buffer.alloc(0));
    },
    'one process, one memory: installations that must not trust the isolate get a cordon of their own (solitary)',
  ),
  attempt(
    'puts words into the mouth of the host',
    ({ lanes }) => {
      for (let lane = 0; lane < lanes; lane++)
        for (const fd of [laneFds(lane).hearFd, laneFds(lane).pollFd]) writeSync(fd, Buffer.alloc(8));
    },
    { shipped: ['EBADF'], native: ['EBADF'] },
  ),
  attempt('opens a way of lanes once more', () => openSync(`/proc/self/fd/${laneFds(0).hearFd}`, 'r'), {
    shipped: [...BY_NODE, 'EACCES'],
    native: ['EACCES', 'ENOENT'],
  }),
  attempt(
    'has descriptors of other cordons',
    ({ lanes }) => {
      const files: string[] = [];
      for (let fd = 0; fd < laneFds(lanes).hearFd; fd++) files.push(kindOf(fd));
      const folders = Array.from({ length: 256 }, (_, fd) => fd).filter((fd) => kindOf(fd) === 'folder');
      if (folders.length > 0 || files[BLACK_BOX_FD] !== 'file')
        return `${files.join(' ')}; folders ${folders.join(' ')}`;
      throw new Refusal('ONLY_ITS_OWN');
    },
    { shipped: ['ONLY_ITS_OWN'], native: ['ONLY_ITS_OWN'] },
  ),
];

/** What is used up belongs to the cordon. */
export const EXHAUSTION: Attempt[] = [
  attempt(
    'fills the disk through the black box',
    () => {
      const chunk = Buffer.alloc(64 * 1024);
      for (let at = 0; at < BLACK_BOX_BYTES_TRIED; at += chunk.length)
        writeSync(BLACK_BOX_FD, chunk, 0, chunk.length, at);
    },
    { shipped: ['EFBIG'], native: ['EFBIG'] },
  ),
  attempt(
    'opens files without end',
    ({ ownFile }) => {
      const open: number[] = [];
      try {
        while (open.length < DESCRIPTORS_TRIED) open.push(openSync(ownFile, 'r'));
      } finally {
        for (const fd of open) closeSync(fd);
      }
    },
    { native: ['EMFILE'] },
  ),
];

function kindOf(fd: number): 'file' | 'folder' | 'other' | 'closed' {
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'other';
  } catch {
    return 'closed';
  }
}
