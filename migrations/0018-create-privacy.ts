import type { Knex } from 'knex';

/** Archives of what is kept about a person, made by a job for that person alone. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table personal_exports (
      id uuid primary key,
      account_id uuid not null references accounts on delete cascade,
      state text not null check (state in ('waiting', 'ready', 'failed')),
      -- JSON under the person's key: with the key gone, nobody reads it.
      sealed bytea check (octet_length(sealed) <= 67108864),
      claimed_until timestamptz,
      created_at timestamptz not null,
      ready_at timestamptz,
      -- When it is deleted.
      expires_at timestamptz not null,
      check ((state = 'ready') = (sealed is not null))
    );
    create index personal_exports_of_account on personal_exports (account_id, created_at desc);
    create index personal_exports_waiting on personal_exports (created_at) where state = 'waiting';
  `);
}
