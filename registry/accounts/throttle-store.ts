import type { Knex } from 'knex';

/** How many attempts are free, and how long one waits after more. */
export interface ThrottleRule {
  free: number;
  /** After the last free attempt; it doubles with each one after. */
  delayMs: number;
  delayMsMax: number;
  /** Without an attempt for so long, everything is forgotten. */
  forgetMs: number;
}

export type Attempt = { failures: number; lockedUntil: Date | null } | { locked: Date };

export interface ThrottleStore {
  /**
   * Counts an attempt as failed before it is made; one statement, so that of many at once each counts. `locked`: none is allowed
   * until then. `lockedUntil`: this one is, and none after it.
   */
  begin(key: string, rule: ThrottleRule, now: Date): Promise<Attempt>;
  /** The attempt was none. Ends the lock that it began, and none that others began meanwhile. */
  takeBack(key: string, lockedUntil: Date | null): Promise<void>;
  clear(keys: string[]): Promise<void>;
  removeOld(before: Date): Promise<void>;
}

const BEGIN = `
  insert into login_throttles as t (key, failures, last_failed_at) values (:key, 1, :now)
  on conflict (key) do update set
    failures = case when t.last_failed_at < :forgotten then 1 else t.failures + 1 end,
    last_failed_at = excluded.last_failed_at,
    locked_until = case
      when t.last_failed_at >= :forgotten and t.failures + 1 >= :free
      then :now::timestamptz + least(:delayMsMax, :delayMs * power(2, least(t.failures + 1 - :free, 30))) * interval '1 millisecond'
    end
  where t.locked_until is null or t.locked_until <= :now
  returning failures, locked_until`;

export const createThrottleStore = (database: Knex): ThrottleStore => ({
  async begin(key, { forgetMs, ...rule }, now) {
    const forgotten = new Date(now.getTime() - forgetMs);
    const { rows } = await database.raw(BEGIN, { key, now, forgotten, ...rule });
    if (rows.length === 1) return { failures: rows[0].failures, lockedUntil: rows[0].locked_until };
    const locked = await database('login_throttles').where({ key }).first('locked_until');
    // Gone between the two statements: somebody unlocked it.
    return { locked: locked?.locked_until ?? now };
  },
  takeBack: async (key, lockedUntil) =>
    void (await database('login_throttles')
      .where({ key })
      .update({
        failures: database.raw('greatest(failures - 1, 0)'),
        locked_until: database.raw('nullif(locked_until, ?::timestamptz)', [lockedUntil]),
      })),
  clear: async (keys) => void (await database('login_throttles').whereIn('key', keys).delete()),
  removeOld: async (before) =>
    void (await database('login_throttles')
      .where('last_failed_at', '<', before)
      .where((unlocked) => unlocked.whereNull('locked_until').orWhere('locked_until', '<', before))
      .delete()),
});
