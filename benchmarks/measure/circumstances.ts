import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

/** Without these a figure means nothing. */
export interface Circumstances {
  at: string;
  commit: string;
  machine: { cpu: string; cores: number; memoryGiB: number; platform: string; node: string };
}

export function circumstances(): Circumstances {
  const cwd = path.resolve(import.meta.dirname, '../..');
  const git = (...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
  const dirty = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty';
  return {
    at: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + dirty,
    machine: {
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGiB: Math.round(os.totalmem() / 1024 ** 3),
      platform: `${process.platform}-${process.arch}`,
      node: process.versions.node,
    },
  };
}
