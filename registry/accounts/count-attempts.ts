import { RegistryRefusal } from '../errors.ts';
import type { Attempts, SecurityEvent } from './contract.ts';
import type { ThrottleRule, ThrottleStore } from './throttle-store.ts';

const MINUTE_MS = 60_000;
export const KEY_RULE: ThrottleRule = {
  free: 5,
  delayMs: 30_000,
  delayMsMax: 60 * MINUTE_MS,
  forgetMs: 24 * 60 * MINUTE_MS,
};
/** Many people may share an address. */
export const ADDRESS_RULE: ThrottleRule = {
  free: 20,
  delayMs: MINUTE_MS,
  delayMsMax: 60 * MINUTE_MS,
  forgetMs: 5 * MINUTE_MS,
};
/** Longer than anything is remembered for. */
export const THROTTLE_KEEP_MS = 25 * 60 * MINUTE_MS;

export interface AttemptPorts {
  throttles: ThrottleStore;
  /** What counts as one address. */
  addressKey: (address: string) => string;
  nowMs: () => number;
  raise: (event: SecurityEvent) => void;
}

/** The address is asked first: who is locked out there cannot lock others out of their accounts. Refuses with: login-locked. */
export const countAttempts = ({ throttles, addressKey, nowMs, raise }: AttemptPorts): Attempts => ({
  async begin({ key, address, accountId }) {
    const now = new Date(nowMs());
    const place = `address:${addressKey(address)}`;
    const limits: SecurityEvent[] = [];
    const lockedUntil = new Map<string, Date | null>();
    for (const [each, rule] of [
      [place, ADDRESS_RULE],
      [key, KEY_RULE],
    ] as const) {
      const attempt = await throttles.begin(each, rule, now);
      if ('locked' in attempt) throw locked(attempt.locked, now);
      lockedUntil.set(each, attempt.lockedUntil);
      if (attempt.lockedUntil === null) continue;
      const by = each === place ? 'address' : 'login';
      limits.push({ kind: 'login-locked', accountId, facts: { by, failures: attempt.failures, address } });
    }
    return {
      counts: async (attempt) => {
        try {
          return await attempt();
        } catch (error) {
          for (const [each, until] of lockedUntil) await throttles.takeBack(each, until);
          throw error;
        }
      },
      failed: () => {
        for (const event of limits) raise(event);
      },
      succeeded: async () => {
        // What was typed wrong before is forgiven, but an address is not forgiven what it tries elsewhere.
        await throttles.clear([key]);
        await throttles.takeBack(place, lockedUntil.get(place) ?? null);
      },
    };
  },
});

const locked = (until: Date, now: Date) =>
  new RegistryRefusal('login-locked', undefined, { retryAfterMs: Math.max(1_000, until.getTime() - now.getTime()) });
