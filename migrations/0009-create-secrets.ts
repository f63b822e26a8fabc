import type { Knex } from 'knex';

/** Secrets that operators enter for their installations, sealed by the host; see host/encryption/envelope.ts. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table installation_secrets (
      installation_id uuid not null references installations on delete cascade,
      name text not null check (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
      sealed bytea not null check (octet_length(sealed) between 93 and 65536),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (installation_id, name)
    );
  `);
}
