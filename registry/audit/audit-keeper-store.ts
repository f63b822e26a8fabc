import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { createKeyChain } from '../key-chain.ts';
import { type AuditHead, createAuditReaderStore } from './audit-reader-store.ts';
import { signHead } from './sign-head.ts';
import { type AuditReport, verifyAudit } from './verify-audit.ts';

/** What a host does for the chain, beside writing entries. */
export interface AuditKeeper {
  /** Signs the end of the chain; null where it is signed already. */
  signHead(): Promise<AuditHead | null>;
  /** Reads the whole chain, on one snapshot. `keptHead` is one that was kept outside of the database. */
  verify(keptHead: AuditHead | null): Promise<AuditReport>;
}

/** `database` must see every row. */
export const createAuditKeeper = (ports: {
  database: Knex;
  signingKey: KeyObject;
  nowMs: () => number;
}): AuditKeeper => ({
  signHead: signHead({
    ...ports,
    signingTimeMs: createKeyChain(ports).signingTimeMs,
    store: createAuditReaderStore(ports.database),
  }),
  verify: (keptHead) =>
    ports.database.transaction(
      async (snapshot) => {
        await snapshot.raw('set local statement_timeout = 0');
        const store = createAuditReaderStore(snapshot);
        const { signingKey } = ports;
        const registryKeys = await createKeyChain({ database: snapshot, signingKey }).keys();
        return verifyAudit({ store, registryKeys })(keptHead);
      },
      { isolationLevel: 'repeatable read', readOnly: true },
    ),
});
