import { readFileSync, readlinkSync } from 'node:fs';
import type { KernelLayer } from './layers.ts';

/** What the kernel says of a process. */
export interface Look {
  layers: KernelLayer[];
  /** Real, effective, saved and file system id. */
  accounts: number[];
  groups: number[];
  /** Effective, permitted and inheritable ones together. */
  capabilities: bigint;
}

/** Looks at a running process through /proc; throws where that cannot be read. */
export function lookAt(pid: number): Look {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
  const numbers = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number);
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  const isApart = (namespace: string) =>
    readlinkSync(`/proc/${pid}/ns/${namespace}`) !== readlinkSync(`/proc/self/ns/${namespace}`);
  const layers: Record<KernelLayer, boolean> = {
    'no-new-privileges': field('NoNewPrivs') === '1',
    'resource-limits': /^Max core file size\s+0\s+0\s/m.test(limits) && !/^Max file size\s+unlimited/m.test(limits),
    'system-call-filter': field('Seccomp') === '2',
    'own-network': isApart('net') && isApart('ipc'),
    'own-root': isApart('mnt') && isApart('pid'),
  };
  return {
    layers: (Object.keys(layers) as KernelLayer[]).filter((layer) => layers[layer]),
    accounts: numbers('Uid'),
    groups: numbers('Groups'),
    capabilities: ['CapEff', 'CapPrm', 'CapInh'].reduce((all, name) => all | BigInt(`0x${field(name) || '0'}`), 0n),
  };
}
