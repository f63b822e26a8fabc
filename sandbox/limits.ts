import { PLUGIN_FAULTS, type PluginFault, type PluginFaultCode } from '../plugins-sdk/contract/errors.ts';

/** A turn that has not ended so long after its timeout cannot be interrupted: its cordon is killed. */
export const OVERDUE_GRACE_MS = 250;
/** How often a cordon or an isolate may die while an invocation is inside a turn before the sandbox gives up on it. */
export const LOSSES_MAX = 3;
/** A log record's JSON is larger than the text that the guest counts; this is the backstop behind the guest's own limit. */
export const LOG_OVERHEAD_FACTOR = 4;
export const LOG_OVERHEAD_UNITS = 16;
/**
 * Arguments and results of all host calls of one invocation. The host keeps them, so that it can execute the invocation
 * again, as long as that runs: without a bound a plugin fills the host's memory by waiting.
 */
export const CALL_UNITS_MAX = 8 * 1024 * 1024;
/** Names of host calls and of logs. */
export const NAME_UNITS_MAX = 256;
/** The guest caps every string of a fault at 8,192 units; more than this it cannot have written. */
export const FAULT_UNITS_MAX = 256 * 1024;
/**
 * A turn may take so much longer than its CPU budget, because a busy machine does not always let it run. Where that was
 * too little (the turn was stopped with budget left), the next execution gets four times as much. Not without end: executions
 * that only waited in a cordon that died count too, and a turn that spins keeps its lane from everybody else.
 */
const STARVATION_FACTOR = 2;
const STARVATION_SLACK_MS = 50;
const PATIENCE_GROWTH = 4;
const PATIENCE_MAX = 16;

/**
 * Timeout of one turn in whole milliseconds, at least 1: isolated-vm takes 0 for "none".
 * `execution` counts from 1.
 */
export function turnTimeoutMs(cpuLeftMs: number, wallLeftMs: number, execution: number): number {
  const patience = Math.min(PATIENCE_MAX, PATIENCE_GROWTH ** (execution - 1));
  const patientMs = (Math.max(0, cpuLeftMs) * STARVATION_FACTOR + STARVATION_SLACK_MS) * patience;
  return Math.max(1, Math.ceil(Math.min(wallLeftMs, patientMs)));
}

export interface Overrun {
  cpuMs: number;
  cpuMsMax: number;
  wallLeftMs: number;
}

/** Which limit a turn broke that did not end in time; null where the machine kept it from running, which is no fault. */
export function brokenLimit({ cpuMs, cpuMsMax, wallLeftMs }: Overrun): 'cpu-limit' | 'wall-limit' | null {
  if (cpuMs > cpuMsMax) return 'cpu-limit';
  return wallLeftMs <= 0 ? 'wall-limit' : null;
}

/** A fault that speaks of a limit; `used` in the limit's unit where it is known. */
export function limitFault(
  code: PluginFaultCode,
  limit: string,
  allowed: number,
  used?: number,
  lastHostCall?: string,
): PluginFault {
  const usage = used === undefined ? '' : `, ${roundTo3(used)} used`;
  return {
    code,
    message: `${PLUGIN_FAULTS[code]} ${limit}: ${allowed} allowed${usage}.`,
    limit,
    allowed,
    ...(used === undefined ? {} : { used: roundTo3(used) }),
    ...(lastHostCall ? { lastHostCall } : {}),
  };
}

/** Microseconds are the finest that is measured; more digits only make frames longer. */
export const roundTo3 = (value: number): number => Math.round(value * 1000) / 1000;
