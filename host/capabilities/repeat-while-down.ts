import { setTimeout as rest } from 'node:timers/promises';
import { isDatabaseOutage } from '../http/outages.ts';
import type { CapabilityCall, CapabilityCalls } from './broker.ts';

/** Calls whose effect happens once however often they are made: their record is written with it. */
const REPEATABLE = /^(?:kv|events|notify)\./;
const PAUSES_MS = [50, 250, 1_000];

/**
 * Makes calls again that fail because the database is away, as while another server takes over: a few times, and only while their
 * invocation still waits. Whether the first time had its effect does not matter.
 */
export function repeatWhileDown(calls: CapabilityCalls, nowMs: () => number, pausesMs = PAUSES_MS): CapabilityCalls {
  const repeated = Object.entries(calls).map(([name, call]) =>
    REPEATABLE.test(name) ? [name, again(call, nowMs, pausesMs)] : [name, call],
  );
  return Object.fromEntries(repeated) as CapabilityCalls;
}

const again =
  (call: CapabilityCall, nowMs: () => number, pausesMs: readonly number[]): CapabilityCall =>
  async (context, args) => {
    for (const pauseMs of pausesMs) {
      try {
        return await call(context, args);
      } catch (error) {
        if (!isDatabaseOutage(error) || nowMs() + pauseMs >= context.deadlineAtMs) throw error;
        await rest(pauseMs, undefined, { signal: context.signal });
      }
    }
    return call(context, args);
  };
