import type { Knex } from 'knex';

export interface DayCounter {
  /** Counts every day that is due, the oldest first, and today as far as it is; resolves with these days. None where another host is about it. */
  count(): Promise<string[]>;
}

/** Hosts write what they have in memory within seconds; a day that was counted an hour after its end stays as it is. */
const SETTLED_AFTER = "interval '1 hour'";
/** What installations did is kept for 90 days. */
const DAYS_BACK_MAX = 89;

const TODAY = "date_trunc('day', CAST(:now AS timestamptz) AT TIME ZONE 'UTC')";
/** Days that were never counted, or not since they have ended. */
const DUE = `
  SELECT to_char(due.day, 'YYYY-MM-DD') AS day
  FROM generate_series(
    greatest((SELECT date_trunc('day', min(created_at) AT TIME ZONE 'UTC') FROM plugins), ${TODAY} - interval '${DAYS_BACK_MAX} days'),
    ${TODAY}, interval '1 day') AS due (day)
  WHERE NOT EXISTS (SELECT 1 FROM statistics_days AS done
    WHERE done.day = CAST(due.day AS date) AND done.counted_at >= (due.day + interval '1 day') AT TIME ZONE 'UTC' + ${SETTLED_AFTER})
  ORDER BY 1`;

const BEGINS = "(CAST(:day AS timestamp) AT TIME ZONE 'UTC')";
const ENDS = "((CAST(:day AS timestamp) + interval '1 day') AT TIME ZONE 'UTC')";

/** What each installation ran when the day ended, by the history of its rollouts, and what it was installed as. */
const PLACES = `
  SELECT i.id, i.operator_id, i.created_at, i.deleted_at,
    coalesce(
      (SELECT to_release_id FROM rollouts WHERE installation_id = i.id AND state = 'done' AND ended_at < ${ENDS} ORDER BY ended_at DESC, id DESC LIMIT 1),
      (SELECT from_release_id FROM rollouts WHERE installation_id = i.id AND state = 'done' AND ended_at >= ${ENDS} ORDER BY ended_at, id LIMIT 1),
      i.release_id) AS release_id,
    coalesce((SELECT from_release_id FROM rollouts WHERE installation_id = i.id ORDER BY id LIMIT 1), i.release_id) AS first_release_id
  FROM installations AS i
  WHERE i.created_at < ${ENDS} AND (i.deleted_at IS NULL OR i.deleted_at >= ${BEGINS})`;

