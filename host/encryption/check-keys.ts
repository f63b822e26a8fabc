import { type Envelope, SealBroken } from './envelope.ts';
import { SEALED_COLUMNS } from './sealed-columns.ts';
import type { SealedValueStore } from './sealed-value-store.ts';

/**
 * What is stored and does not open, a phrase each. Looks at one value of every column and version: a key that is lacking, or another
 * than it should be, opens none of them.
 */
export const checkKeys =
  ({ store, envelope }: { store: Pick<SealedValueStore, 'versions' | 'one'>; envelope: Pick<Envelope, 'open'> }) =>
  async (): Promise<string[]> => {
    const faults: string[] = [];
    for (const sealedColumn of SEALED_COLUMNS) {
      const { table, column } = sealedColumn;
      for (const { version } of await store.versions(sealedColumn)) {
        const value = await store.one(sealedColumn, version);
        // Removed since.
        if (value === null) continue;
        try {
          envelope.open({ table, row: value.key.join('/'), column }, value.sealed);
        } catch (error) {
          if (!(error instanceof SealBroken)) throw error;
          faults.push(`${table}.${column} under version ${version}: ${error.message}`);
        }
      }
    }
    return faults;
  };
