import type { Knex } from 'knex';

/** Alerts and mail about the audit trail go on after a restart where they were, so that nothing in between goes untold. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table trail_readers (
      reader text primary key check (reader in ('alerts', 'mail')),
      -- Up to this link of the audit trail everybody was told.
      sequence bigint not null
    );
    insert into trail_readers (reader, sequence)
      select reader, sequence from audit_chain, unnest(array['alerts', 'mail']) as reader;
  `);
}
