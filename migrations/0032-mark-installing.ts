import type { Knex } from 'knex';

/** Tells an installation that is not finished, because its `install` runs or its host died, from one that its operator disabled. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table installations
      -- What an older host installs is finished.
      add column installing boolean not null default false,
      -- So whoever asks only for what is enabled does not find it.
      add constraint installing_is_disabled check (not (installing and enabled));
  `);
}
