import type { Knex } from 'knex';

/** How releases come to operators by and by: after a delay, in stages over all of them, and not when they are signed more weakly. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- A release is taken by the policy only when it has been out for so long.
    alter table installations
      add column delay_seconds integer not null default 0 check (delay_seconds between 0 and 31536000);

    create table stagings (
      id uuid primary key,
      plugin_id uuid not null references plugins,
      -- It may be planned before the release is there.
      version text not null check (length(version) between 5 and 64),
      -- Shares of the installations that follow; rising, the last one is 100.
      percents smallint[] not null check (array_length(percents, 1) between 1 and 10 and percents[array_upper(percents, 1)] = 100),
      every_seconds integer not null check (every_seconds between 60 and 2592000),
      state text not null default 'planned' check (state in ('planned', 'rolling', 'halted', 'done', 'rolled-back')),
      -- Index of the present share.
      stage smallint not null default 0 check (stage between 0 and 9),
      reason text not null default '' check (length(reason) <= 2000),
      -- When the release came, when the present stage began, and when it ended.
      began_at timestamptz,
      stage_at timestamptz,
      ended_at timestamptz,
      revision integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (plugin_id, version),
      check ((began_at is null) = (stage_at is null)),
      check (began_at is not null or state = 'planned')
    );
    create trigger touch_updated_at before update on stagings
      for each row execute function touch_updated_at();
    create index stagings_under_way on stagings (id) where state in ('planned', 'rolling', 'halted', 'rolled-back');

    -- What the release and the earlier ones answered meanwhile, added up over all operators and hosts; bucket -1 counts errors.
    create table staging_samples (
      staging_id uuid not null references stagings on delete cascade,
      arm text not null check (arm in ('earlier', 'staged')),
      bucket smallint not null,
      calls bigint not null,
      primary key (staging_id, arm, bucket)
    );

    -- What an operator takes in spite of how it is signed.
    create table accepted_signings (
      installation_id uuid not null references installations on delete cascade,
      release_id uuid not null references releases,
      -- Names of registry/rules/signing-strength.ts.
      weaknesses text[] not null,
      reason text not null check (length(reason) between 1 and 1000),
      created_at timestamptz not null default now(),
      primary key (installation_id, release_id)
    );
  `);
}
