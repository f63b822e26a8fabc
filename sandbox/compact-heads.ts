import type { Limits } from '../plugins-sdk/contract/limits.ts';
import type { Cost, HostMessage, LaneMessage } from './messages.ts';

/**
 * The heads of the two frames that every invocation needs, `start` and `done`, travel as lists: their names need not be
 * written, parsed and looked up each time. Limits are a text that is read once, since an installation's never change.
 */
type Start = Extract<HostMessage, { op: 'start' }>;
type StartList = [
  ...ids: [id: string, installationId: string, digest: string, seed: string, limits: string],
  ...numbers: [ticket: number, execution: number, nowMs: number, deadlineMs: number, pollUs: number],
];
type DoneList = [ticket: number, outputBytes: number, ...cost: number[]];

/** In the order in which they are written; complete, or it would not compile. */
const COST_NAMES = Object.keys({
  cpuMs: true,
  turns: true,
  hostCalls: true,
  startedAtMs: true,
  heapMiB: true,
  externalMiB: true,
} satisfies Record<keyof Cost, true>) as (keyof Cost)[];
const LIMIT_NAMES = Object.keys({
  cpuMs: true,
  wallMs: true,
  heapMiB: true,
  inputBytes: true,
  outputBytes: true,
  hostCalls: true,
  hostCallsInFlight: true,
  fetches: true,
  timers: true,
  pieces: true,
  logBytes: true,
  concurrent: true,
  queued: true,
  startupCpuMs: true,
  cpuMsPerSecond: true,
  cpuBurstMs: true,
} satisfies Record<keyof Limits, true>) as (keyof Limits)[];

/** The head of the frame for a message. */
export function compactHead(message: HostMessage | LaneMessage): object {
  if (message.op === 'start') return startList(message);
  if (message.op !== 'done') return message;
  const { cpuMs, turns, hostCalls, startedAtMs, heapMiB, externalMiB } = message.cost;
  const { ticket, outputBytes } = message;
  return [ticket, outputBytes, cpuMs, turns, hostCalls, startedAtMs, heapMiB, externalMiB] satisfies DoneList;
}

function startList(message: Start): StartList {
  const { ticket, execution, id, installationId, digest, seed, nowMs, deadlineMs, limits, pollUs } = message;
  return [id, installationId, digest, seed, textOf(limits), ticket, execution, nowMs, deadlineMs, pollUs];
}

const texts = new WeakMap<Limits, string>();

function textOf(limits: Limits): string {
  let text = texts.get(limits);
  if (text === undefined) {
    text = LIMIT_NAMES.map((name) => limits[name]).join(' ');
    texts.set(limits, text);
  }
  return text;
}

/** What a lane said, to be checked like everything that a cordon says. */
export function expandLaneHead(head: unknown): unknown {
  if (!Array.isArray(head)) return head;
  const [ticket, outputBytes, cpuMs, turns, hostCalls, startedAtMs, heapMiB, externalMiB] = head as DoneList;
  if (head.length !== COST_NAMES.length + 2) return null;
  return { op: 'done', ticket, outputBytes, cost: { cpuMs, turns, hostCalls, startedAtMs, heapMiB, externalMiB } };
}

/** What the host said, which is trusted. Limits of the same text are one object. */
export function createHostHeadExpander(): (head: unknown) => HostMessage {
  let lastText = '';
  let lastLimits: Limits | null = null;
  return (head) => {
    if (!Array.isArray(head)) return head as HostMessage;
    const [id, installationId, digest, seed, text, ticket, execution, nowMs, deadlineMs, pollUs] = head as StartList;
    if (lastLimits === null || text !== lastText) {
      const values = text.split(' ');
      lastText = text;
      lastLimits = Object.fromEntries(LIMIT_NAMES.map((name, at) => [name, Number(values[at])])) as Limits;
    }
    return {
      op: 'start',
      ticket,
      execution,
      id,
      installationId,
      digest,
      seed,
      nowMs,
      deadlineMs,
      limits: lastLimits,
      pollUs,
    };
  };
}
