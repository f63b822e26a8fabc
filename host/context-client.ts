import PostgresClient from 'knex/lib/dialects/postgres/index.js';
import type pg from 'pg';
import { CONTEXT_SETTINGS, type ContextValues } from './database-context.ts';

/** What `createPool` adds to the configuration of knex. */
export interface ContextConfig {
  /** Asked whenever a connection is taken from the pool, in the async context of whoever takes it. */
  contextValues(): ContextValues;
}

interface ContextConnection extends pg.Client {
  /** The values that this session was given last. */
  gatehouseContext?: ContextValues;
  /** knex leaves out connections that carry this. */
  __knex__disposed?: unknown;
}

const SET = {
  name: 'gatehouse-context',
  text: `SELECT ${CONTEXT_SETTINGS.map((name, index) => `set_config('${name}', $${index + 1}, false)`).join(', ')}`,
};

/**
 * Gives every connection the context of whoever takes it, before anything else can run on it: builders, models, raw statements,
 * transactions and prepared ones all come through here. Costs a round trip only where the connection had another context.
 */
export class ContextClient extends PostgresClient {
  override async acquireConnection(): Promise<ContextConnection> {
    // Before the first await: a pool that is full goes on in the async context of whoever gives a connection back.
    const values = (this.config as unknown as ContextConfig).contextValues();
    for (let tries = TRIES; ; tries -= 1) {
      const connection = (await super.acquireConnection()) as ContextConnection;
      if (!isIdle(connection)) {
        // Somebody left a transaction open: what is set in it would be taken back with it.
        await this.#discard(connection, 'left within a transaction');
        continue;
      }
      if (isSame(connection.gatehouseContext, values)) return connection;
      try {
        await connection.query({ ...SET, values: [...values] });
      } catch (error) {
        await this.#discard(connection, error);
        // It had ended, unnoticed: the next one is another, or a new one. There are never more such than the pool has.
        if (isGone(error) && tries > 0) continue;
        throw error;
      }
      connection.gatehouseContext = values;
      return connection;
    }
  }

  #discard(connection: ContextConnection, reason: unknown): Promise<void> {
    connection.__knex__disposed ??= reason;
    return this.releaseConnection(connection);
  }
}

const TRIES = 20;

/** Without a code of the server's own, or with one that says that the server ends the connection. */
const isGone = (error: unknown): boolean => /^(08|57P|$)/.test((error as { code?: string }).code ?? '');

/** By the server's own word; null before the first statement. */
const isIdle = (connection: ContextConnection): boolean => (connection.getTransactionStatus() ?? 'I') === 'I';

const isSame = (had: ContextValues | undefined, values: ContextValues): boolean =>
  had === values || had?.every((each, index) => each === values[index]) === true;
