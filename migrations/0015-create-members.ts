import type { Knex } from 'knex';

/** Who belongs to an organisation as what, how they come and go, and what narrows an API token. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    update api_tokens set role = 'operator-owner' where role = 'operator';

    create table memberships (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      account_id uuid not null references accounts on delete cascade,
      role text not null check (role <> 'caller' and role ~ '^[a-z][a-z-]{1,39}$'),
      created_at timestamptz not null,
      updated_at timestamptz not null default now(),
      unique (organisation_id, account_id)
    );
    create index memberships_of_account on memberships (account_id, organisation_id);
    create trigger touch_updated_at before update on memberships
      for each row execute function touch_updated_at();
    -- Hosts keep in memory what a person and the tokens that they answer for may do.
    create trigger notify_change after insert or update or delete on memberships
      for each row execute function notify_change();

    create table invitations (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      role text not null check (role <> 'caller' and role ~ '^[a-z][a-z-]{1,39}$'),
      -- Of the secret in the link, which has 256 bits of randomness.
      secret_sha256 bytea not null unique check (octet_length(secret_sha256) = 32),
      -- Blind index of the address that it is for, as in account_emails; null: for whoever has the link first.
      address_index bytea check (octet_length(address_index) = 32),
      -- What of the address may be shown.
      address_hint text check (length(address_hint) between 3 and 300),
      invited_by uuid references accounts on delete set null,
      state text not null default 'open' check (state in ('open', 'accepted', 'declined', 'revoked')),
      ended_by uuid references accounts on delete set null,
      ended_at timestamptz,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      check ((state = 'open') = (ended_at is null)),
      check ((address_index is null) = (address_hint is null))
    );
    create index invitations_of_organisation on invitations (organisation_id, id desc);
    create index invitations_by_end on invitations (expires_at);

    create table ownership_offers (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      from_account_id uuid not null references accounts on delete cascade,
      to_account_id uuid not null references accounts on delete cascade check (to_account_id <> from_account_id),
      state text not null default 'open' check (state in ('open', 'accepted', 'declined')),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz,
      check ((state = 'open') = (ended_at is null))
    );
    create index ownership_offers_of_organisation on ownership_offers (organisation_id) where state = 'open';
    create index ownership_offers_from on ownership_offers (from_account_id);
    create index ownership_offers_to on ownership_offers (to_account_id);

    alter table api_tokens
      -- The member who answers for the token: it never does more than they may. Null: the organisation itself.
      add account_id uuid references accounts on delete cascade,
      -- Permissions that are left of the role's; null: all of them.
      add scopes text[] check (cardinality(scopes) between 1 and 100),
      add installation_ids uuid[] check (cardinality(installation_ids) between 1 and 100),
      -- <publisher>/<name>: for publishing from CI.
      add plugin text check (length(plugin) between 3 and 90),
      add address_ranges text[] check (cardinality(address_ranges) between 1 and 100),
      add last_used_at timestamptz,
      -- Which token took its place, and until when it works beside it is expires_at.
      add successor_id uuid references api_tokens;
    create index api_tokens_of_account on api_tokens (account_id, organisation_id) where account_id is not null;
    create index api_tokens_by_successor on api_tokens (successor_id) where successor_id is not null;
    -- Not of last_used_at, which changes all the time and which no host caches.
    drop trigger notify_change on api_tokens;
    create trigger notify_change after insert or delete
      or update of role, label, expires_at, revoked_at, account_id, scopes, installation_ids, plugin, address_ranges
      on api_tokens for each row execute function notify_change();

    -- RFC 8628: a program without a browser waits until a person approves it in one.
    create table device_codes (
      id uuid primary key,
      device_sha256 bytea not null unique check (octet_length(device_sha256) = 32),
      -- Of the eight letters that a person types.
      user_sha256 bytea not null check (octet_length(user_sha256) = 32),
      label text not null check (length(label) between 1 and 100),
      address text not null check (length(address) <= 100),
      state text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'claimed')),
      interval_seconds integer not null check (interval_seconds between 1 and 600),
      polled_at timestamptz,
      -- Who approved it, for which organisation.
      account_id uuid references accounts on delete cascade,
      organisation_id uuid references organisations,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      check ((state in ('approved', 'claimed')) = (organisation_id is not null))
    );
    create unique index device_codes_by_user_code on device_codes (user_sha256);
    create index device_codes_by_end on device_codes (expires_at);
    create index device_codes_of_account on device_codes (account_id) where account_id is not null;
    create index device_codes_of_organisation on device_codes (organisation_id) where organisation_id is not null;
  `);
}
