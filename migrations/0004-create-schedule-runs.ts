import type { Knex } from 'knex';

/** One row for every run of a plugin's schedule: whoever inserts it runs the job, so several hosts run it once. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table schedule_runs (
      installation_id uuid not null references installations on delete cascade,
      name text not null,
      due_at timestamptz not null,
      claimed_at timestamptz not null default now(),
      primary key (installation_id, name, due_at)
    );
    create index schedule_runs_by_due on schedule_runs (due_at);
  `);
}
