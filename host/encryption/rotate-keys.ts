import type { Envelope } from './envelope.ts';
import { SealBroken } from './envelope.ts';
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.ts';
import type { SealedValueStore } from './sealed-value-store.ts';

export interface ColumnStatus {
  table: string;
  column: string;
  /** Newest first. */
  versions: { version: number; count: number }[];
  /** Values under another than the newest key. */
  left: number;
}

export interface RotationReport {
  rewrapped: number;
  /** Values that do not open; what they stand in is named, they are not. */
  broken: { table: string; column: string; row: string; why: string }[];
  columns: ColumnStatus[];
}

const BATCH = 200;

/** How many values are under which key. */
export const keyStatus =
  ({ store, newest }: { store: SealedValueStore; newest: number }) =>
  async (): Promise<ColumnStatus[]> => {
    const found: ColumnStatus[] = [];
    for (const column of SEALED_COLUMNS) {
      const versions = await store.versions(column);
      const left = versions.filter(({ version }) => version !== newest).reduce((sum, { count }) => sum + count, 0);
      found.push({ table: column.table, column: column.column, versions, left });
    }
    return found;
  };

/**
 * Wraps every value's data key anew with the newest key, batch by batch, each verified before it is written: it must open to the same
 * text. What it has to do is read from the values themselves, so it may be killed, run again and run twice at once.
 */
export const rotateKeys =
  (ports: {
    store: SealedValueStore;
    envelope: Envelope;
    newest: number;
    onProgress(column: SealedColumn, done: number): void;
  }) =>
  async (): Promise<RotationReport> => {
    const { store, envelope, newest, onProgress } = ports;
    const broken: RotationReport['broken'] = [];
    let rewrapped = 0;
    for (const column of SEALED_COLUMNS) {
      const rewrap = rewrapper(envelope, column, (row, why) =>
        broken.push({ table: column.table, column: column.column, row, why }),
      );
      let after: string[] | null = null;
      let done = 0;
      for (;;) {
        const batch: Awaited<ReturnType<SealedValueStore['rewrapBatch']>> = await store.rewrapBatch(
          column,
          { newest, after, limit: BATCH },
          rewrap,
        );
        if (batch.last === null) break;
        after = batch.last;
        done += batch.rewrapped;
        onProgress(column, done);
      }
      rewrapped += done;
    }
    return { rewrapped, broken, columns: await keyStatus({ store, newest })() };
  };

const rewrapper =
  (envelope: Envelope, { table, column }: SealedColumn, onBroken: (row: string, why: string) => void) =>
  ({ key, sealed }: { key: string[]; sealed: Buffer }): Buffer | null => {
    const place = { table, row: key.join('/'), column };
    try {
      const anew = envelope.rewrap(place, sealed);
      if (envelope.open(place, anew) !== envelope.open(place, sealed))
        throw new SealBroken('It opens to another text.');
      return anew;
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      onBroken(place.row, error.message);
      return null;
    }
  };
