import type { Knex } from 'knex';

/** Usage knows what starting an installation cost, apart from its invocations, and how large its buffers were. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table usage
      add column startup_cpu_ms double precision not null default 0,
      add column external_mib_max double precision not null default 0;
  `);
}
