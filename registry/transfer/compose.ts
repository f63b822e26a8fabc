import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { KeyLink, ReleaseProof } from '../../plugins-sdk/contract/index.ts';
import type { Transfers } from './contract.ts';
import { type ExportPorts, exportRelease } from './export-release.ts';
import { type ImportPorts, type ImportStores, importRelease } from './import-release.ts';
import { createImportStore } from './import-store.ts';

export interface TransferPorts extends Pick<ExportPorts, 'releases' | 'findKey' | 'publisherName'> {
  /** Sees everything: what is exported is or was public, and who imports may, by the table of permissions. */
  system: Knex;
  /** What other features do, within a transaction. */
  storesIn(transaction: Knex): Omit<ImportStores, 'imports'>;
  transparency: { proveStored(digest: string): Promise<ReleaseProof>; keyLinks(): Promise<KeyLink[]> };
  readArchive: ImportPorts['readArchive'];
  trustRoots: readonly KeyObject[];
  signingKey: KeyObject;
  newId: () => string;
  nowMs: () => number;
}

export function createTransfers(ports: TransferPorts): Transfers {
  const { system, transparency, storesIn } = ports;
  return {
    exportRelease: exportRelease({
      ...ports,
      imports: createImportStore(system),
      prove: transparency.proveStored,
      keyLinks: transparency.keyLinks,
    }),
    importRelease: importRelease({
      ...ports,
      transaction: (work) =>
        system.transaction((transaction) =>
          work({ ...storesIn(transaction), imports: createImportStore(transaction) }),
        ),
    }),
  };
}
