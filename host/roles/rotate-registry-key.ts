import { createPublicKey } from 'node:crypto';
import { copyFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Knex } from 'knex';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { createAuditIn, createLogIn, loadSigningKey, rotateRegistryKey } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { newId } from '../random.ts';
import { withDatabase } from './migrate.ts';
import { RoleRefused, type ServerFlags } from './role.ts';

const HOUR_MS = 3_600_000;

type RotateFlags = Pick<ServerFlags, 'data'> & { json?: true; overlap: string };

/**
 * The registry goes on under a new key: the link that both sign is stored and logged first, then the files change places. Run again after
 * a crash in between it ends what was begun. `overlapMs`: how long the old key may sign beside the new one. Refuses with: SigningKeyUnusable.
 */
export async function rotateRegistryKeyFile(
  { signingKeyFile }: Pick<Config, 'signingKeyFile'>,
  ownerUrl: string,
  { overlapMs, nowMs }: { overlapMs: number; nowMs(): number },
): Promise<RotatedKey> {
  let rotated: RotatedKey | null = null;
  try {
    await asOwner(ownerUrl, (owner) =>
      // Two at once would each put away as the old key what the file holds by then.
      owner.transaction(async (lock) => {
        await lock.raw("select pg_advisory_xact_lock(hashtext('rotate_registry_key'))");
        rotated = await rotateAlone(owner, signingKeyFile, { overlapMs, atMs: nowMs() });
      }),
    );
  } catch (error) {
    // Once all is done, how the lock ended is of no consequence.
    if (rotated === null) throw error;
  }
  return rotated!;
}

export interface RotatedKey {
  /** Ids of keys. */
  from: string;
  to: string;
  at: string;
  retiresAt: string;
  /** Where the old key is kept. */
  oldFile: string;
}

async function rotateAlone(
  owner: Knex,
  signingKeyFile: string,
  { overlapMs, atMs }: { overlapMs: number; atMs: number },
): Promise<RotatedKey> {
  const nextFile = `${signingKeyFile}.next`;
  const ports = { nowMs: () => atMs, newId };
  const from = await loadSigningKey(signingKeyFile);
  const to = await loadSigningKey(nextFile);
  const link = await owner.transaction((transaction) =>
    rotateRegistryKey({
      transaction,
      audit: createAuditIn({ ...ports, origin: () => null })(transaction),
      logEvent: createLogIn(ports)(transaction),
    })({ from, to }, { atMs, retiresAtMs: atMs + overlapMs }),
  );
  const [fromId, toId] = [link.from, link.to].map((pem) => keyIdOf(createPublicKey(pem))) as [string, string];
  if (toId !== keyIdOf(createPublicKey(to as never))) {
    throw new RoleRefused(
      `${signingKeyFile} was succeeded on ${link.at} by the key ${toId}, which is on another machine: copy that file from there, and remove ${nextFile}.`,
    );
  }
  const oldFile = path.join(path.dirname(signingKeyFile), `registry-key-${fromId.slice(0, 16)}.pem`);
  // At no time there is no key: a host that starts would make one.
  await copyFile(signingKeyFile, oldFile);
  await rename(nextFile, signingKeyFile);
  return { from: fromId, to: toId, at: link.at, retiresAt: link.retiresAt, oldFile };
}

/** `gatehouse keys rotate-registry` */
export const keysRotateRegistry = ({ json, overlap, ...flags }: RotateFlags): Promise<number> =>
  withDatabase(flags, async ({ ownerUrl }, config) => {
    const hours = Number(overlap);
    if (!(hours >= 0 && hours <= 24 * 90)) throw new RoleRefused('--overlap is a number of hours from 0 to 2160.');
    await stat(config.signingKeyFile).catch(() => {
      throw new RoleRefused(`There is no registry key yet at ${config.signingKeyFile}; the first start makes one.`);
    });
    const done = await rotateRegistryKeyFile(config, ownerUrl, { overlapMs: hours * HOUR_MS, nowMs: Date.now });
    process.stdout.write(
      json
        ? `${JSON.stringify(done)}\n`
        : `The registry goes on under the key ${done.to}.
Until ${done.retiresAt} the old one, ${done.from}, may sign beside it.
Copy ${config.signingKeyFile} to every host, and start each again before that. Then destroy ${done.oldFile}.
Whoever trusts the old key follows by themselves: gate audit-log verify, gate verify, imports.
`,
    );
    return 0;
  });
