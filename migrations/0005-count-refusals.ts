import type { Knex } from 'knex';

/** Usage knows how long invocations waited and how large the heap was; and what was not run at all, by code. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table usage
      add column queued_ms double precision not null default 0,
      add column heap_mib_max double precision not null default 0;

    create table usage_refusals (
      installation_id uuid not null references installations on delete cascade,
      hour timestamptz not null check (hour = date_trunc('hour', hour, 'UTC')),
      -- Of a closed set in the code, which may grow without a migration.
      code text not null check (code ~ '^[a-z][a-z0-9-]{0,63}$'),
      invocations bigint not null,
      primary key (installation_id, hour, code)
    );
  `);
}
