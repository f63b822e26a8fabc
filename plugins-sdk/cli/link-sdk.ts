import { lstat, mkdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SDK_FOLDER = dirname(import.meta.dirname);

/**
 * Links the SDK that this CLI belongs to, and the types of the Web APIs, into a plugin's node_modules. Editors, `tsc` and
 * `node --test` then find `@gatehouse/plugin-sdk` without an install and without a path of this machine in any file that
 * is committed. What can be found already is left alone. Returns whether anything was made.
 */
export async function linkSdk(folder: string): Promise<boolean> {
  const types = dirname(createRequire(import.meta.url).resolve('@types/node/package.json'));
  const links = [
    { name: '@gatehouse/plugin-sdk', proof: '@gatehouse/plugin-sdk', target: SDK_FOLDER },
    { name: '@types/node', proof: '@types/node/package.json', target: types },
  ];
  const missing = links.filter(({ proof }) => !isFound(folder, proof));
  await Promise.all(missing.map(({ name, target }) => link(join(folder, 'node_modules', name), target)));
  return missing.length > 0;
}

function isFound(folder: string, name: string): boolean {
  try {
    createRequire(join(folder, 'package.json')).resolve(name);
    return true;
  } catch {
    return false;
  }
}

async function link(path: string, target: string): Promise<void> {
  // Only a dangling link can be in the way, left by a checkout that has moved.
  const known = await lstat(path).catch(() => null);
  if (known?.isSymbolicLink()) await rm(path);
  else if (known !== null) return;
  await mkdir(dirname(path), { recursive: true });
  // A junction needs no special right on Windows; elsewhere the type is ignored.
  await symlink(target, path, 'junction');
}
