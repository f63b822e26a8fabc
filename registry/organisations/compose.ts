import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Membership, Organisation, Person } from '../contract.ts';
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
  /** For whoever acts: sees their organisation, or their own. */
  database: Knex;
  /** For whom nothing is theirs yet: whoever brings an invitation, or founds an organisation. */
  system: Knex;
  /** Does `work` as the person within an organisation that they belong to. */
  actAs<Result>(person: Person, membership: Membership, work: () => Promise<Result>): Promise<Result>;
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
  const aloneOn =
    (database: Knex) =>
    <Args extends unknown[], Result>(
      useCase: (ports: MemberPorts & ReturnType<typeof portsIn>) => (...args: Args) => Promise<Result>,
    ) =>
    (...args: Args): Promise<Result> =>
      database.transaction((transaction) => useCase(portsIn(transaction))(...args));
  const alone = aloneOn(ports.database);
  // Proven by a secret, or by being the first: nobody belongs there yet.
  const asNewcomer = aloneOn(ports.system);
  /** Whoever does not belong is refused by the use case itself, in whatever context. */
  const within = async <Result>(
    person: Person,
    isMeant: (organisation: Organisation) => boolean,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const memberships = await createMemberStore(ports.database).membershipsOf(person.account.id);
    const membership = memberships.find(({ organisation }) => isMeant(organisation));
    return membership ? ports.actAs(person, membership, work) : work();
  };
  return {
    membershipsOf: createMemberStore(ports.database).membershipsOf,
    membershipsForSession: createMemberStore(ports.system).membershipsOf,
    registerOrganisation: asNewcomer(registerOrganisation),
    renameOrganisation: alone(renameOrganisation),
    listMembers: alone(listMembers),
    invite: alone(invite),
    listInvitations: alone(listInvitations),
    revokeInvitation: alone(revokeInvitation),
    readInvitation: asNewcomer(readInvitation),
    acceptInvitation: asNewcomer(acceptInvitation),
    declineInvitation: asNewcomer(declineInvitation),
    changeRole: alone(changeRole),
    removeMember: alone(removeMember),
    leave: (person, slug) =>
      within(
        person,
        (each) => each.slug === slug,
        () => alone(leave)(person, slug),
      ),
    offerOwnership: alone(offerOwnership),
    listOffers: alone(listOffers),
    acceptOwnership: async (person, offerId) => {
      const offers = await createOfferStore(ports.database).listOpen(person.account.id, new Date(ports.nowMs()));
      const offer = offers.find(({ id }) => id === offerId);
      return within(
        person,
        ({ id }) => id === offer?.organisationId,
        () => alone(acceptOwnership)(person, offerId),
      );
    },
    endOffer: alone(endOffer),
  };
}
