import type { Knex } from 'knex';

/** A login that is under way while all sessions of its account are ended must not outlive them. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Counts how often all sessions of the account were ended. A number, because the clocks of two hosts differ.
    alter table accounts add column session_epoch integer not null default 0 check (session_epoch >= 0);
    -- That of the account when its login began; zero where no account is known yet.
    alter table factor_challenges add column session_epoch integer not null default 0 check (session_epoch >= 0);
  `);
}
