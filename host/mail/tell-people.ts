import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { Mail, PersonVault } from '../../registry/index.ts';
import { followTrail, type TrailReader } from '../alerts/follow-trail.ts';
import type { Log } from '../http/log.ts';
import { isLogin, type PersonalEntry, personOf, securityMailOf } from './rules/security-mail-of.ts';

export interface TellPeoplePorts {
  /** Sees everything. */
  system: Knex;
  vault: Pick<PersonVault, 'open'>;
  /** Puts mail into the outbox; the same id once, however many hosts write it. */
  mailIn(database: Knex): (mail: Mail, id: string) => Promise<void>;
  log: Log;
}

/**
 * Writes to people about their own accounts: other factors, other devices, other ways in. The id of a mail follows from the entry of the
 * audit trail, so that all hosts together write it once.
 */
export function tellPeople({ system, vault, mailIn, log }: TellPeoplePorts): Promise<TrailReader> {
  const tell = async (entry: PersonalEntry): Promise<void> => {
    const accountId = personOf(entry);
    if (accountId === null || securityMailOf(entry, '') === null) return;
    if (isLogin(entry) && !(await isNewDevice(system, accountId, entry.subject.id))) return;
    const person = await findAddress(system, accountId);
    if (person === null) return;
    const place = { table: 'account_emails', row: person.emailId, column: 'sealed' };
    const to = vault.open({ id: accountId, personKey: person.personKey }, place, person.sealed);
    await mailIn(system)({ accountId, to, ...securityMailOf(entry, person.username)! }, mailId(entry.id));
  };
  return followTrail({ system, reader: 'mail', tell, log });
}

/** A UUID made from the entry's. */
function mailId(entryId: string): string {
  const digest = createHash('sha256').update(`mail about ${entryId}`).digest('hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** Whether no earlier session had its user agent; the very first one is no news. */
async function isNewDevice(system: Knex, accountId: string, sessionId: string): Promise<boolean> {
  const session = await system('sessions').where({ id: sessionId, account_id: accountId }).first();
  if (!session) return false;
  const before = system('sessions')
    .where({ account_id: accountId })
    .whereNot('id', sessionId)
    .where('created_at', '<=', session.created_at);
  if (!(await before.clone().first('id'))) return false;
  return (await before.where('user_agent', session.user_agent).first('id')) === undefined;
}

async function findAddress(system: Knex, accountId: string) {
  const row = await system('accounts')
    .join('account_emails', 'account_emails.account_id', 'accounts.id')
    .where('accounts.id', accountId)
    .whereIn('accounts.state', ['active', 'deactivated'])
    .whereNotNull('accounts.person_key')
    .whereNotNull('account_emails.verified_at')
    .first('accounts.username', 'accounts.person_key', 'account_emails.id as email_id', 'account_emails.sealed');
  if (!row) return null;
  return { username: row.username, personKey: row.person_key, emailId: row.email_id, sealed: row.sealed };
}
