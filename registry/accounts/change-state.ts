import { RegistryRefusal } from '../errors.ts';
import type { AccountPorts, AccountStores } from './account-ports.ts';
import type { AccountState, StoredAccount } from './account-store.ts';
import { endLoginLockouts } from './change-password.ts';
import type { AccountActor, Accounts } from './contract.ts';

/** Refuses with: account-unknown. */
async function requireAccount({ accounts }: Pick<AccountStores, 'accounts'>, id: string): Promise<StoredAccount> {
  const account = await accounts.findById(id);
  if (account === null || account.state === 'erased') throw new RegistryRefusal('account-unknown');
  return account;
}

/** Idempotent. Refuses with: account-unknown. */
const changeState =
  (ports: AccountPorts, from: AccountState, to: AccountState, action: string) =>
  async (actor: AccountActor, id: string): Promise<boolean> =>
    ports.transaction(async (stores) => {
      const account = await requireAccount(stores, id);
      if (account.state !== from) return false;
      await stores.accounts.setState(id, to);
      if (to === 'deactivated') await stores.endSessions(id, 'account-deactivated');
      // No token works while the account is closed. They end here, where an admin may do that for every organisation.
      const revokedTokens = to === 'active' ? await stores.accounts.revokeTokens(id, new Date(ports.nowMs())) : 0;
      const subject = { kind: 'account', id };
      await stores.audit({
        action,
        actor,
        organisationId: null,
        subject,
        before: { state: from },
        after: { state: to, ...(revokedTokens > 0 && { revokedTokens }) },
      });
      return true;
    });

export const deactivateAccount = (ports: AccountPorts): Accounts['deactivate'] => {
  const deactivate = changeState(ports, 'active', 'deactivated', 'account.deactivate');
  return async (actor, id) => {
    if (await deactivate(actor, id)) ports.raise({ kind: 'account-deactivated', accountId: id, facts: {} });
  };
};

export const reactivateAccount = (ports: AccountPorts): Accounts['reactivate'] => {
  const reactivate = changeState(ports, 'deactivated', 'active', 'account.reactivate');
  return async (actor, id) => void (await reactivate(actor, id));
};

/** Refuses with: account-unknown. */
export const unlockAccount =
  (ports: AccountPorts): Accounts['unlock'] =>
  (actor, id) =>
    ports.transaction(async (stores) => {
      await endLoginLockouts(ports, stores, await requireAccount(stores, id));
      await stores.throttles.clear([`account:${id}`]);
      await stores.audit({ action: 'account.unlock', actor, organisationId: null, subject: { kind: 'account', id } });
    });

/** Refuses with: account-unknown. */
export const accountProfile =
  (ports: AccountPorts, places: { email(id: string): Place; phone(id: string): Place }): Accounts['profile'] =>
  async (accountId) => {
    const { accounts } = ports.stores;
    const account = await requireAccount({ accounts }, accountId);
    const { id, username, state, phoneSealed, createdAt } = account;
    const person = { id, personKey: account.personKey! };
    const [email] = await accounts.listEmails(id);
    return {
      id,
      username,
      state,
      email: email
        ? {
            address: ports.vault.open(person, places.email(email.id), email.sealed),
            verified: email.verifiedAt !== null,
          }
        : null,
      phone: phoneSealed && ports.vault.open(person, places.phone(id), phoneSealed),
      hasPassword: (await accounts.findPassword(id)) !== null,
      createdAt: createdAt.toISOString(),
    };
  };

type Place = { table: string; row: string; column: string };
