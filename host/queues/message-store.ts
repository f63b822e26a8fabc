import type { Knex } from 'knex';
import { NIL } from 'uuid';
import { QUEUE_BACKLOG_MAX } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { readCursor, toPage } from '../installations/page.ts';
import type { MessageState, NewMessage, QueueMessage, StoredMessage } from './contract.ts';

export interface MessageStore {
  /**
   * Stores a message unless it, or one with its key, is there. `rank` counts those that wait before it; null where as many wait as
   * may, and nothing is stored.
   */
  add(message: NewMessage): Promise<{ id: string; stored: boolean; rank: number } | null>;
  find(id: string): Promise<StoredMessage | null>;
  done(id: string): Promise<void>;
  /** An attempt failed: it waits for the next, or is dead where `delayMs` is null. */
  failed(id: string, error: string, delayMs: number | null): Promise<void>;
  page(
    installationId: string,
    filter: PageRequest & { state?: MessageState; queue?: string },
  ): Promise<Page<QueueMessage>>;
  /** Null where there is no dead one with this id. */
  revive(installationId: string, id: string): Promise<QueueMessage | null>;
  remove(installationId: string, id: string): Promise<void>;
  /**
   * Waiting messages that have been due for at least so long, the longest first: whoever was to hand them out may have forgotten them.
   * Those of installations that may not run now are left out. Reads `pageSize` at a time.
   */
  overdue(ms: number, pageSize: number): AsyncIterable<string>;
  /** Whether there are messages, those that ended lately included. */
  isUsed(): Promise<boolean>;
  /** Forgets messages that ended long ago. */
  sweep(keepDoneMs: number, keepDeadMs: number): Promise<void>;
}

interface Row {
  id: string;
  call_id: string;
  installation_id: string;
  queue: string;
  key: string | null;
  payload: string;
  state: MessageState;
  attempts: number;
  attempts_max: number;
  due_at: Date;
  error: string | null;
  depth: number;
  seed: string;
  created_at: Date;
}

const ADD = `
  WITH waiting AS (SELECT count(*) AS number FROM (
    SELECT FROM queue_messages WHERE installation_id = CAST(:installationId AS uuid) AND state = 'waiting' LIMIT ${QUEUE_BACKLOG_MAX}) AS counted),
  added AS (
    INSERT INTO queue_messages (id, call_id, installation_id, queue, key, payload, attempts_max, due_at, depth, seed)
    SELECT CAST(:id AS uuid), CAST(:callId AS uuid), CAST(:installationId AS uuid), :queue, CAST(:key AS text), :payload, :attemptsMax,
      now() + make_interval(secs => CAST(:delayMs AS float8) / 1000), :depth, :seed
    FROM waiting WHERE number < ${QUEUE_BACKLOG_MAX}
    ON CONFLICT DO NOTHING RETURNING id)
  SELECT number, (SELECT id FROM added) AS id FROM waiting`;

interface Due {
  id: string;
  /** As PostgreSQL writes it: a Date has no microseconds. */
  dueAt: string;
}

const OVERDUE = `
  SELECT message.id, message.due_at::text AS "dueAt"
  FROM queue_messages AS message JOIN installations AS installation ON installation.id = message.installation_id
  WHERE message.state = 'waiting' AND message.due_at < now() - make_interval(secs => :seconds)
    AND (message.due_at, message.id) > (CAST(:dueAt AS timestamptz), CAST(:id AS uuid))
    AND installation.enabled AND installation.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM installation_conduct AS conduct
      WHERE conduct.installation_id = installation.id AND conduct.suspended_at IS NOT NULL)
  ORDER BY message.due_at, message.id
  LIMIT :pageSize`;

/** Messages in PostgreSQL. Every statement is atomic and durable by itself. */
export function messageStore(database: Knex): MessageStore {
  const table = () => database<Row>('queue_messages');
  const inMs = (ms: number) => database.raw('now() + make_interval(secs => ?)', [ms / 1_000]);
  const one = (installationId: string, id: string) => table().where({ installation_id: installationId, id });

  return {
    add: async (message) => {
      const { rows } = await database.raw<{ rows: { number: string; id: string | null }[] }>(ADD, message as never);
      const { number, id } = rows[0]!;
      const rank = Number(number);
      if (id !== null) return { id, stored: true, rank };
      const { installationId, queue, key } = message;
      const known =
        (await table().where({ call_id: message.callId }).first('id')) ??
        (key === null ? undefined : await table().where({ installation_id: installationId, queue, key }).first('id'));
      return known ? { id: known.id, stored: false, rank } : null;
    },
    find: async (id) => {
      const row = await table().where({ id }).first();
      return row ? fromRow(row) : null;
    },
    done: async (id) => {
      await table().where({ id, state: 'waiting' }).update({ state: 'done', error: null });
    },
    failed: async (id, error, delayMs) => {
      await table()
        .where({ id, state: 'waiting' })
        .update({
          error,
          attempts: database.raw('attempts + 1') as never,
          ...(delayMs === null ? { state: 'dead' as const } : { due_at: inMs(delayMs) as never }),
        });
    },
    page: async (installationId, { cursor, limit = 50, state, queue }) => {
      const rows = await table()
        .where({ installation_id: installationId, ...(state && { state }), ...(queue && { queue }) })
        .modify((query) => void (cursor !== undefined && query.where('id', '<', readCursor(cursor))))
        .orderBy('id', 'desc')
        .limit(limit + 1);
      return toPage(rows.map(shown), limit);
    },
    revive: async (installationId, id) => {
      const [row] = await one(installationId, id)
        .where({ state: 'dead' })
        .update({ state: 'waiting', attempts: 0, due_at: database.fn.now() as never })
        .returning('*');
      return row ? shown(row) : null;
    },
    remove: async (installationId, id) => {
      await one(installationId, id).delete();
    },
    async *overdue(ms, pageSize) {
      for (let after: Due | undefined = { id: NIL, dueAt: '-infinity' }; after; ) {
        const { rows }: { rows: Due[] } = await database.raw(OVERDUE, { ...after, seconds: ms / 1_000, pageSize });
        for (const { id } of rows) yield id;
        after = rows[pageSize - 1];
      }
    },
    isUsed: async () => (await table().first('id')) !== undefined,
    sweep: async (keepDoneMs, keepDeadMs) => {
      await table().where({ state: 'done' }).where('updated_at', '<', inMs(-keepDoneMs)).delete();
      await table().where({ state: 'dead' }).where('updated_at', '<', inMs(-keepDeadMs)).delete();
    },
  };
}

const fromRow = (row: Row): StoredMessage => ({
  id: row.id,
  installationId: row.installation_id,
  queue: row.queue,
  payload: row.payload,
  state: row.state,
  attempts: row.attempts,
  attemptsMax: row.attempts_max,
  depth: row.depth,
  seed: row.seed,
  createdAtMs: row.created_at.getTime(),
});

const shown = (row: Row): QueueMessage => ({
  id: row.id,
  queue: row.queue,
  state: row.state,
  attempts: row.attempts,
  attemptsMax: row.attempts_max,
  dueAt: row.due_at.toISOString(),
  createdAt: row.created_at.toISOString(),
  error: row.error,
  payload: JSON.parse(row.payload),
});
