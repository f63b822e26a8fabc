import { RegistryRefusal } from '../errors.ts';
import { isUsername, normalEmail } from './account-faults.ts';
import type { AccountPorts } from './account-ports.ts';
import type { StoredAccount } from './account-store.ts';
import type { Accounts } from './contract.ts';

/** Counted by what was typed, whether there is such an account or not. */
export const loginKey = ({ vault }: Pick<AccountPorts, 'vault'>, login: string): string =>
  `login:${vault.index(normalEmail(login)).toString('base64url')}`;

/** Has no password, but is looked for. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Refuses with: credentials-invalid, email-unverified, login-locked, login-busy. */
export const checkPassword =
  (ports: AccountPorts): Accounts['checkPassword'] =>
  async ({ login, password, address }) => {
    const { stores, hasher } = ports;
    const account = await findByLogin(ports, login);
    const attempt = await ports.attempts.begin({
      key: loginKey(ports, login),
      address,
      accountId: account?.id ?? null,
    });
    const stored = await stores.accounts.findPassword(account?.id ?? NOBODY);
    const right = await attempt.counts(() => hasher.matches(password, stored));
    if (!right || account === null || account.state === 'deactivated' || account.state === 'erased') {
      attempt.failed();
      throw new RegistryRefusal('credentials-invalid');
    }
    await attempt.succeeded();
    if (account.state === 'unverified') throw new RegistryRefusal('email-unverified');
    if (stored !== null && hasher.isOld(stored)) {
      const hash = await hasher.hash(password);
      // Nothing to do where somebody has set another password meanwhile: then this login is outdated.
      await ports.transaction(({ accounts }) =>
        accounts.replacePassword(account.id, stored, hash, new Date(ports.nowMs())),
      );
    }
    return { id: account.id, username: account.username, sessionEpoch: account.sessionEpoch };
  };

/**
 * One look by each index, whatever the login looks like. The database folds more letters than the key of the lockout does, such as
 * the dotted capital I: what is no username must not find one, or each spelling would have attempts of its own.
 */
async function findByLogin({ stores, vault }: AccountPorts, login: string): Promise<StoredAccount | null> {
  const [byName, byEmail] = await Promise.all([
    stores.accounts.findByUsername(isUsername(login) ? login : ''),
    stores.accounts.findByEmail(vault.index(normalEmail(login))),
  ]);
  return byName ?? byEmail;
}
