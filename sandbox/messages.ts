import type { Limits } from '../plugins-sdk/contract/limits.ts';

/**
 * What crosses between the host and a lane; each is the head of a frame, `tail` says what its tail is.
 * `ticket` names one execution of one invocation: an id may come again while the frames of an older one are under way.
 */
export type HostMessage =
  /** First frame of a lane. Tail: the guest runtime. */
  | { op: 'guest' }
  /** Tail: the invocation's input. `deadlineMs` is on the monotonic clock. */
  | {
      op: 'start';
      ticket: number;
      /** 1, 2, ...: how often the invocation was begun. */
      execution: number;
      id: string;
      installationId: string;
      digest: string;
      seed: string;
      nowMs: number;
      deadlineMs: number;
      limits: Limits;
      /** For how long the lane then looks for what comes next before it sleeps; see busy-poll.ts. */
      pollUs: number;
    }
  /** Answers `need`. Tail: the bundle's code unless the lane has it; where `ok` is false the lane drops those that wait for it. */
  | { op: 'bundle'; isolate: number; ok: boolean }
  /** Tail: the result of a host call. */
  | { op: 'result'; ticket: number; seq: number; nowMs: number; ok: boolean }
  /** Nobody waits any more: answer `left` with what the invocation cost. */
  | { op: 'forget'; ticket: number }
  /** The wall deadline has passed: answer `fault` with what the invocation cost. */
  | { op: 'expire'; ticket: number }
  | { op: 'evict'; installationId: string };

/** What one execution cost up to now. */
export interface Cost {
  cpuMs: number;
  turns: number;
  hostCalls: number;
  /** Start of the first turn on the monotonic clock; 0 before it. */
  startedAtMs: number;
  /** The most that the isolate held after a turn of it: V8 heap and buffers, and the buffers alone. */
  heapMiB: number;
  externalMiB: number;
}

export type LaneMessage =
  /** The isolate with this number waits for the code of its bundle; where the lane has kept it, for the word that it may still run. */
  | { op: 'need'; isolate: number; installationId: string; digest: string; has: boolean }
  /** An isolate was made and the top-level code of a bundle has run, well or not; both are in `cpuMs`. */
  | { op: 'started'; installationId: string; digest: string; cpuMs: number }
  /** Tail: arguments. */
  | { op: 'call'; ticket: number; seq: number; name: string; cost: Cost }
  /** A turn has ended that made no call and did not end the invocation, so nothing else tells. */
  | { op: 'turn'; ticket: number; cost: Cost }
  /** Tail: the record. */
  | { op: 'log'; ticket: number; seq: number; name: string }
  /** Tail: the output. */
  | { op: 'done'; ticket: number; cost: Cost; outputBytes: number }
  /** Tail: a PluginFault. */
  | { op: 'fault'; ticket: number; cost: Cost }
  /** The isolate was lost without a fault of this invocation; `inside`: in its turn, or as it was started for it. Those come first. */
  | { op: 'interrupted'; ticket: number; cost: Cost; inside: boolean }
  /** Answers `forget`. */
  | { op: 'left'; ticket: number; cost: Cost }
  /** How many isolates the lane has now. */
  | { op: 'isolates'; count: number };

/** From a lane too, once, in benchmarks only. Tail: its CPU profile. */
export type ProfileMessage = { op: 'profile' };

/** From the main thread of a cordon; `pid`, the process that becomes it, from what confines it. */
export type ControlMessage = { op: 'pid'; pid: number } | { op: 'ready' } | { op: 'beat'; residentMiB: number };

const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 2 ** 53;

const isText = (value: unknown): value is string => typeof value === 'string';

function isCost(value: unknown): value is Cost {
  if (typeof value !== 'object' || value === null) return false;
  const { cpuMs, turns, hostCalls, startedAtMs, heapMiB, externalMiB } = value as Record<string, unknown>;
  return (
    isCount(cpuMs) &&
    isCount(turns) &&
    isCount(hostCalls) &&
    isCount(startedAtMs) &&
    isCount(heapMiB) &&
    isCount(externalMiB)
  );
}

/** Checks what a lane says, for a cordon may have been taken over. Null where no lane would say that. */
export const readLaneMessage = (head: unknown): LaneMessage | ProfileMessage | null =>
  typeof head === 'object' && head !== null && isWellFormed(head as Record<string, unknown>)
    ? (head as LaneMessage | ProfileMessage)
    : null;

function isWellFormed(message: Record<string, unknown>): boolean {
  switch (message.op) {
    case 'call':
      return isCount(message.ticket) && isCount(message.seq) && isText(message.name) && isCost(message.cost);
    case 'log':
      return isCount(message.ticket) && isCount(message.seq) && isText(message.name);
    case 'done':
      return isCount(message.ticket) && isCost(message.cost) && isCount(message.outputBytes);
    case 'interrupted':
      return isCount(message.ticket) && isCost(message.cost) && typeof message.inside === 'boolean';
    case 'fault':
    case 'left':
    case 'turn':
      return isCount(message.ticket) && isCost(message.cost);
    case 'started':
      return isText(message.installationId) && isText(message.digest) && isCount(message.cpuMs);
    case 'need':
      return (
        isCount(message.isolate) &&
        isText(message.installationId) &&
        isText(message.digest) &&
        typeof message.has === 'boolean'
      );
    case 'profile':
      return true;
    case 'isolates':
      return isCount(message.count);
    default:
      return false;
  }
}
