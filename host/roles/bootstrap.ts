import { v7 as uuidv7 } from 'uuid';
import { createRegistry, loadSigningKey, type Principal } from '../../registry/index.ts';
import { openDatabase } from '../database.ts';
import { requireMigrated } from '../open-database.ts';
import { withDatabase } from './migrate.ts';
import type { ServerFlags } from './role.ts';

const PLATFORM = { slug: 'gatehouse', kind: 'platform', name: 'Platform' } as const;

/**
 * `gatehouse bootstrap`: the first token of a new platform, and the way back in when all are lost. Whoever can reach the
 * database may do this; there is no route for it.
 */
export const bootstrap = ({ json, ...flags }: Pick<ServerFlags, 'data'> & { json?: true }): Promise<number> =>
  withDatabase(flags, async (database, config) => {
    await requireMigrated(database);
    const { system, close } = await openDatabase({ appUrl: database.appUrl });
    try {
      const signingKey = await loadSigningKey(config.signingKeyFile);
      const registry = createRegistry({ database: system, system, signingKey, nowMs: Date.now, newId: uuidv7 });
      const organisation =
        (await registry.findOrganisation(PLATFORM.slug)) ??
        (await registry.createOrganisation({ id: uuidv7(), ...PLATFORM }));
      const platform: Principal = {
        via: 'token',
        credentialId: 'bootstrap',
        label: 'bootstrap',
        role: 'admin',
        organisation,
        account: null,
        factorAtMs: null,
      };
      const command = { organisation: PLATFORM.slug, role: 'admin', label: 'bootstrap' } as const;
      const { token, secret } = await registry.issueToken(platform, command);
      const text = `Admin token ${token.id} (shown once, stored as a hash):\n${secret}\n`;
      process.stdout.write(json ? `${JSON.stringify({ token, secret })}\n` : text);
      return 0;
    } finally {
      await close();
    }
  });
