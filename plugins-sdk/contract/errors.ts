import { ALL_REFUSALS } from './capabilities/refusals.ts';

/**
 * Everything a plugin can do wrong. The codes are permanent: callers, publishers and `docs/errors.md` rely on them.
 * The value says, in one sentence, what happened; the facts of one occurrence are in `PluginFault`.
 */
export const PLUGIN_FAULTS = {
  'plugin-threw': 'The plugin threw, or its promise rejected.',
  'plugin-start-failed': "The bundle's top-level code failed, so no invocation can run.",
  'plugin-answer-invalid': 'The plugin returned something that cannot be sent as an answer.',
  'plugin-never-answered':
    'The plugin waits for something that can never happen: no host call and no timer is pending.',
  'handler-missing': 'The manifest declares a route, hook or schedule that the plugin has no handler for.',
  'cpu-limit': 'The invocation used more CPU time than its limit.',
  'startup-cpu-limit': "The bundle's top-level code used more CPU time than its limit.",
  'wall-limit': 'The invocation did not answer in time.',
  'heap-limit': 'The isolate used more memory than its limit.',
  'output-too-large': 'The answer is larger than its limit.',
  'host-call-limit': 'The invocation made more capability calls than its limit.',
  'sandbox-killed': 'The invocation ran where it could not be interrupted, and its sandbox process was killed.',
} as const;

export type PluginFaultCode = keyof typeof PLUGIN_FAULTS;

/** One fault, as a document for the plugin's publisher. Every string is capped before it leaves the isolate. */
export interface PluginFault {
  code: PluginFaultCode;
  /** What the plugin threw, or a sentence with the limit and the amount used. */
  message: string;
  /** Name of the thrown error, such as `TypeError`. */
  name?: string;
  /** Frames inside the bundle; source-mapped where a map is at hand. */
  stack?: string;
  /** Name of the limit, for example `cpuMs`, with what was allowed and what was used in the limit's unit. */
  limit?: string;
  allowed?: number;
  used?: number;
  /** The last capability call before the fault, for example `kv.get`. */
  lastHostCall?: string;
}

/** Why a capability call was refused. The plugin sees an `Error` whose `code` is one of these. */
export const CAPABILITY_REFUSALS = {
  'capability-denied': 'The operator did not grant this capability.',
  'capability-unknown': 'There is no such capability call.',
  'capability-arguments-invalid': 'The arguments do not fit the call; the message names the field.',
  ...ALL_REFUSALS,
  'capability-unavailable': 'A service behind this capability is down; try again later.',
  'body-unreadable': 'The body of the request is longer than allowed, ended too early, or is no stream.',
  'invocation-over': 'The invocation that this context belongs to has been answered.',
} as const;

export type CapabilityRefusalCode = keyof typeof CAPABILITY_REFUSALS;

/** A refusal as it travels: a permanent code and a message that says what to do. */
export interface CapabilityRefusal {
  code: CapabilityRefusalCode;
  message: string;
  /** The code of what stood behind it, such as the fault of a plugin that was called. */
  reason?: string;
}
