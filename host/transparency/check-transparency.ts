import { createTransparency, type LogReport, loadSigningKey } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { keptTreeHeadFile, readKeptTreeHead } from './kept-tree-head.ts';

/** Hashes the whole transparency log of a database again; signs nothing. Refuses with: DatabaseUnavailable, SigningKeyUnusable. */
export const checkTransparency = (
  { signingKeyFile }: Pick<Config, 'signingKeyFile'>,
  databaseUrl: string,
): Promise<LogReport> =>
  asOwner(databaseUrl, async (system) => {
    const keptHead = () => readKeptTreeHead(keptTreeHeadFile(signingKeyFile));
    const signingKey = await loadSigningKey(signingKeyFile);
    const transparency = createTransparency({
      system,
      signingKey,
      nowMs: Date.now,
      keptHead,
      keepHead: async () => {},
    });
    return transparency.verify(await keptHead());
  });
