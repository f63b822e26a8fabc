import { readdirSync, readFileSync } from 'node:fs';

/** One process, with what it holds. */
export interface ProcessSize {
  pid: number;
  kind: 'host' | 'cordon' | 'postgres' | 'launcher' | 'other';
  /** Pages that are in memory, those of libraries and programs that others hold too in full. */
  rssMiB: number;
  /** The same with shared pages divided among those who hold them; null where the system does not tell. */
  pssMiB: number | null;
}

/** Sizes of a process and of all that it started, from /proc; empty where there is none. */
export function sizesBelow(pid: number): ProcessSize[] {
  const parents = new Map<number, number>();
  for (const name of readProc('')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s+(\d+)/m.exec(readText(name, 'status'))?.[1];
    if (parent) parents.set(Number(name), Number(parent));
  }
  const isBelow = (each: number): boolean => each === pid || (parents.has(each) && isBelow(parents.get(each)!));
  return [...parents.keys()].filter(isBelow).map((each) => ({ pid: each, kind: kindOf(each), ...sizeOf(each) }));
}

/** Of one process. */
export function sizeOf(pid: number): Pick<ProcessSize, 'rssMiB' | 'pssMiB'> {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readText(pid, 'smaps_rollup'))?.[1];
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readText(pid, 'status'))?.[1] ?? 0;
  return { rssMiB: Number(rss) / 1024, pssMiB: pss === undefined ? null : Number(pss) / 1024 };
}

function kindOf(pid: number): ProcessSize['kind'] {
  const [program = '', ...args] = readText(pid, 'cmdline').split('\0');
  if (/node$/.test(program) && args.includes('--no-node-snapshot')) return 'cordon';
  if (/postgres/.test(program)) return 'postgres';
  if (args.some((each) => each.endsWith('bin/gatehouse.ts'))) return 'host';
  return args.some((each) => each.endsWith('bin/launch.mjs')) ? 'launcher' : 'other';
}

function readText(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function readProc(folder: string): string[] {
  try {
    return readdirSync(`/proc/${folder}`);
  } catch {
    return [];
  }
}
