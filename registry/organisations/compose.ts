import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Organisation } from '../contract.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { Organisations } from './contract.ts';
import { createInvitationStore, createOfferStore } from './invitation-store.ts';
import {
  acceptInvitation,
  declineInvitation,
  invite,
  listInvitations,
  readInvitation,
  revokeInvitation,
} from './invite-members.ts';
import { changeRole, leave, listMembers, removeMember } from './manage-members.ts';
import { createMemberStore } from './member-store.ts';
import type { MemberPorts } from './organisation-ports.ts';
import { registerOrganisation, renameOrganisation } from './register-organisation.ts';
import { acceptOwnership, endOffer, listOffers, offerOwnership } from './transfer-ownership.ts';

export interface OrganisationsPorts {
  /**
   * The host's own view: members see each other's names, and an invitation is read by somebody who does not belong yet. Every use
   * case asks for no more than its organisation's or its person's rows.
   */
  system: Knex;
  organisationsIn(database: Knex): {
    findBySlug(slug: string): Promise<Organisation | null>;
    insert(organisation: Organisation): Promise<Organisation | null>;
  };
  auditIn(database: Knex): Audit;
  /** Blind index of an address of mail, as in account_emails. */
  addressIndex(address: string): Buffer;
  mailInvitationIn(database: Knex): MemberPorts['mailInvitation'];
  nowMs: () => number;
  newId: () => string;
}

/** Organisations and their members over one database; every use case is one transaction. */
export function createOrganisations(ports: OrganisationsPorts): Organisations {
  const portsIn = (transaction: Knex) => ({
    members: createMemberStore(transaction),
    invitations: createInvitationStore(transaction),
    offers: createOfferStore(transaction),
    organisations: ports.organisationsIn(transaction),
    insertOrganisation: ports.organisationsIn(transaction).insert,
    audit: ports.auditIn(transaction),
    addressIndex: ports.addressIndex,
    mailInvitation: ports.mailInvitationIn(transaction),
    hasAddress: async (accountId: string, index: Buffer) =>
      (await transaction('account_emails')
        .where({ account_id: accountId, address_index: index })
        .whereNotNull('verified_at')
        .first('id')) !== undefined,
    nowMs: ports.nowMs,
    newId: ports.newId,
    randomBytes,
  });
  const alone =
    <Args extends unknown[], Result>(
      useCase: (ports: MemberPorts & ReturnType<typeof portsIn>) => (...args: Args) => Promise<Result>,
    ) =>
    (...args: Args): Promise<Result> =>
      ports.system.transaction((transaction) => useCase(portsIn(transaction))(...args));
  return {
    membershipsOf: createMemberStore(ports.system).membershipsOf,
    registerOrganisation: alone(registerOrganisation),
    renameOrganisation: alone(renameOrganisation),
    listMembers: alone(listMembers),
    invite: alone(invite),
    listInvitations: alone(listInvitations),
    revokeInvitation: alone(revokeInvitation),
    readInvitation: alone(readInvitation),
    acceptInvitation: alone(acceptInvitation),
    declineInvitation: alone(declineInvitation),
    changeRole: alone(changeRole),
    removeMember: alone(removeMember),
    leave: alone(leave),
    offerOwnership: alone(offerOwnership),
    listOffers: alone(listOffers),
    acceptOwnership: alone(acceptOwnership),
    endOffer: alone(endOffer),
  };
}