/** One statement, after what was counted of the day before has been deleted. */
const COUNT = `
  INSERT INTO plugin_statistics
    (plugin_id, release_id, day, views, installs, updates, uninstalls, active, operators, invocations, faults, durations, capabilities)
  WITH owners AS MATERIALIZED (SELECT id, owner FROM marketplace_owners()),
  insiders AS MATERIALIZED (SELECT publisher_id, owner FROM marketplace_insiders()),
  places AS MATERIALIZED (${PLACES}),
  moves (release_id, installs, updates, uninstalls, active, owner, invocations, faults) AS (
    SELECT first_release_id, 1, 0, 0, 0, CAST(NULL AS text), CAST(0 AS bigint), CAST(0 AS bigint) FROM places WHERE created_at >= ${BEGINS}
    UNION ALL SELECT release_id, 0, 0, 1, 0, NULL, 0, 0 FROM places WHERE deleted_at < ${ENDS}
    UNION ALL SELECT release_id, 0, 0, 0, 1, NULL, 0, 0 FROM places WHERE deleted_at IS NULL OR deleted_at >= ${ENDS}
    UNION ALL SELECT to_release_id, 0, 1, 0, 0, NULL, 0, 0 FROM rollouts
      WHERE state = 'done' AND ended_at >= ${BEGINS} AND ended_at < ${ENDS} AND to_release_id <> from_release_id
    UNION ALL SELECT u.release_id, 0, 0, 0, 0, w.owner, u.invocations, u.faults
      FROM release_usage AS u JOIN installations AS i ON i.id = u.installation_id JOIN owners AS w ON w.id = i.operator_id
      WHERE u.day = CAST(:day AS date)
  ),
  buckets AS (
    SELECT r.plugin_id, r.id AS release_id, GROUPING(r.id) AS whole, d.at, sum(d.calls) AS calls
    FROM release_usage AS u JOIN releases AS r ON r.id = u.release_id, unnest(u.durations) WITH ORDINALITY AS d (calls, at)
    WHERE u.day = CAST(:day AS date) AND EXISTS (SELECT 1 FROM installations AS i WHERE i.id = u.installation_id)
    GROUP BY GROUPING SETS ((r.plugin_id, r.id, d.at), (r.plugin_id, d.at))
  ),
  waits AS (
    SELECT plugin_id, release_id, whole, array_agg(CAST(calls AS bigint) ORDER BY at) AS durations
    FROM buckets GROUP BY plugin_id, release_id, whole
  ),
  facts AS (
    SELECT r.plugin_id, r.id AS release_id, GROUPING(r.id) AS whole, sum(installs) AS installs, sum(updates) AS updates,
      sum(uninstalls) AS uninstalls, sum(active) AS active,
      count(DISTINCT m.owner) FILTER (WHERE m.invocations > 0 AND NOT EXISTS (
        SELECT 1 FROM insiders AS s WHERE s.publisher_id = r.organisation_id AND s.owner = m.owner)) AS operators,
      sum(m.invocations) AS invocations, sum(m.faults) AS faults
    FROM moves AS m JOIN releases AS r ON r.id = m.release_id
    GROUP BY GROUPING SETS ((r.plugin_id, r.id), (r.plugin_id))
  ),
  calls AS (
    SELECT plugin_id, release_id, whole, jsonb_object_agg(capability,
        jsonb_build_object('calls', calls, 'refused', refused, 'operators', operators)) AS capabilities
    FROM (
      SELECT r.plugin_id, r.id AS release_id, GROUPING(r.id) AS whole, c.capability, sum(c.calls) AS calls, sum(c.refused) AS refused,
        count(DISTINCT w.owner) FILTER (WHERE NOT EXISTS (
          SELECT 1 FROM insiders AS s WHERE s.publisher_id = r.organisation_id AND s.owner = w.owner)) AS operators
      FROM usage_capabilities AS c JOIN places AS p ON p.id = c.installation_id JOIN owners AS w ON w.id = p.operator_id
      JOIN releases AS r ON r.id = p.release_id
      WHERE c.hour >= ${BEGINS} AND c.hour < ${ENDS}
      GROUP BY GROUPING SETS ((r.plugin_id, r.id, c.capability), (r.plugin_id, c.capability))
    ) AS each GROUP BY plugin_id, release_id, whole
  ),
  views AS (SELECT plugin_id, 1 AS whole, count FROM listing_views WHERE day = CAST(:day AS date))
  SELECT coalesce(f.plugin_id, v.plugin_id), f.release_id, CAST(:day AS date), coalesce(v.count, 0), coalesce(f.installs, 0),
    coalesce(f.updates, 0), coalesce(f.uninstalls, 0), coalesce(f.active, 0), coalesce(f.operators, 0), coalesce(f.invocations, 0),
    coalesce(f.faults, 0), coalesce(d.durations, '{}'), coalesce(c.capabilities, '{}')
  FROM facts AS f
  LEFT JOIN waits AS d ON d.plugin_id = f.plugin_id AND d.whole = f.whole AND d.release_id IS NOT DISTINCT FROM f.release_id
  LEFT JOIN calls AS c ON c.plugin_id = f.plugin_id AND c.whole = f.whole AND c.release_id IS NOT DISTINCT FROM f.release_id
  FULL JOIN views AS v ON v.plugin_id = f.plugin_id AND v.whole = f.whole`;

/** Daily sums over all operators. A day is one transaction that counts all of it anew, so that it does not matter where one was cut off. */
export const dayCounter = (database: Knex, nowMs: () => number): DayCounter => ({
  async count() {
    const now = new Date(nowMs()).toISOString();
    const { rows } = await database.raw(DUE, { now });
    const counted: string[] = [];
    for (const { day } of rows as { day: string }[]) {
      const mine = await database.transaction(async (transaction) => {
        const lock = await transaction.raw("SELECT pg_try_advisory_xact_lock(hashtext('count_statistics')) AS taken");
        if (!lock.rows[0].taken) return false;
        // It looks at everything there is; nobody waits for it.
        await transaction.raw("SET LOCAL statement_timeout = '5min'");
        await transaction.raw('DELETE FROM plugin_statistics WHERE day = CAST(:day AS date)', { day });
        await transaction.raw(COUNT, { day });
        await transaction.raw(
          `INSERT INTO statistics_days (day, counted_at) VALUES (CAST(:day AS date), :now)
           ON CONFLICT (day) DO UPDATE SET counted_at = excluded.counted_at`,
          { day, now },
        );
        return true;
      });
      if (!mine) break;
      counted.push(day);
    }
    return counted;
  },
});
