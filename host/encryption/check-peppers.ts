import type { Knex } from 'knex';
import { normalEmail } from '../../registry/index.ts';
import { type Envelope, SealBroken, type WrappingKeys } from './envelope.ts';
import { createPersonVault } from './person-vault.ts';

interface EmailRow {
  id: string;
  account_id: string;
  person_key: Buffer;
  sealed: Buffer;
  address_index: Buffer;
}

/**
 * What is wrong with the peppers of a host, a phrase each. The first one made the blind indexes of addresses of mail, so one that is
 * opened and indexed again shows another; of later ones, which make hashes of passwords alone, it is only seen that they are lacking.
 */
export const checkPeppers =
  ({ database, envelope, peppers }: { database: Knex; envelope: Envelope; peppers: WrappingKeys }) =>
  async (): Promise<string[]> => {
    const used = await database('account_passwords').distinct<{ version: number }[]>('pepper_version as version');
    const lacking = used.filter(({ version }) => !peppers.has(version)).map(({ version }) => version);
    const faults = lacking.map((version) => `Version ${version}, which passwords are hashed with, is lacking.`);
    const first = Math.min(...peppers.keys());
    // The oldest: a host with another pepper may have indexed younger ones.
    const oldest = await database('account_emails')
      .join('accounts', 'accounts.id', 'account_emails.account_id')
      .whereNotNull('accounts.person_key')
      .orderBy('account_emails.created_at')
      .first<EmailRow | undefined>('account_emails.*', 'accounts.person_key');
    if (oldest !== undefined && !isIndexedBy(createPersonVault(envelope, peppers.get(first)!), oldest))
      faults.push(`Version ${first} is another than the one that addresses of mail are found by.`);
    return faults;
  };

/** True where it cannot be known: that the key of the seal is wrong is found elsewhere. */
function isIndexedBy(vault: ReturnType<typeof createPersonVault>, row: EmailRow): boolean {
  const place = { table: 'account_emails', row: row.id, column: 'sealed' };
  try {
    const address = vault.open({ id: row.account_id, personKey: row.person_key }, place, row.sealed);
    return vault.index(normalEmail(address)).equals(row.address_index);
  } catch (error) {
    if (error instanceof SealBroken) return true;
    throw error;
  }
}
