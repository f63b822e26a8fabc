import { type AuditReport, createAuditKeeper, loadSigningKey } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { keptHeadFile, readKeptHead } from './kept-head.ts';

/** Reads the whole audit trail of a database; slow where it is long. Refuses with: DatabaseUnavailable, SigningKeyUnusable. */
export const checkAudit = (
  { signingKeyFile }: Pick<Config, 'signingKeyFile'>,
  databaseUrl: string,
): Promise<AuditReport> =>
  asOwner(databaseUrl, async (database) => {
    const signingKey = await loadSigningKey(signingKeyFile);
    const keptHead = await readKeptHead(keptHeadFile(signingKeyFile));
    return createAuditKeeper({ database, signingKey, nowMs: Date.now }).verify(keptHead);
  });
