import type { Knex } from 'knex';
import type pg from 'pg';

/** Runs it on a connection of the pool, in a transaction of its own; returns the rows. Rejects with the driver's own error. */
export type Statement<Row> = (bindings: Record<string, unknown>) => Promise<Row[]>;

/**
 * A statement that a connection parses and plans once, under `name`, for what is done so often that the way through knex costs
 * more than the rest: its builder, its events and its rewriting of names. `:name` in the text is a binding, which must have one
 * type wherever it stands; the text must name its columns, because a prepared `*` breaks when a migration adds one.
 */
export function preparedStatement<Row>(database: Knex, name: string, sql: string): Statement<Row> {
  const names: string[] = [];
  const text = sql.replace(/(?<![:"]):([a-z]\w*)/gi, (_, binding: string) => {
    if (!names.includes(binding)) names.push(binding);
    return `$${names.indexOf(binding) + 1}`;
  });
  return execute(database, name, text, (bindings) => names.map((each) => bindings[each] ?? null));
}

/** The same for what knex has put together, once: a value `:name` in it is a binding. It must name its columns too. */
export function preparedQuery<Row>(
  database: Knex,
  name: string,
  query: Pick<Knex.QueryBuilder, 'toSQL'>,
): Statement<Row> {
  const { sql, bindings: values } = query.toSQL().toNative();
  return execute(database, name, sql, (bindings) =>
    values.map((value) => (typeof value === 'string' && value.startsWith(':') ? bindings[value.slice(1)] : value)),
  );
}

type Values = (bindings: Record<string, unknown>) => unknown[];

const execute =
  <Row>(database: Knex, name: string, text: string, valuesOf: Values): Statement<Row> =>
  async (bindings) => {
    const connection: pg.Client = await database.client.acquireConnection();
    try {
      const { rows } = await connection.query({ name, text, values: valuesOf(bindings) });
      return rows;
    } finally {
      // A connection that broke is left out by the pool itself.
      void database.client.releaseConnection(connection);
    }
  };
