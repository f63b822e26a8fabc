import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { type KeyLink, keyIdOf, signKeyLink, type TrustedKey, trustedKeys } from '../plugins-sdk/contract/index.ts';
import type { Audit } from './rules/audit-entry.ts';
import type { LogInTransaction } from './rules/log-event.ts';

/** How this registry came to its key. */
export interface KeyChain {
  /** Oldest first, as they are stored: whoever reads them verifies them. */
  links(): Promise<KeyLink[]>;
  /** The key of this process with its predecessors and successors: what the registry signed, and may sign. */
  keys(): Promise<TrustedKey[]>;
  /**
   * The time that the key of this process signs with: now, or when it began, for a clock that is behind that of whoever made it. Null where
   * it has retired.
   */
  signingTimeMs(nowMs: number): Promise<number | null>;
}

/** `database` must see every row. `signingKey` is the one of this process. */
export function createKeyChain({ database, signingKey }: { database: Knex; signingKey: KeyObject }): KeyChain {
  const own = createPublicKey(signingKey as never);
  const ownId = keyIdOf(own);
  const links = async (): Promise<KeyLink[]> =>
    (await database('registry_key_links').select('link').orderBy(['created_at', 'from_key_id'])).map(
      ({ link }) => link,
    );
  // What the database holds is believed as far as the key of this process, which is in no database, leads.
  const keys = async () => trustedKeys(own, await links());
  return {
    links,
    keys,
    signingTimeMs: async (nowMs) => {
      const { fromMs, untilMs } = (await keys()).find(({ keyId }) => keyId === ownId)!;
      const atMs = Math.max(nowMs, fromMs);
      return atMs < untilMs ? atMs : null;
    },
  };
}

export interface RotateRegistryKeyPorts {
  /** In one transaction of whoever owns the database. */
  transaction: Knex;
  audit: Audit;
  logEvent: LogInTransaction;
}

/**
 * Makes `to` the successor of `from`, both private keys; `from` may sign until `retiresAtMs`. Idempotent: what was said of `from` before
 * stays. Returns what holds; it leads elsewhere where `from` has another successor.
 */
export const rotateRegistryKey =
  ({ transaction, audit, logEvent }: RotateRegistryKeyPorts) =>
  async (
    { from, to }: { from: KeyObject; to: KeyObject },
    { atMs, retiresAtMs }: { atMs: number; retiresAtMs: number },
  ): Promise<KeyLink> => {
    const [keyId, successorId] = [from, to].map((key) => keyIdOf(createPublicKey(key as never))) as [string, string];
    const times = { at: new Date(atMs).toISOString(), retiresAt: new Date(retiresAtMs).toISOString() };
    const link = signKeyLink(from, to, times);
    const inserted = await transaction('registry_key_links')
      .insert({ from_key_id: keyId, to_key_id: successorId, link: JSON.stringify(link) })
      .onConflict('from_key_id')
      .ignore()
      .returning('from_key_id');
    if (inserted.length === 0) {
      return (await transaction('registry_key_links').where('from_key_id', keyId).first('link')).link;
    }
    await audit({
      action: 'registry-key.rotate',
      actor: { via: 'system', part: 'keys' },
      organisationId: null,
      subject: { kind: 'registry-key', id: keyId },
      after: { successorId, retiresAt: times.retiresAt },
    });
    await logEvent({ event: 'registry-key.rotate', keyId, successorId, retiresAt: times.retiresAt });
    return link;
  };
