import type { Knex } from 'knex';

/**
 * Who did what. An entry is written with what it records; when that transaction commits, and no earlier, it becomes the next link
 * of the one chain. So the chain has no gaps, and nobody waits for it longer than a commit takes. See decision 22.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table audit_entries (
      -- UUIDv7, made with the entry.
      id uuid primary key,
      at timestamptz not null,
      -- Whose matter it is; null: the platform's. No reference: an entry outlives what it speaks of.
      organisation_id uuid,
      -- Canonical JSON: exactly what the hash is over.
      content text not null check (octet_length(content) between 2 and 32768),
      action text not null generated always as (content::jsonb ->> 'action') stored
        check (action ~ '^[a-z][a-z0-9-]*[.][a-z][a-z0-9-]*$'),
      outcome text not null generated always as (content::jsonb ->> 'outcome') stored
        check (outcome in ('done', 'unchanged', 'refused')),
      credential_id text generated always as (content::jsonb #>> '{actor,credentialId}') stored,
      account_id text generated always as (content::jsonb #>> '{actor,accountId}') stored,
      subject_kind text not null generated always as (content::jsonb #>> '{subject,kind}') stored,
      subject_id text not null generated always as (content::jsonb #>> '{subject,id}') stored,
      check (organisation_id is not distinct from (content::jsonb ->> 'organisationId')::uuid),
      check (id = (content::jsonb ->> 'id')::uuid)
    );
    create index audit_entries_of_organisation on audit_entries (organisation_id, id desc);
    create index audit_entries_of_subject on audit_entries (subject_id, id desc);
    create index audit_entries_of_account on audit_entries (account_id, id desc) where account_id is not null;

    -- The chain: hash = SHA-256(hash before, sequence as 8 bytes, content). Before the first: 32 zero bytes.
    create table audit_links (
      sequence bigint primary key check (sequence > 0),
      entry_id uuid not null unique references audit_entries,
      hash bytea not null check (octet_length(hash) = 32)
    );

    -- Its end, and the lock that makes entries take turns.
    create table audit_chain (
      only_row boolean primary key default true check (only_row),
      sequence bigint not null default 0,
      hash bytea not null default decode(repeat('00', 32), 'hex')
    );
    insert into audit_chain default values;

    -- Signed by the registry's key, which is in no database: what holds whoever may rewrite these tables.
    create table audit_heads (
      sequence bigint primary key,
      hash bytea not null check (octet_length(hash) = 32),
      signed_at timestamptz not null,
      -- SHA-256 of the public key, lower-case hex.
      key_id text not null,
      signature bytea not null
    );

    create function link_audit_entry() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
    declare tail audit_chain;
    begin
      update audit_chain
        set sequence = sequence + 1, hash = sha256(hash || int8send(sequence + 1) || convert_to(new.content, 'UTF8'))
        returning * into tail;
      insert into audit_links (sequence, entry_id, hash) values (tail.sequence, new.id, tail.hash);
      return null;
    end $$;
    create constraint trigger link_audit_entry after insert on audit_entries
      deferrable initially deferred for each row execute function link_audit_entry();

    create function keep_audit() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit trail is never changed' using errcode = 'restrict_violation';
    end $$;
    create trigger keep_audit before update or delete or truncate on audit_entries for each statement execute function keep_audit();
    create trigger keep_audit before update or delete or truncate on audit_links for each statement execute function keep_audit();
    create trigger keep_audit before update or delete or truncate on audit_heads for each statement execute function keep_audit();
  `);
}
