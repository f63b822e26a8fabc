import type { Knex } from 'knex';
import type { LogIn } from '../../registry/index.ts';
import type { AuditInstallation, InstallationEvent } from '../audit/installation-audit-store.ts';

/** After these an installation may do something else than before, whatever was set. */
const ACTIONS = new Set([
  'installation.installed',
  'installation.granted',
  'installation.grant',
  'installation.revoke',
  'installation.uninstalled',
  'installation.restored',
]);

/** Audits, and tells the transparency log what an installation may do from now on, in the same transaction: as a digest. */
export const withGrantLog =
  (audit: AuditInstallation, logIn: LogIn): AuditInstallation =>
  async (transaction, event) => {
    await audit(transaction, event);
    if (event.action === 'installation.canary-started') await logCanary(transaction, event, logIn);
    else if (changesGrants(event)) await logInstallation(transaction, event, logIn);
  };

function changesGrants({ action, after }: InstallationEvent): boolean {
  const set = typeof after === 'object' && after !== null && ('grants' in after || 'releaseId' in after);
  return set || ACTIONS.has(action);
}

async function logInstallation(transaction: Knex, { installationId }: InstallationEvent, logIn: LogIn): Promise<void> {
  const row = await transaction('installations')
    .where({ id: installationId })
    .first('operator_id', 'release_id', 'grants', 'deleted_at');
  if (row === undefined) return;
  const { operator_id: operatorId, release_id: releaseId } = row;
  const capabilities: string[] = row.deleted_at === null ? row.grants : [];
  await logIn(transaction)({ event: 'grant.change', grant: { installationId, operatorId, releaseId, capabilities } });
}

/** A canary has grants of its own. */
async function logCanary(transaction: Knex, { installationId }: InstallationEvent, logIn: LogIn): Promise<void> {
  const row = await transaction('rollouts')
    .join('installations', 'installations.id', 'rollouts.installation_id')
    .where({ installation_id: installationId, state: 'canary' })
    .first('installations.operator_id', 'rollouts.to_release_id', 'rollouts.grants');
  if (row === undefined) return;
  const { operator_id: operatorId, to_release_id: releaseId, grants: capabilities } = row;
  await logIn(transaction)({ event: 'grant.change', grant: { installationId, operatorId, releaseId, capabilities } });
}
