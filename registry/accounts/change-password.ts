import { RegistryRefusal } from '../errors.ts';
import { normalEmail, passwordFaults, requireNoFaults } from './account-faults.ts';
import type { AccountPorts, AccountStores } from './account-ports.ts';
import type { StoredAccount } from './account-store.ts';
import { loginKey } from './check-password.ts';
import type { Accounts } from './contract.ts';
import { passwordChangedMail, resetMail } from './mails.ts';
import { issueCode, requireGoodCode, useCode } from './one-time-codes.ts';
import { emailPlace, personOf } from './register-account.ts';

/** Not the key of codes: whoever knows the password must not forgive themselves, by it, what they guess of the second factor. */
const passwordKey = (accountId: string): string => `password:${accountId}`;

/** Refuses with: password-wrong, account-invalid, login-locked, login-busy. */
export const changePassword =
  (ports: AccountPorts): Accounts['changePassword'] =>
  async ({ id, username }, { currentPassword, password, address, sessionId }) => {
    requireNoFaults(await passwordFaults(password, '/password', [username]));
    const attempt = await ports.attempts.begin({ key: passwordKey(id), address, accountId: id });
    const stored = await ports.stores.accounts.findPassword(id);
    if (!(await attempt.counts(() => ports.hasher.matches(currentPassword, stored))) || stored === null) {
      attempt.failed();
      throw new RegistryRefusal('password-wrong');
    }
    await attempt.succeeded();
    const hash = await ports.hasher.hash(password);
    await ports.transaction(async (stores) => {
      const now = new Date(ports.nowMs());
      if (!(await stores.accounts.replacePassword(id, stored, hash, now))) throw new RegistryRefusal('password-wrong');
      await stores.endSessions(id, 'password-changed', sessionId);
      await stores.codes.removeUnused(id, 'reset-password');
      const actor = { account: { id }, sessionId };
      await stores.audit({
        action: 'account.change-password',
        actor,
        organisationId: null,
        subject: { kind: 'account', id },
      });
      await tellOwner(ports, stores, id);
    });
    ports.raise({ kind: 'password-changed', accountId: id, facts: {} });
  };

export const requestPasswordReset =
  (ports: AccountPorts): Accounts['requestPasswordReset'] =>
  (email) =>
    ports.defer(() =>
      ports.transaction(async (stores) => {
        const account = await stores.accounts.findByEmail(ports.vault.index(normalEmail(email)));
        if (account?.state !== 'active') return;
        const to = await verifiedAddress(ports, stores, account);
        if (to === null) return;
        const code = await issueCode(stores, ports, {
          accountId: account.id,
          emailId: null,
          purpose: 'reset-password',
        });
        if (code !== null) await stores.mail({ accountId: account.id, to, ...resetMail(account.username, code) });
      }),
    );

/** Refuses with: code-invalid, account-invalid, login-busy. */
export const resetPassword =
  (ports: AccountPorts): Accounts['resetPassword'] =>
  async ({ code, password }) => {
    requireNoFaults(await passwordFaults(password, '/password', []));
    await requireGoodCode(ports.stores, code, 'reset-password', ports.nowMs());
    const hash = await ports.hasher.hash(password);
    const accountId = await ports.transaction(async (stores) => {
      const used = await useCode(stores, code, 'reset-password', ports.nowMs());
      const account = await stores.accounts.findById(used.accountId);
      if (account?.state !== 'active') throw new RegistryRefusal('code-invalid');
      const { id } = account;
      await stores.accounts.putPassword(id, hash, new Date(ports.nowMs()));
      await stores.codes.removeUnused(id, 'reset-password');
      await stores.endSessions(id, 'password-reset');
      await endLoginLockouts(ports, stores, account);
      const actor = { via: 'anonymous', accountId: id } as const;
      await stores.audit({
        action: 'account.reset-password',
        actor,
        organisationId: null,
        subject: { kind: 'account', id },
      });
      await tellOwner(ports, stores, id);
      return id;
    });
    ports.raise({ kind: 'password-changed', accountId, facts: {} });
  };

/** What counts guesses of a password. Those of codes are not forgiven: whoever has the mailbox would guess on after each reset. */
export async function endLoginLockouts(
  ports: AccountPorts,
  stores: AccountStores,
  account: StoredAccount,
): Promise<void> {
  const person = personOf(account);
  const emails = person === null ? [] : await stores.accounts.listEmails(account.id);
  const logins = [
    account.username,
    ...emails.map(({ id, sealed }) => ports.vault.open(person!, emailPlace(id), sealed)),
  ];
  await stores.throttles.clear([passwordKey(account.id), ...logins.map((login) => loginKey(ports, login))]);
}

async function tellOwner(ports: AccountPorts, stores: AccountStores, accountId: string): Promise<void> {
  const account = await stores.accounts.findById(accountId);
  const to = account && (await verifiedAddress(ports, stores, account));
  if (account && to) await stores.mail({ accountId, to, ...passwordChangedMail(account.username) });
}

async function verifiedAddress(
  { vault }: AccountPorts,
  { accounts }: AccountStores,
  account: StoredAccount,
): Promise<string | null> {
  const person = personOf(account);
  const email = (await accounts.listEmails(account.id)).find(({ verifiedAt }) => verifiedAt !== null);
  return person && email ? vault.open(person, emailPlace(email.id), email.sealed) : null;
}
