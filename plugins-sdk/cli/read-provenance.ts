import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Provenance } from '../../registry/index.ts';
import sdkPackage from '../package.json' with { type: 'json' };
import { CliError } from './errors.ts';

const run = promisify(execFile);

/**
 * Where a folder's sources are from: its git repository as it was cloned, and the commit that is checked out. Refuses with: usage (no
 * repository, no `https` remote, or files that are not committed).
 */
export async function readProvenance(folder: string, builder?: string): Promise<Provenance> {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', folder, ...args]).catch(() => null))?.stdout.trim() ?? '';
  const commit = await git('rev-parse', 'HEAD');
  if (commit === '') throw new CliError('usage', `${folder} is in no git repository: publish without --provenance.`);
  if ((await git('status', '--porcelain', '--', '.')) !== '')
    throw new CliError('usage', 'There are files that are not committed: what is published would be from no commit.');
  const remote = await git('remote', 'get-url', 'origin');
  return { repository: httpsOf(remote), commit, builder: builder ?? `gate ${sdkPackage.version}` };
}

/** `git@host:a/b.git` and `https://user:secret@host/a/b.git` as `https://host/a/b`. */
export function httpsOf(remote: string): string {
  const [, host, path] = /^(?:ssh:\/\/)?git@([^:/]+)[:/](.+)$/.exec(remote) ?? [];
  const address = host ? `https://${host}/${path}` : remote;
  if (!URL.canParse(address) || !address.startsWith('https://'))
    throw new CliError(
      'usage',
      'The remote "origin" is no address that others could read: publish without --provenance.',
    );
  const url = new URL(address);
  return `https://${url.host}${url.pathname.replace(/\.git$/, '')}`;
}
