import type { Knex } from 'knex';

/**
 * Stagings of the row of `releases` in the query around it that were stopped: what was found wanting while it was brought to some must not
 * come to others by chance.
 */
export const stoppedStagings = (database: Knex): Knex.QueryBuilder =>
  database('stagings')
    .whereRaw('stagings.plugin_id = releases.plugin_id and stagings.version = releases.version')
    .whereIn('stagings.state', ['halted', 'rolled-back']);
