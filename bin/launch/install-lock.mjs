import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { say } from './progress.mjs';
import { readJson } from './read-file.mjs';

const LOCK_HEARTBEAT_MS = 2_000;
/** A holder on another machine (a shared folder) is known by its heartbeat alone. */
const LOCK_STALE_MS = 30_000;
/** On this machine the pid says more, but after a restart of the machine it may be somebody else's. */
const LOCK_ABANDONED_MS = 600_000;

const lockFile = (root) => path.join(root, '.runtime/install.lock');

/** Adds the npm process to the lock. */
export function recordChild(root, childPid) {
  const lock = readJson(lockFile(root));
  // npm outlives a launcher that was killed with SIGKILL, so the lock lives as long as either of them.
  if (lock?.pid === process.pid) fs.writeFileSync(lockFile(root), JSON.stringify({ ...lock, childPid }));
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

function isStale(file) {
  const lock = readJson(file);
  const ageMs = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (lock === null || lock.host !== os.hostname()) return ageMs > LOCK_STALE_MS;
  return ageMs > LOCK_ABANDONED_MS || ![lock.pid, lock.childPid].some((pid) => pid && isAlive(pid));
}

/** Runs `work` while no other launch of this checkout installs. A lock whose holders are dead is broken. */
export async function withInstallLock(root, work) {
  const file = lockFile(root);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; !tryLock(file); told = true) {
    if (!told) say(`Another launch (pid ${readJson(file)?.pid ?? 'unknown'}) is installing; waiting for it …`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const heartbeat = setInterval(() => fs.utimes(file, new Date(), new Date(), () => {}), LOCK_HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(file, { force: true });
  }
}

function tryLock(file) {
  // Written aside and linked into place, so that nobody ever reads a lock without its contents.
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify({ pid: process.pid, host: os.hostname() }));
  try {
    if (isStale(file)) breakLock(file, draft);
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function breakLock(file, draft) {
  const aside = `${draft}.stale`;
  try {
    fs.renameSync(file, aside);
    // Another launch may have broken it and taken its place between our look and our rename: give it back.
    if (!isStale(aside)) fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}
