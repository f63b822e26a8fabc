import type { Knex } from 'knex';

/** Second factors of people, passkeys, and the accounts of Telegram that log in to ours. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table totp_factors (
      id uuid primary key,
      account_id uuid not null references accounts on delete cascade,
      label text not null check (length(label) between 1 and 100),
      -- The secret, sealed by the host; see host/encryption/envelope.ts.
      sealed bytea not null check (octet_length(sealed) between 93 and 1024),
      -- Null until a first code has shown that the app has the secret.
      confirmed_at timestamptz,
      -- Number of the 30-second step whose code came last: no code of that step or of an earlier one is taken again.
      last_step bigint check (last_step > 0),
      last_used_at timestamptz,
      created_at timestamptz not null,
      check ((confirmed_at is null) = (last_step is null))
    );
    create unique index totp_factors_in_use on totp_factors (account_id) where confirmed_at is not null;
    create unique index totp_factors_waiting on totp_factors (account_id) where confirmed_at is null;

    -- One use each. A code has 80 bits of randomness, so a plain hash (of account and code) cannot be searched.
    create table recovery_codes (
      account_id uuid not null references accounts on delete cascade,
      code_sha256 bytea not null check (octet_length(code_sha256) = 32),
      used_at timestamptz,
      created_at timestamptz not null,
      primary key (account_id, code_sha256)
    );

    -- WebAuthn credentials.
    create table passkeys (
      id uuid primary key,
      account_id uuid not null references accounts on delete cascade,
      label text not null check (length(label) between 1 and 100),
      credential_id bytea not null unique check (octet_length(credential_id) between 1 and 1023),
      -- COSE.
      public_key bytea not null check (octet_length(public_key) between 1 and 4096),
      -- How often the authenticator says that it signed; always 0 for those that do not count.
      counter bigint not null check (counter >= 0),
      transports text[] not null default '{}' check (cardinality(transports) <= 10),
      -- Whether it is kept in step over several devices of its owner.
      backed_up boolean not null,
      last_used_at timestamptz,
      created_at timestamptz not null
    );
    create index passkeys_of_account on passkeys (account_id, id);

    -- What is open between two steps. Found by the hash of what the client was given; deleted by the answer.
    create table factor_challenges (
      sha256 bytea primary key check (octet_length(sha256) = 32),
      purpose text not null check (purpose in ('login', 'step-up', 'passkey-registration', 'passkey-login')),
      -- Null for a login by passkey alone: the answer says whose it is.
      account_id uuid references accounts on delete cascade,
      -- The session that asked; null for logins.
      session_id uuid references sessions on delete cascade,
      -- Of the User-Agent of the client that began a login: another one cannot finish it.
      client_sha256 bytea check (octet_length(client_sha256) = 32),
      attempts integer not null default 0 check (attempts between 0 and 5),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      check ((account_id is null) = (purpose = 'passkey-login')),
      check ((session_id is null) = (purpose in ('login', 'passkey-login')))
    );
    create index factor_challenges_by_end on factor_challenges (expires_at);
    create index factor_challenges_of_account on factor_challenges (account_id);
    create index factor_challenges_of_session on factor_challenges (session_id);

    create table telegram_identities (
      -- Telegram's number of the person; at most 52 bits.
      telegram_id bigint primary key check (telegram_id > 0),
      account_id uuid not null unique references accounts on delete cascade,
      linked_at timestamptz not null,
      last_used_at timestamptz
    );

    -- Init data that was used, until it is stale anyhow.
    create table telegram_init_data (
      sha256 bytea primary key check (octet_length(sha256) = 32),
      expires_at timestamptz not null
    );
    create index telegram_init_data_by_end on telegram_init_data (expires_at);
  `);
}
