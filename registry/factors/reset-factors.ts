import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import type { Factors } from './contract.ts';
import type { FactorPorts } from './factor-ports.ts';

/** By the platform, for somebody who has lost every factor. Passkeys stay where they are the only way in. */
export const resetFactors =
  (ports: FactorPorts): Factors['reset'] =>
  async (actor, accountId) => {
    if (!isUuid(accountId) || (await ports.activeAccount(accountId)) === null)
      throw new RegistryRefusal('factor-unknown');
    await ports.transaction(async (stores) => {
      const { password, telegram } = await stores.waysIn(accountId);
      if (!password && !telegram) throw new RegistryRefusal('last-way-in');
      await stores.factors.removeTotp(accountId);
      await stores.factors.replaceRecoveryCodes(accountId, [], new Date(ports.nowMs()));
      await stores.passkeys.removeAll(accountId);
      await stores.challenges.removeOf(accountId);
      await stores.endSessions(accountId, 'factor-changed');
      await stores.audit({
        action: 'factor.reset',
        actor,
        organisationId: null,
        subject: { kind: 'account', id: accountId },
      });
    });
    ports.raise({ kind: 'factor-changed', accountId, facts: { change: 'reset' } });
  };
