import type { Knex } from 'knex';

/**
 * What everybody may check: a Merkle tree (RFC 9162) over public events. Like an entry of the audit trail, one of the log is written with
 * what it records and gets its place when that transaction commits. See decision 24.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table transparency_entries (
      -- UUIDv7, made with the entry.
      id uuid primary key,
      -- Canonical JSON: exactly what the leaf is over.
      content text not null check (octet_length(content) between 2 and 4096),
      event text not null generated always as (content::jsonb ->> 'event') stored
        check (event ~ '^[a-z][a-z0-9-]*[.][a-z][a-z0-9-]*$'),
      release text generated always as (content::jsonb ->> 'release') stored,
      key_id text generated always as (content::jsonb ->> 'keyId') stored
    );
    create index transparency_entries_of_release on transparency_entries (release, id) where release is not null;
    create index transparency_entries_of_key on transparency_entries (key_id, id) where key_id is not null;

    -- hash = SHA-256(0x00, content).
    create table transparency_leaves (
      position bigint primary key check (position >= 0),
      entry_id uuid not null unique references transparency_entries,
      hash bytea not null check (octet_length(hash) = 32)
    );

    -- Roots of complete subtrees of 2^level leaves, of which this is the position-th: SHA-256(0x01, left, right).
    create table transparency_nodes (
      level smallint not null check (level > 0),
      position bigint not null check (position >= 0),
      hash bytea not null check (octet_length(hash) = 32),
      primary key (level, position)
    );

    -- The tree's edge, and the lock that makes entries take turns.
    create table transparency_tree (
      only_row boolean primary key default true check (only_row),
      size bigint not null default 0,
      -- Roots of the complete subtrees of which it consists, the largest first.
      peaks bytea[] not null default '{}'
    );
    insert into transparency_tree default values;

    -- Signed by the registry's key. The same size may be signed again later, which says that nothing has happened since.
    create table transparency_heads (
      size bigint not null,
      root bytea not null check (octet_length(root) = 32),
      signed_at timestamptz not null,
      -- SHA-256 of the public key, lower-case hex.
      key_id text not null,
      signature bytea not null,
      primary key (size, signed_at)
    );

    create function append_transparency_entry() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public as $$
    declare
      tree transparency_tree;
      node bytea := sha256('\\x00'::bytea || convert_to(new.content, 'UTF8'));
      place bigint;
      depth smallint := 0;
    begin
      -- Always first that of the audit trail, in whatever order a transaction wrote its entries: so nobody dead-locks.
      perform from audit_chain for update;
      select * into tree from transparency_tree for update;
      insert into transparency_leaves (position, entry_id, hash) values (tree.size, new.id, node);
      place := tree.size;
      while place % 2 = 1 loop
        node := sha256('\\x01'::bytea || tree.peaks[cardinality(tree.peaks)] || node);
        tree.peaks := trim_array(tree.peaks, 1);
        place := place / 2;
        depth := depth + 1;
        insert into transparency_nodes (level, position, hash) values (depth, place, node);
      end loop;
      update transparency_tree set size = size + 1, peaks = array_append(tree.peaks, node);
      return null;
    end $$;
    create constraint trigger append_transparency_entry after insert on transparency_entries
      deferrable initially deferred for each row execute function append_transparency_entry();

    create function keep_transparency() returns trigger language plpgsql as $$
    begin
      raise exception 'the transparency log is never changed' using errcode = 'restrict_violation';
    end $$;
    create trigger keep_transparency before update or delete or truncate on transparency_entries
      for each statement execute function keep_transparency();
    create trigger keep_transparency before update or delete or truncate on transparency_leaves
      for each statement execute function keep_transparency();
    create trigger keep_transparency before update or delete or truncate on transparency_nodes
      for each statement execute function keep_transparency();
    create trigger keep_transparency before update or delete or truncate on transparency_heads
      for each statement execute function keep_transparency();

    -- What was registered and approved before there was a log is in it from now on. Whoever migrates is bound by the rules of rows.
    select set_config('app.role', 'system', true);
    create function pg_temp.log_time() returns text language sql
      as $$ select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
    insert into transparency_entries (id, content)
      select gen_random_uuid(), format('{"at":"%s","event":"key.register","keyId":"%s","publisher":"%s","v":1}',
        pg_temp.log_time(), k.key_id, o.slug)
      from publisher_keys k join organisations o on o.id = k.organisation_id order by k.id;
    insert into transparency_entries (id, content)
      select gen_random_uuid(),
        format('{"at":"%s","digest":"%s","event":"release.approve","plugin":"%s/%s","release":"%s","v":1,"version":"%s"}',
          pg_temp.log_time(), r.digest, o.slug, p.name,
          encode(sha256(convert_to(format('{"digest":"%s","name":"%s","publisher":"%s","version":"%s"}',
            r.digest, p.name, o.slug, r.version), 'UTF8')), 'hex'),
          r.version)
      from releases r join plugins p on p.id = r.plugin_id join organisations o on o.id = p.organisation_id
      where r.state in ('published', 'yanked') order by r.id;
    drop function pg_temp.log_time();
    -- Later migrations of the same run may change these tables; nothing may be left to do then.
    set constraints append_transparency_entry immediate;
    set constraints append_transparency_entry deferred;
  `);
}
