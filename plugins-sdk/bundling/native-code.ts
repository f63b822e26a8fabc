import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { packageOf } from './portable-path.ts';

/** Programs that compile or fetch machine code when a package is installed. */
const BUILDERS =
  /\b(?:node-gyp|node-pre-gyp|node-gyp-build|prebuild(?:-install|ify)?|cmake-js|cmake|cargo|napi|neon|gcc|g\+\+)\b/;
const SCRIPTS = ['preinstall', 'install', 'postinstall'] as const;

/** Why a package is native code, such as `binding.gyp`; null where nothing says that it is. */
export function nativeReason(packageFolder: string): string | null {
  if (existsSync(join(packageFolder, 'binding.gyp'))) return 'it has a binding.gyp';
  let declared: { gypfile?: unknown; scripts?: Record<string, unknown> };
  try {
    declared = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  } catch {
    return null;
  }
  if (declared?.gypfile === true) return 'its package.json says gypfile';
  for (const name of SCRIPTS) {
    const script = declared?.scripts?.[name];
    if (typeof script === 'string' && BUILDERS.test(script)) return `its ${name} script runs "${script.slice(0, 80)}"`;
  }
  return null;
}

/** The packages among these files, relative to `folder`, that are native code, with a file of each. */
export function nativePackages(folder: string, files: string[]): { name: string; reason: string; file: string }[] {
  const seen = new Map<string, { name: string; file: string }>();
  for (const file of files) {
    const owner = packageOf(file);
    if (owner !== null && !seen.has(owner.folder)) seen.set(owner.folder, { name: owner.name, file });
  }
  return [...seen].flatMap(([at, { name, file }]) => {
    const reason = nativeReason(resolve(folder, at));
    return reason === null ? [] : [{ name, reason, file }];
  });
}

export const NATIVE_PREFIX = 'native:';

/** Leaves compiled code outside the bundle: who imports it is told once the whole graph is known. */
export const leaveNativeFiles: Plugin = {
  name: 'leave-native-files',
  setup({ onResolve }) {
    onResolve({ filter: /\.node$/ }, ({ path }) => ({ path: `${NATIVE_PREFIX}${path}`, external: true }));
  },
};
