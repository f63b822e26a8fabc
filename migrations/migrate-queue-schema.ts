import type { Knex } from 'knex';

/** Where BullMQ keeps what it hands out; the library names and changes its own tables there. */
export const QUEUE_SCHEMA = 'bullmq';
/** Its one queue; the application role may not make more. */
export const QUEUE_NAME = 'plugin-messages';

/**
 * Brings the schema of BullMQ up to date, as the owner, and lets the application role work in it. The sequence that BullMQ would make
 * with the first job is made here: that role can make nothing. Safe to repeat.
 */
export async function migrateQueueSchema(owner: Knex, appRole: string): Promise<void> {
  // Loaded here, for a host that only looks whether it is up to date has no use for it.
  const { runMigrations } = await import('bullmq');
  const { client } = owner as unknown as { client: PoolClient };
  const connection = await client.acquireConnection();
  try {
    await runMigrations(connection as never, QUEUE_SCHEMA);
  } finally {
    await client.releaseConnection(connection);
  }
  await owner.raw(
    `do $do$ begin execute format('create sequence if not exists ${QUEUE_SCHEMA}.%I', ${QUEUE_SCHEMA}.job_id_seq_name('${QUEUE_NAME}')); end $do$`,
  );
  await owner.raw('grant usage on schema ?? to ??', [QUEUE_SCHEMA, appRole]);
  await owner.raw('grant select, insert, update, delete on all tables in schema ?? to ??', [QUEUE_SCHEMA, appRole]);
  await owner.raw('grant usage on all sequences in schema ?? to ??', [QUEUE_SCHEMA, appRole]);
}

/** Of knex's own client, what holds one connection outside of a transaction. */
interface PoolClient {
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
}
