import type { Knex } from 'knex';

/**
 * Messages that plugins leave for themselves. They are the truth; what hands them out (BullMQ, in a schema of its own or in Redis)
 * can be made anew from them.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table queue_messages (
      -- UUIDv7: the order of ids is the order of time.
      id uuid primary key,
      -- The same for the same call of the same invocation.
      call_id uuid not null unique,
      installation_id uuid not null references installations on delete cascade,
      queue text not null check (queue ~ '^[a-z][a-z0-9-]{0,62}$'),
      -- What the plugin calls it; the same again is the same message as long as this one is kept.
      key text check (length(key) between 1 and 128),
      -- JSON text as the plugin wrote it.
      payload text not null,
      state text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
      -- Attempts that ended with a fault.
      attempts integer not null default 0 check (attempts >= 0),
      attempts_max integer not null check (attempts_max between 1 and 20),
      due_at timestamptz not null default now(),
      error text,
      depth integer not null,
      seed text not null check (seed ~ '^[0-9a-f]{64}$'),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create unique index queue_messages_by_key on queue_messages (installation_id, queue, key) where key is not null;
    create index queue_messages_newest_first on queue_messages (installation_id, state, id desc);
    create index queue_messages_due on queue_messages (due_at) where state = 'waiting';
    create index queue_messages_ended on queue_messages (updated_at) where state <> 'waiting';
    create trigger touch_updated_at before update on queue_messages
      for each row execute function touch_updated_at();
  `);
}
