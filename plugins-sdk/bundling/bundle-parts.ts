import type { Metafile } from 'esbuild';
import { packageOf, portable } from './portable-path.ts';

/** What one source file contributes to a bundle. */
export interface BundlePart {
  /** Relative to the plugin's folder, or from the last `node_modules` on. */
  file: string;
  /** The npm package that it belongs to; null for the plugin's own files. */
  package: string | null;
  /** In the bundle, after tree shaking. */
  bytes: number;
}

export const SDK_PACKAGE = '@gatehouse/plugin-sdk';
export const SDK_NAMESPACE = 'gatehouse-sdk';

/** The files of a bundle, the largest first; what was shaken off is left out. */
export function partsOf({ outputs }: Metafile, entry: string): BundlePart[] {
  const inputs = Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)?.inputs ?? {};
  return Object.entries(inputs)
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path !== entry)
    .map(([path, { bytesInOutput }]) => ({
      file: portable(path),
      package: path.startsWith(`${SDK_NAMESPACE}:`) ? SDK_PACKAGE : (packageOf(path)?.name ?? null),
      bytes: bytesInOutput,
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.file < b.file ? -1 : 1));
}
