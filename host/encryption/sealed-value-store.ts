import type { Knex } from 'knex';
import type { SealedColumn } from './sealed-columns.ts';

/** A sealed value and where it stands. */
export interface SealedValue {
  /** In the order of the column's `key`. */
  key: string[];
  sealed: Buffer;
}

export interface SealedValueStore {
  /** How many values each version of the wrapping key has, newest first. */
  versions(column: SealedColumn): Promise<{ version: number; count: number }[]>;
  /** Any value under a version; null where there is none. */
  one(column: SealedColumn, version: number): Promise<SealedValue | null>;
  /**
   * Gives `rewrap` up to `limit` values that are not under `newest`, after `after` in the order of their keys, and writes what it
   * returns; null leaves a value as it is. Rows are locked meanwhile, and written together or not at all.
   */
  rewrapBatch(
    column: SealedColumn,
    batch: { newest: number; after: string[] | null; limit: number },
    rewrap: (value: SealedValue) => Buffer | null,
  ): Promise<{ last: string[] | null; rewrapped: number }>;
}

/** Layout of a sealed value: one byte of format, then the version; see envelope.ts. */
const VERSION_OF = (column: string) => `('x' || encode(substring(${column} from 2 for 4), 'hex'))::bit(32)::int`;

export const sealedValueStore = (owner: Knex): SealedValueStore => ({
  versions: async ({ table, column }) => {
    const rows = await owner(table)
      .whereNotNull(column)
      .select(owner.raw(`${VERSION_OF('??')} as version`, [column]), owner.raw('count(*)::int as count'))
      .groupBy('version')
      .orderBy('version', 'desc');
    return rows.map(({ version, count }: { version: number; count: number }) => ({ version, count }));
  },
  one: async ({ table, column, key }, version) => {
    const row: Record<string, unknown> | undefined = await owner(table)
      .select(...key.map((name) => owner.raw('??::text as ??', [name, name])), column)
      .whereNotNull(column)
      .whereRaw(`${VERSION_OF('??')} = ?`, [column, version])
      .first();
    return row === undefined ? null : { key: key.map((name) => row[name] as string), sealed: row[column] as Buffer };
  },
  rewrapBatch: ({ table, column, key }, { newest, after, limit }, rewrap) =>
    owner.transaction(async (transaction) => {
      const rows: Record<string, unknown>[] = await transaction(table)
        .select(...key.map((name) => transaction.raw('??::text as ??', [name, name])), column)
        .whereNotNull(column)
        .whereRaw(`${VERSION_OF('??')} <> ?`, [column, newest])
        .modify((query) => {
          if (after === null) return;
          const columns = key.map(() => '??::text collate "C"').join(', ');
          query.whereRaw(`(${columns}) > (${key.map(() => '?').join(', ')})`, [...key, ...after]);
        })
        .orderByRaw(key.map(() => '??::text collate "C"').join(', '), [...key])
        .limit(limit)
        .forUpdate();
      let rewrapped = 0;
      for (const row of rows) {
        const values = key.map((name) => row[name] as string);
        const sealed = rewrap({ key: values, sealed: row[column] as Buffer });
        if (sealed === null) continue;
        const where = Object.fromEntries(key.map((name, index) => [name, values[index]!]));
        rewrapped += await transaction(table)
          .where(where)
          .update({ [column]: sealed });
      }
      const end = rows.at(-1);
      return { last: end === undefined ? null : key.map((name) => end[name] as string), rewrapped };
    }),
});
