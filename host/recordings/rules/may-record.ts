import type { PluginFault } from '../../../plugins-sdk/contract/index.ts';

/** More of the same failure within one window tell nobody anything new. */
export const SAME_FAILURE_MAX = 3;
const FAILURES_MAX = 20;
export const WINDOW_MS = 600_000;

/** What one host has let through of one installation. */
export interface Window {
  endsAtMs: number;
  failures: number;
  /** By what they look like. */
  same: Map<string, number>;
}

export const openWindow = (nowMs: number): Window => ({ endsAtMs: nowMs + WINDOW_MS, failures: 0, same: new Map() });

/**
 * Whether a failure is worth a recording: not one of many that look alike, nor of very many. Counts it if so. The budget of
 * the day is kept by the store, which knows of all hosts; this keeps a plugin that only fails from costing more than that.
 */
export function mayRecordFailure(window: Window, fault: PluginFault): boolean {
  const looks = [fault.code, fault.name, fault.stack?.split('\n', 1)[0] ?? fault.message.slice(0, 100)].join(' ');
  const seen = window.same.get(looks) ?? 0;
  if (window.failures >= FAILURES_MAX || seen >= SAME_FAILURE_MAX) return false;
  window.failures += 1;
  window.same.set(looks, seen + 1);
  return true;
}

/** Whether an invocation is drawn. Its seed is random, so that no other randomness is needed. */
export const isDrawn = (seed: string, sampleRate: number): boolean =>
  sampleRate > 0 && Number.parseInt(seed.slice(0, 8), 16) < sampleRate * 2 ** 32;
