import { RegistryRefusal } from '../errors.ts';
import { composedEmail, normalEmail, registrationFaults, requireNoFaults } from './account-faults.ts';
import type { AccountPorts, AccountStores } from './account-ports.ts';
import type { StoredAccount, StoredEmail } from './account-store.ts';
import type { Accounts } from './contract.ts';
import { alreadyRegisteredMail, verificationMail } from './mails.ts';
import { issueCode, useCode } from './one-time-codes.ts';

const HOUR_MS = 3_600_000;
/** To one address, whoever registers with it and from wherever: more would be somebody's nuisance. The code can be asked for again. */
const FIRST_MAILS_HOURLY_MAX = 5;

/**
 * The account is made either way, so that neither the answer nor a second registration tells whether somebody has the address; the
 * mail, sent later, is the only difference. Refuses with: account-invalid, username-taken, login-busy.
 */
export const registerAccount =
  (ports: AccountPorts): Accounts['register'] =>
  async (command) => {
    const { faults, phone } = await registrationFaults(command);
    requireNoFaults(faults);
    const { username, password } = command;
    const email = composedEmail(command.email);
    const { vault, newId, nowMs } = ports;
    // Before bcrypt: whoever tries names in a row costs no more than a look.
    if ((await ports.stores.accounts.findByUsername(username)) !== null) throw taken(username);
    const hash = await ports.hasher.hash(password);
    const id = newId();
    const person = { id, personKey: vault.newKey(id) };
    const address: StoredEmail = {
      id: newId(),
      accountId: id,
      sealed: Buffer.alloc(0),
      index: vault.index(normalEmail(email)),
      verifiedAt: null,
    };
    address.sealed = vault.seal(person, emailPlace(address.id), email);
    await ports.transaction(async (stores) => {
      const { accounts, audit } = stores;
      const phoneSealed = phone === null ? null : vault.seal(person, phonePlace(id), phone);
      const account = { ...person, username, state: 'unverified' as const, phoneSealed, createdAt: new Date(nowMs()) };
      if (!(await accounts.insert(account))) throw taken(username);
      await accounts.insertEmail(address);
      await accounts.putPassword(id, hash, new Date(nowMs()));
      const subject = { kind: 'account', id };
      await audit({ action: 'account.register', actor: { via: 'anonymous' }, organisationId: null, subject });
    });
    ports.defer(() => sendFirstMail(ports, { id, username }, address, email));
    return { id, username };
  };

export const emailPlace = (emailId: string) => ({ table: 'account_emails', row: emailId, column: 'sealed' });
export const phonePlace = (accountId: string) => ({ table: 'accounts', row: accountId, column: 'phone_sealed' });

const taken = (username: string) => new RegistryRefusal('username-taken', undefined, { username });

async function sendFirstMail(
  ports: AccountPorts,
  account: { id: string; username: string },
  address: StoredEmail,
  to: string,
): Promise<void> {
  await ports.transaction(async (stores) => {
    const since = ports.nowMs() - HOUR_MS;
    const waiting = await stores.accounts.findWaiting(address.index);
    if (waiting.filter(({ account }) => account.createdAt.getTime() > since).length > FIRST_MAILS_HOURLY_MAX) return;
    const owner = await stores.accounts.findByEmail(address.index);
    if (owner !== null) return stores.mail({ accountId: owner.id, to, ...alreadyRegisteredMail(owner.username) });
    await sendVerification(ports, stores, account, address.id, to);
  });
}

async function sendVerification(
  ports: AccountPorts,
  stores: AccountStores,
  { id, username }: { id: string; username: string },
  emailId: string,
  to: string,
): Promise<void> {
  const code = await issueCode(stores, ports, { accountId: id, emailId, purpose: 'verify-email' });
  if (code !== null) await stores.mail({ accountId: id, to, ...verificationMail(username, code) });
}

/** Refuses with: code-invalid. */
export const verifyEmail =
  (ports: AccountPorts): Accounts['verifyEmail'] =>
  (code) =>
    ports.transaction(async (stores) => {
      const now = ports.nowMs();
      const { accountId, emailId } = await useCode(stores, code, 'verify-email', now);
      const { accounts, audit } = stores;
      const account = await accounts.findById(accountId);
      const email = (await accounts.listEmails(accountId)).find(({ id }) => id === emailId);
      // Somebody else may have verified the address since the code was sent.
      if (account?.state !== 'unverified' || !email || !(await accounts.verifyEmail(email, new Date(now)))) {
        throw new RegistryRefusal('code-invalid');
      }
      await accounts.setState(accountId, 'active');
      const actor = { via: 'anonymous', accountId } as const;
      await audit({
        action: 'account.verify',
        actor,
        organisationId: null,
        subject: { kind: 'account', id: accountId },
      });
      return { id: account.id, username: account.username };
    });

export const resendVerification =
  (ports: AccountPorts): Accounts['resendVerification'] =>
  (email) =>
    ports.defer(async () => {
      const index = ports.vault.index(normalEmail(email));
      await ports.transaction(async (stores) => {
        if ((await stores.accounts.findByEmail(index)) !== null) return;
        for (const waiting of await stores.accounts.findWaiting(index)) {
          const person = personOf(waiting.account);
          if (person === null) continue;
          const to = ports.vault.open(person, emailPlace(waiting.email.id), waiting.email.sealed);
          await sendVerification(ports, stores, waiting.account, waiting.email.id, to);
        }
      });
    });

export const personOf = ({ id, personKey }: StoredAccount) => (personKey === null ? null : { id, personKey });
