/** How often something may be done: `count` times within `seconds`. */
export interface RateLimit {
  count: number;
  /** Whole seconds. */
  seconds: number;
}

const MINUTE = 60;
const HOUR = 3_600;

/**
 * Every limit, by `<what>-<whose>`: of an address, an account, a token or an installation. Those of `run-` guard the data plane,
 * in the memory of each host; all others are shared between hosts where there is a Redis. The defaults are far above what
 * anybody needs who means well: `GATEHOUSE_RATE_LIMITS` changes them.
 */
export const RATE_LIMITS = {
  'run-address': { count: 600_000, seconds: MINUTE },
  'run-token': { count: 600_000, seconds: MINUTE },
  'run-installation': { count: 600_000, seconds: MINUTE },
  'api-address': { count: 12_000, seconds: MINUTE },
  'api-account': { count: 6_000, seconds: MINUTE },
  'api-token': { count: 6_000, seconds: MINUTE },
  // Who reads the catalogue without a credential.
  'catalogue-address': { count: 600, seconds: MINUTE },
  'login-address': { count: 60, seconds: 5 * MINUTE },
  'refresh-address': { count: 600, seconds: 5 * MINUTE },
  'registration-address': { count: 30, seconds: HOUR },
  'reset-address': { count: 30, seconds: HOUR },
  // Mail that anybody may have sent to somebody.
  'mail-account': { count: 5, seconds: HOUR },
  'device-code-address': { count: 60, seconds: 15 * MINUTE },
  'device-code-account': { count: 10, seconds: 15 * MINUTE },
  'invitation-organisation': { count: 100, seconds: HOUR },
  // Requests to addresses of their choice that nothing but a request of theirs causes.
  'webhook-organisation': { count: 120, seconds: HOUR },
  // Each of them is told to a publisher, who keeps it for a month.
  'rating-organisation': { count: 60, seconds: HOUR },
} as const satisfies Record<
  `${string}-${'address' | 'account' | 'token' | 'installation' | 'organisation'}`,
  RateLimit
>;

export type LimitName = keyof typeof RATE_LIMITS;
/** Null: not limited. */
export type RateLimitTable = Readonly<Record<LimitName, RateLimit | null>>;

/** A timer of Node.js runs for at most 2^31 - 1 ms, 24 days; one for longer ends at once, and the limit with it. */
const SECONDS_MAX = 2_147_483;

const ENTRY = /^([a-z-]{1,40})=(?:off|(\d{1,9})\/(\d{1,9}))$/;

/**
 * The table with what a setting such as `login-address=20/300, api-token=off` changes: so many within so many seconds.
 * Throws a sentence that names the faulty entry.
 */
export function readRateLimits(setting: string): RateLimitTable {
  const table: Record<string, RateLimit | null> = { ...RATE_LIMITS };
  for (const entry of setting.split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const [, name = '', count, seconds] = ENTRY.exec(entry) ?? [];
    if (name === '') throw new Error(`"${entry}" is not <limit>=<count>/<seconds> or <limit>=off.`);
    if (!Object.hasOwn(RATE_LIMITS, name)) {
      throw new Error(`"${name}" is no limit; there are ${Object.keys(RATE_LIMITS).join(', ')}.`);
    }
    if (count === undefined) table[name] = null;
    else if (Number(count) < 1 || Number(seconds) < 1) throw new Error(`"${entry}" needs a count and seconds above 0.`);
    else if (Number(seconds) > SECONDS_MAX) throw new Error(`"${entry}" is longer than ${SECONDS_MAX} seconds.`);
    else table[name] = { count: Number(count), seconds: Number(seconds) };
  }
  return table as RateLimitTable;
}
