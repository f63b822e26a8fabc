import type { Knex } from 'knex';

/**
 * People: accounts, their passwords, sessions and mail. What says who somebody is (addresses, telephone numbers) is sealed under a key
 * of that person alone, so that erasing the key erases it everywhere; blind indexes find it meanwhile.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table accounts (
      id uuid primary key,
      username text not null check (username ~ '^[a-zA-Z0-9_]{3,20}$'),
      -- unverified: may not log in yet, and is forgotten after a week. erased: its key is gone.
      state text not null check (state in ('unverified', 'active', 'deactivated', 'erased')),
      -- The person's data key, sealed by the host; null once erased.
      person_key bytea check (octet_length(person_key) between 93 and 1024),
      -- Under the person's key: E.164.
      phone_sealed bytea,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      check ((state = 'erased') = (person_key is null))
    );
    create unique index accounts_by_username on accounts (lower(username));

    create table account_emails (
      id uuid primary key,
      account_id uuid not null references accounts on delete cascade,
      -- Under the person's key.
      sealed bytea not null,
      -- HMAC of the address in lower case: finds it, and says nothing to whoever has the database alone.
      address_index bytea not null check (octet_length(address_index) = 32),
      verified_at timestamptz,
      created_at timestamptz not null default now()
    );
    create index account_emails_of_account on account_emails (account_id);
    -- Anybody may claim an address; one account has it.
    create unique index account_emails_verified on account_emails (address_index) where verified_at is not null;
    create index account_emails_claimed on account_emails (address_index);

    -- Absent for people who log in otherwise.
    create table account_passwords (
      account_id uuid primary key references accounts on delete cascade,
      -- bcrypt over base64(hmac-sha384(password, pepper)).
      hash text not null check (length(hash) = 60),
      pepper_version integer not null,
      changed_at timestamptz not null
    );

    -- One use each. A code has 160 bits of randomness, so a plain hash cannot be searched.
    create table account_codes (
      sha256 bytea primary key check (octet_length(sha256) = 32),
      account_id uuid not null references accounts on delete cascade,
      email_id uuid references account_emails on delete cascade,
      purpose text not null check (purpose in ('verify-email', 'reset-password')),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz
    );
    create index account_codes_of_account on account_codes (account_id, created_at);

    -- What was tried lately, by what was typed as login and by address, whether there is such an account or not.
    create table login_throttles (
      key text primary key check (length(key) between 3 and 200),
      failures integer not null,
      last_failed_at timestamptz not null,
      locked_until timestamptz
    );
    create index login_throttles_by_age on login_throttles (last_failed_at);

    create table sessions (
      id uuid primary key,
      account_id uuid not null references accounts on delete cascade,
      device text not null check (length(device) between 1 and 200),
      user_agent text not null check (length(user_agent) <= 500),
      address text not null check (length(address) <= 100),
      -- When a second factor was last confirmed.
      factor_at timestamptz,
      created_at timestamptz not null,
      last_seen_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      revoked_reason text,
      check ((revoked_at is null) = (revoked_reason is null))
    );
    create index sessions_of_account on sessions (account_id, created_at desc);
    create index sessions_by_end on sessions (expires_at);

    -- A session is a family: each token has one successor, made from it by HMAC, so that it need not be stored.
    create table refresh_tokens (
      sha256 bytea primary key check (octet_length(sha256) = 32),
      session_id uuid not null references sessions on delete cascade,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      replaced_by bytea check (octet_length(replaced_by) = 32),
      check ((used_at is null) = (replaced_by is null))
    );
    create index refresh_tokens_of_session on refresh_tokens (session_id);

    -- ES256 keys of access tokens; the private halves are sealed by the host.
    create table access_token_keys (
      id uuid primary key,
      sealed bytea not null,
      public_key_pem text not null,
      created_at timestamptz not null
    );

    -- Mail that is to be sent. Addresses and texts hold codes and names: sealed by the host, and gone once sent.
    create table mail_outbox (
      id uuid primary key,
      -- Of whom it speaks, where they have an account.
      account_id uuid references accounts on delete cascade,
      sealed bytea,
      attempts integer not null default 0,
      next_at timestamptz not null,
      claimed_until timestamptz,
      created_at timestamptz not null,
      sent_at timestamptz,
      given_up_at timestamptz,
      error text
    );
    create index mail_outbox_due on mail_outbox (next_at) where sent_at is null and given_up_at is null;
    create index mail_outbox_of_account on mail_outbox (account_id);

    create trigger touch_updated_at before update on accounts
      for each row execute function touch_updated_at();
    create trigger notify_change after update of state, username on accounts
      for each row execute function notify_change();
    -- Not of last_seen_at, which changes all the time and which no host caches.
    create trigger notify_change after update of revoked_at, factor_at on sessions
      for each row execute function notify_change();
  `);
}
