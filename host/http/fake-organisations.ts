import type { Devices, Organisations } from '../../registry/index.ts';

type Port = <Args extends unknown[], Value>(
  name: string,
  value: Value | ((...args: Args) => Value),
) => (...args: Args) => Promise<Value>;

/** Organisations and device codes in memory for the tests of the HTTP side: always the same well-formed things. */
export function fakeOrganisations(
  port: Port,
  made: { id: string; at: string },
): { organisations: Organisations; devices: Devices } {
  const { id, at } = made;
  const organisation = { id, slug: 'acme', kind: 'operator', name: 'Acme' } as const;
  const membership = { organisation, role: 'operator-owner' } as const;
  const member = { accountId: id, username: 'ada', role: 'operator-owner', since: at } as const;
  const invitation = {
    id,
    organisation: 'acme',
    role: 'operator-viewer',
    addressHint: 'a…@example.com',
    createdAt: at,
    expiresAt: at,
    state: 'open',
  } as const;
  const side = { accountId: id, username: 'ada' };
  const offer = { id, organisation: 'acme', from: side, to: side, createdAt: at, expiresAt: at };
  const request = { label: 'gate', address: '192.0.2.1', createdAt: at, expiresAt: at };
  const token = {
    id,
    organisation: 'acme',
    role: 'operator-owner',
    label: 'gate',
    account: { id, username: 'ada' },
    scopes: null,
    installationIds: null,
    plugin: null,
    addressRanges: null,
    createdAt: at,
    expiresAt: at,
    lastUsedAt: null,
    revokedAt: null,
    successorId: null,
  } as const;
  return {
    organisations: {
      membershipsOf: port('membershipsOf', [membership]),
      membershipsForSession: port('membershipsForSession', [membership]),
      registerOrganisation: port('registerOrganisation', organisation),
      renameOrganisation: port('renameOrganisation', organisation),
      listMembers: port('listMembers', [member]),
      invite: port('invite', { invitation, secret: null }),
      listInvitations: port('listInvitations', [invitation]),
      revokeInvitation: port('revokeInvitation', { ...invitation, state: 'revoked' as const }),
      readInvitation: port('readInvitation', invitation),
      acceptInvitation: port('acceptInvitation', membership),
      declineInvitation: port('declineInvitation', undefined),
      changeRole: port('changeRole', member),
      removeMember: port('removeMember', undefined),
      leave: port('leave', undefined),
      offerOwnership: port('offerOwnership', offer),
      listOffers: port('listOffers', [offer]),
      acceptOwnership: port('acceptOwnership', membership),
      endOffer: port('endOffer', undefined),
    } as never,
    devices: {
      begin: port('beginDevice', {
        deviceCode: `ghd_${'a'.repeat(43)}`,
        userCode: 'BCDF-GHJK',
        expiresInSeconds: 600,
        intervalSeconds: 5,
      }),
      read: port('readDevice', request),
      approve: port('approveDevice', request),
      deny: port('denyDevice', undefined),
      claim: port('claimDevice', { token, secret: 'shown-once' }),
      sweep: port('sweepDevices', undefined),
    } as never,
  };
}
