import { createAuditIn } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { createEnvelope } from '../encryption/envelope.ts';
import { loadKeys } from '../encryption/load-keys.ts';
import { type ColumnStatus, keyStatus, rotateKeys } from '../encryption/rotate-keys.ts';
import { sealedValueStore } from '../encryption/sealed-value-store.ts';
import { newId } from '../random.ts';
import { withDatabase } from './migrate.ts';
import type { ServerFlags } from './role.ts';

type KeyFlags = Pick<ServerFlags, 'data'> & { json?: true };

const keysOf = ({ databaseUrl, encryptionKey, dataFolder }: Config) =>
  loadKeys({ configured: encryptionKey, folder: databaseUrl === null ? dataFolder : null });

/** `gatehouse keys status`: which version of the key seals how many values. */
export const keysStatus = ({ json, ...flags }: KeyFlags): Promise<number> =>
  withDatabase(flags, async ({ ownerUrl, command }, config) => {
    const newest = Math.max(...(await keysOf(config)).keys());
    const columns = await asOwner(ownerUrl, (owner) => keyStatus({ store: sealedValueStore(owner), newest })());
    process.stdout.write(
      json ? `${JSON.stringify({ newest, columns })}\n` : statusText(newest, columns, command('keys rotate')),
    );
    return 0;
  });

/** `gatehouse keys rotate`: brings every sealed value under the newest key. Exit code 1 where some are left. */
export const keysRotate = ({ json, ...flags }: KeyFlags): Promise<number> =>
  withDatabase(flags, async ({ ownerUrl, command }, config) => {
    const keys = await keysOf(config);
    const newest = Math.max(...keys.keys());
    const report = await asOwner(ownerUrl, async (owner) => {
      const done = await rotateKeys({
        store: sealedValueStore(owner),
        envelope: createEnvelope(keys),
        newest,
        onProgress: ({ table, column }, count) =>
          json || process.stderr.write(`${table}.${column}: ${count} values under version ${newest}\n`),
      })();
      if (done.rewrapped === 0) return done;
      await createAuditIn({ nowMs: Date.now, newId, origin: () => null })(owner)({
        action: 'encryption.rotate',
        actor: { via: 'system', part: 'keys' },
        organisationId: null,
        subject: { kind: 'encryption-key', id: String(newest) },
        after: { rewrapped: done.rewrapped, broken: done.broken.length },
      });
      return done;
    });
    const { rewrapped, broken, columns } = report;
    if (json) process.stdout.write(`${JSON.stringify({ newest, ...report })}\n`);
    else {
      const lines = broken.map(
        ({ table, column, row, why }) => `does not open: ${table}.${column} of ${row}: ${why}\n`,
      );
      process.stdout.write(
        `${rewrapped} values were wrapped anew.\n${lines.join('')}${statusText(newest, columns, command('keys rotate'))}`,
      );
    }
    return columns.some(({ left }) => left > 0) ? 1 : 0;
  });

function statusText(newest: number, columns: ColumnStatus[], rotate: string): string {
  const lines = columns.map(({ table, column, versions }) => {
    const counts = versions.map(({ version, count }) => `${count} under version ${version}`).join(', ');
    return `${`${table}.${column}`.padEnd(32)} ${counts || 'empty'}`;
  });
  const left = columns.reduce((sum, column) => sum + column.left, 0);
  const end =
    left === 0
      ? `Everything is under version ${newest}; older keys may be taken out of GATEHOUSE_ENCRYPTION_KEY.`
      : `${left} values are under older keys, which are still needed; run: ${rotate}`;
  return `${lines.join('\n')}\n${end}\n`;
}
