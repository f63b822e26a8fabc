import type { Knex } from 'knex';

/** How installations come from one release to the next: what they follow, canaries, and the history of all of it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table installations
      -- A range of versions, or 'latest'; null: it stays on its release.
      add column follows text check (length(follows) between 1 and 64),
      -- Of updates that the policy makes; 0: at once.
      add column canary_percent smallint not null default 0 check (canary_percent between 0 and 99),
      add column promote_after_seconds integer default 1800 check (promote_after_seconds > 0),
      -- Counts changes, so that none is written over another.
      add column revision integer not null default 1,
      -- When what a removed one stored is deleted; null: it is not removed, or that has been done.
      add column purge_at timestamptz;
    create index installations_following on installations (release_id) where follows is not null and deleted_at is null;
    create index installations_to_purge on installations (purge_at) where purge_at is not null;

    -- Whoever has the lease makes the changes of an installation. It ends by itself when a host dies.
    create table installation_leases (
      installation_id uuid primary key references installations on delete cascade,
      lease_id uuid not null,
      until timestamptz not null
    );

    create table rollouts (
      -- UUIDv7: the order of ids is the order of time.
      id uuid primary key,
      installation_id uuid not null references installations on delete cascade,
      from_release_id uuid not null references releases,
      to_release_id uuid not null references releases,
      cause text not null check (cause in ('operator', 'policy')),
      state text not null check (state in ('waiting', 'canary', 'done', 'rolled-back', 'failed', 'superseded')),
      percent smallint not null check (percent between 0 and 100),
      promote_after_seconds integer check (promote_after_seconds > 0),
      -- With which the new release runs, and the old one ran.
      grants text[] not null default '{}',
      config json not null default '{}',
      from_grants text[] not null default '{}',
      from_config json not null default '{}',
      reason text not null default '' check (length(reason) <= 4000),
      facts json not null default '{}',
      started_at timestamptz not null,
      ended_at timestamptz,
      check ((ended_at is null) = (state in ('waiting', 'canary')))
    );
    create unique index rollouts_one_canary on rollouts (installation_id) where state = 'canary';
    create unique index rollouts_one_waiting on rollouts (installation_id) where state = 'waiting';
    create index rollouts_newest_first on rollouts (installation_id, id desc);

    -- What both releases answered while a canary runs, added up over all hosts; bucket -1 counts errors.
    create table rollout_samples (
      rollout_id uuid not null references rollouts on delete cascade,
      arm text not null check (arm in ('stable', 'canary')),
      bucket smallint not null,
      calls bigint not null,
      primary key (rollout_id, arm, bucket)
    );

    create function notify_rollout_change() returns trigger language plpgsql as $$
    begin
      perform pg_notify('gatehouse_changes', 'rollouts:' || new.installation_id);
      return null;
    end $$;
    -- Hosts act upon canaries only.
    create trigger notify_rollout_start after insert on rollouts for each row
      when (new.state = 'canary') execute function notify_rollout_change();
    create trigger notify_rollout_change after update on rollouts for each row
      when (old.state = 'canary') execute function notify_rollout_change();
  `);
}
