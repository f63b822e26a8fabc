import type { PluginFault } from '../plugins-sdk/contract/errors.ts';
import type { Limits } from '../plugins-sdk/contract/limits.ts';
import type { BlackBoxReading, OpenTurn } from './black-box.ts';
import type { CordonDeath } from './contract.ts';
import { brokenLimit, limitFault, OVERDUE_GRACE_MS } from './limits.ts';

/** Signals by which V8 and the C library end a process that cannot go on. */
const ABORT_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS', 'SIGFPE']);
/** isolated-vm and V8 say so on standard error before they abort. */
const OUT_OF_MEMORY = /is_heap_oom|out of memory|out-of-memory|Allocation failed|Heap statistics/i;

export interface CordonEnd {
  code: number | null;
  signal: string | null;
  /** The supervisor killed it because its heart stopped, or because a lane heard nothing any more. */
  heartStopped: boolean;
  /** The supervisor killed it because it was too large and had not noticed. */
  overgrown: boolean;
  /** Why the supervisor killed it for what it said. */
  distrusted?: string;
  reading: BlackBoxReading;
  stderr: string;
  /** When it ended, on the monotonic clock. */
  endedAtMs: number;
}

export interface Judgement {
  reason: CordonDeath['reason'];
  cause: 'cpu' | 'memory' | 'crash' | 'none';
  /** Surely to blame. */
  culprits: OpenTurn[];
  /** One of them is to blame, and nothing tells which: to be executed again where the black box is unambiguous. */
  suspects: OpenTurn[];
  /** CPU time of the whole cordon during the overdue turn: no less than the turn's own. */
  cpuMs: number;
}

/** Who is to blame for the death of a cordon. A kill from outside, or the loss of a lane to a fault of ours, is nobody's. */
export function judgeDeath(end: CordonEnd): Judgement {
  const { code, signal, heartStopped, overgrown, distrusted, reading, stderr, endedAtMs } = end;
  const { mark, openTurns } = reading;
  const nobody = { culprits: [], suspects: [], cpuMs: 0 };
  if (distrusted !== undefined) return { reason: 'distrusted', cause: 'none', ...nobody };
  if (mark?.reason === 'lane-lost') return { reason: 'exited', cause: 'none', ...nobody };
  if (mark?.reason === 'full') return { reason: 'overgrown', cause: 'none', ...nobody };
  if (mark?.reason === 'crowded' || (!mark && overgrown)) {
    return { reason: 'overgrown', cause: 'memory', culprits: [], suspects: openTurns, cpuMs: 0 };
  }
  if (mark) {
    const culprits = openTurns.filter(({ lane }) => lane === mark.lane);
    const blame = { culprits, suspects: [], cpuMs: mark.cpuMs };
    return mark.reason === 'memory'
      ? { reason: 'overgrown', cause: 'memory', ...blame }
      : { reason: 'overdue', cause: 'cpu', ...blame };
  }
  if (heartStopped) {
    const overdue = openTurns.filter(({ mustEndByMs }) => endedAtMs > mustEndByMs + OVERDUE_GRACE_MS);
    const cpuMs = Math.max(0, ...overdue.map(({ startedAtMs }) => endedAtMs - startedAtMs));
    return { reason: 'overdue', cause: 'cpu', ...oneOrSuspects(overdue), cpuMs };
  }
  if (signal && ABORT_SIGNALS.has(signal)) {
    const cause = OUT_OF_MEMORY.test(stderr) ? 'memory' : 'crash';
    const blame = oneOrSuspects(openTurns);
    // Nobody measured it any more; the clock is the nearest.
    const [culprit] = blame.culprits;
    const cpuMs = culprit ? Math.min(endedAtMs, culprit.mustEndByMs) - culprit.startedAtMs : 0;
    return { reason: 'aborted', cause, ...blame, cpuMs: Math.max(0, cpuMs) };
  }
  return { reason: signal && code === null ? 'killed' : 'exited', cause: 'none', ...nobody };
}

const oneOrSuspects = (turns: OpenTurn[]) =>
  turns.length === 1 ? { culprits: turns, suspects: [] } : { culprits: [], suspects: turns };

export interface CulpritFacts {
  limits: Limits;
  /** It died in the bundle's top-level code, which has a budget of its own. */
  startingUp: boolean;
  /** CPU time of its earlier turns. */
  cpuMs: number;
  wallLeftMs: number;
  lastHostCall?: string;
}

/** The fault of a culprit; null where the machine was only too busy to let its turn end. */
export function faultOfCulprit({ cause, cpuMs, reason }: Judgement, culprit: CulpritFacts): PluginFault | null {
  const { limits, lastHostCall } = culprit;
  if (cause === 'memory') return limitFault('heap-limit', 'heapMiB', limits.heapMiB, undefined, lastHostCall);
  if (reason === 'aborted') {
    const message = 'The invocation crashed its sandbox process.';
    return { code: 'sandbox-killed', message, ...(lastHostCall ? { lastHostCall } : {}) };
  }
  if (culprit.startingUp) {
    const { startupCpuMs } = limits;
    return cpuMs > startupCpuMs ? limitFault('startup-cpu-limit', 'startupCpuMs', startupCpuMs, cpuMs) : null;
  }
  const usedMs = culprit.cpuMs + cpuMs;
  const code = brokenLimit({ cpuMs: usedMs, cpuMsMax: limits.cpuMs, wallLeftMs: culprit.wallLeftMs });
  if (code === 'cpu-limit') return limitFault(code, 'cpuMs', limits.cpuMs, usedMs, lastHostCall);
  if (code === null) return null;
  return limitFault(code, 'wallMs', limits.wallMs, limits.wallMs - culprit.wallLeftMs, lastHostCall);
}
