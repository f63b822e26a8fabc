import type { DocumentFault } from '../../plugins-sdk/contract/index.ts';
import type { Organisation, Principal, TokenNarrowing } from '../contract.ts';
import { isUuid } from '../rules/ids.ts';
import { can, PERMISSIONS, type TokenRole } from '../rules/permissions.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { rangeFault } from './address-ranges.ts';

/** Every fault of what shall narrow a token. A restriction that cannot bite is a fault: nobody should believe in it. */
export function narrowingFaults(wish: {
  actor: Principal;
  organisation: Organisation;
  role: TokenRole;
  expiresAt: string | undefined;
  narrowing: TokenNarrowing;
}): DocumentFault[] {
  const { actor, organisation, role, expiresAt } = wish;
  const { scopes, installationIds, plugin, addressRanges } = wish.narrowing;
  const faults: DocumentFault[] = [];
  const fault = (pointer: string, message: string) => faults.push({ pointer, message });
  scopes?.forEach((scope, at) => {
    if (!can(role, scope)) fault(`/scopes/${at}`, `must be a permission of ${role}: ${PERMISSIONS[role].join(', ')}`);
  });
  if (installationIds && organisation.kind !== 'operator') {
    fault('/installationIds', 'restricts tokens of operators only');
  }
  installationIds?.forEach((id, at) => {
    if (!isUuid(id)) fault(`/installationIds/${at}`, 'must be the id of an installation');
  });
  if (plugin !== undefined && pluginName(plugin)?.publisher !== organisation.slug) {
    fault('/plugin', `must be a plugin of the publisher whose token it is: ${organisation.slug}/<name>`);
  }
  if (plugin !== undefined && organisation.kind !== 'publisher')
    fault('/plugin', 'restricts tokens of publishers only');
  addressRanges?.forEach((range, at) => {
    const wrong = rangeFault(range);
    if (wrong !== null) fault(`/addressRanges/${at}`, wrong);
  });
  const endsAtMs = actor.via === 'token' ? actor.expiresAtMs : undefined;
  if (expiresAt !== undefined && endsAtMs !== undefined && Date.parse(expiresAt) > endsAtMs) {
    fault(
      '/expiresAt',
      `must not be later than the end of the token that issues it: ${new Date(endsAtMs).toISOString()}`,
    );
  }
  return faults;
}
