import type { Limits } from '../plugins-sdk/contract/limits.ts';
import type { PluginIsolate } from './isolate/plugin-isolate.ts';
import type { NumberTable } from './number-table.ts';

/** One execution of one invocation, as its lane sees it. */
export interface LaneRun {
  ticket: number;
  execution: number;
  id: string;
  /** For the black box. */
  text: string;
  isolate: Shelved;
  limits: Limits;
  deadlineMs: number;
  seed: string;
  nowMs: number;
  cpuMs: number;
  turns: number;
  /** How many of them the host knows of. */
  turnsTold: number;
  /** Sequence number of the last call, timers included. */
  calls: number;
  hostCalls: number;
  timers: number;
  /** Calls that read or write a piece of a body. */
  pieces: number;
  /** Calls and timers without an answer. */
  pending: number;
  /** Arguments and results of host calls. */
  callUnits: number;
  logUnits: number;
  startedAtMs: number;
  /** The most that the isolate held after one of its turns. */
  heapMiB: number;
  externalMiB: number;
  lastHostCall?: string;
}

/** The isolate of one (installation, digest) on this lane, with the invocations inside it. */
export interface Shelved {
  /** Number that `need` and `bundle` speak of. */
  isolate: number;
  installationId: string;
  digest: string;
  heapMiB: number;
  /** Whether new invocations come in; otherwise it goes with its last one. */
  isShelved: boolean;
  /** Uses of isolates are counted; the idle one with the oldest goes first. */
  lastUse: number;
  /** Null until the bundle's code has come and run. */
  plugin: PluginIsolate | null;
  /** Invocations that wait for the bundle, with their inputs. */
  waiting: { run: LaneRun; input: string }[];
  /** Invocations inside, by ticket. */
  runs: NumberTable<LaneRun>;
  /** Host calls and timers of all of them that have not been answered. */
  pending: number;
  /** V8 heap and buffers, and the buffers alone, at the last reading. */
  usedMiB: number;
  externalMiB: number;
  /** What the process holds for the isolate, about. */
  heldMiB: number;
  usedReadAtMs: number;
  /** Turns since then. */
  unreadTurns: number;
}
