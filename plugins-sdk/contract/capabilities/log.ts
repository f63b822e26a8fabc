import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';

/** No calls: log records are not answered. */
export const log = {
  purpose: 'Write structured log records that you and its publisher can read.',
  calls: {},
  refusals: {},
} as const satisfies Capability;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log of one installation: a message and plain facts. */
export type Log = Record<LogLevel, (message: string, facts?: { [key: string]: Json }) => void>;
