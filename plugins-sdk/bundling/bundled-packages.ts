import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import sdkPackage from '../package.json' with { type: 'json' };
import { SDK_NAMESPACE, SDK_PACKAGE } from './bundle-parts.ts';
import { packageOf } from './portable-path.ts';

/** An npm package of which code is in a bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  /** As the package says it: an SPDX id or expression; null where it says none. */
  license: string | null;
}

/** The packages of a bundle, by name and version; what was shaken off is left out. */
export function packagesOf({ outputs }: Metafile, folder: string): BundledPackage[] {
  const inputs = Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)?.inputs ?? {};
  const found = new Map<string, BundledPackage>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    if (bytesInOutput === 0) continue;
    const bundled = path.startsWith(`${SDK_NAMESPACE}:`)
      ? { name: SDK_PACKAGE, version: sdkPackage.version, license: null }
      : readPackage(path, folder);
    if (bundled) found.set(`${bundled.name}@${bundled.version}`, bundled);
  }
  return [...found.keys()].sort().map((key) => found.get(key)!);
}

function readPackage(path: string, folder: string): BundledPackage | null {
  const place = packageOf(path);
  if (place === null) return null;
  try {
    const { version, license } = JSON.parse(readFileSync(join(resolve(folder, place.folder), 'package.json'), 'utf8'));
    const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
    return { name: place.name, version: text(version) ?? '0.0.0', license: text(license) };
  } catch {
    return { name: place.name, version: '0.0.0', license: null };
  }
}
