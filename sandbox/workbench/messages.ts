import type { Entry, StartUp } from '../isolate/plugin-isolate.ts';

/** What a workbench is for: CPU profiles, or letting a debugger in. */
export type WorkbenchMode = 'profile' | 'inspect';

/** From the workbench to its process. Every one is answered with the same `n`. */
export type BenchRequest =
  | { op: 'guest'; code: string }
  /** Makes what runs a bundle; `key` names it from now on. */
  | { op: 'start'; key: string; code: string; sourceMap: string | null }
  | { op: 'turn'; key: string; head: string; body: string }
  | { op: 'drop'; key: string }
  | { op: 'start-profile' }
  | { op: 'stop-profile' };

export interface BenchReply {
  n: number;
  value?: unknown;
  /** The process itself failed. */
  error?: string;
}

export type TurnReply = Entry & { cpuMs: number; usedMiB: number };

/** What runs one bundle in the process of a workbench. */
export interface BenchEngine {
  start(code: string): StartUp;
  turn(head: string, body: string): Entry;
  memory(): { usedMiB: number };
}

/** `Profiler.Profile` of the Chrome DevTools protocol: times in microseconds, lines and columns from 0. */
export interface RawProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; scriptId: string; url: string; lineNumber: number; columnNumber: number };
    hitCount?: number;
    children?: number[];
  }[];
  startTime: number;
  endTime: number;
  samples?: number[];
  timeDeltas?: number[];
}
