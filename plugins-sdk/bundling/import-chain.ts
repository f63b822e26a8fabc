import type { Metafile } from 'esbuild';

/** The shortest way of imports from the entry to a file, both included; empty where there is none. */
export function importChain({ inputs }: Metafile, entry: string, to: string): string[] {
  const importers = new Map<string, string | null>([[entry, null]]);
  for (const path of importers.keys()) {
    if (path === to) break;
    for (const { path: imported, external } of inputs[path]?.imports ?? []) {
      if (!external && !importers.has(imported)) importers.set(imported, path);
    }
  }
  if (!importers.has(to)) return [];
  const chain: string[] = [];
  for (let at: string | null = to; at !== null; at = importers.get(at)!) chain.unshift(at);
  return chain;
}
