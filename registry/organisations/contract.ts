import type { Membership, Organisation, Person, Principal } from '../contract.ts';
import type { MemberRole } from '../rules/permissions.ts';

/** A person in an organisation. */
export interface Member {
  accountId: string;
  username: string;
  role: MemberRole;
  since: string;
}

/** An offer to become a member. It ends by its acceptance, a refusal, a revocation or its time. */
export interface Invitation {
  id: string;
  /** Slug. */
  organisation: string;
  role: MemberRole;
  /** Whom it is for, as far as it may be shown, such as `a…@example.com`; null: for whoever has the link first. */
  addressHint: string | null;
  createdAt: string;
  expiresAt: string;
  state: 'open' | 'accepted' | 'declined' | 'revoked' | 'expired';
}

/** An owner's offer to a member to become the owner in their place. */
export interface OwnershipOffer {
  id: string;
  /** Slug. */
  organisation: string;
  from: { accountId: string; username: string };
  to: { accountId: string; username: string };
  createdAt: string;
  expiresAt: string;
}

/** Organisations, their members, and how one becomes and ends being a member. Every change is audited. */
export interface Organisations {
  /** What a person may act for, by slug. */
  membershipsOf(accountId: string): Promise<Membership[]>;
  /** The same while it is being found out who asks. */
  membershipsForSession(accountId: string): Promise<Membership[]>;
  /**
   * A person's own publisher or operator organisation, of which they become the owner. Idempotent by `id`.
   * Refuses with: slug-taken, organisation-id-taken, organisations-too-many.
   */
  registerOrganisation(
    person: Person,
    command: { id: string; slug: string; kind: 'publisher' | 'operator'; name: string },
  ): Promise<Organisation>;
  /** Refuses with: organisation-unknown, organisation-foreign. */
  renameOrganisation(actor: Principal, command: { organisation: string; name: string }): Promise<Organisation>;
  /** By username, at most 1000. An admin may ask for any organisation. Refuses with: organisation-unknown, organisation-foreign. */
  listMembers(actor: Principal, organisation?: string): Promise<Member[]>;
  /**
   * With an address it is for who has verified that, and goes there by mail unless the link is asked for. The secret of a link is
   * returned once; only its hash is stored. Refuses with: role-not-allowed, organisation-unknown,
   * organisation-foreign, invitations-too-many.
   */
  invite(
    actor: Principal,
    command: { organisation?: string; role: MemberRole; address?: string; expiresInSeconds?: number; asLink?: boolean },
  ): Promise<{ invitation: Invitation; secret: string | null }>;
  /** Newest first, at most 1000. */
  listInvitations(actor: Principal): Promise<Invitation[]>;
  /** Idempotent. Refuses with: invitation-unknown. */
  revokeInvitation(actor: Principal, id: string): Promise<Invitation>;
  /** Refuses with: invitation-unknown, invitation-for-another. */
  readInvitation(person: Person, secret: string): Promise<Invitation>;
  /** Refuses with: invitation-unknown, invitation-for-another, member-already. */
  acceptInvitation(person: Person, secret: string): Promise<Membership>;
  /** Refuses with: invitation-unknown. */
  declineInvitation(person: Person, secret: string): Promise<void>;
  /** Refuses with: member-unknown, role-not-allowed, last-owner. */
  changeRole(actor: Principal, command: { accountId: string; role: MemberRole }): Promise<Member>;
  /** The tokens which the person answers for in the organisation are revoked with the membership. Refuses with: member-unknown, role-not-allowed, last-owner. */
  removeMember(actor: Principal, accountId: string): Promise<void>;
  /** Refuses with: member-unknown, last-owner. */
  leave(person: Person, organisation: string): Promise<void>;
  /** One offer at a time. Refuses with: session-needed, member-unknown, ownership-offer-pending. */
  offerOwnership(actor: Principal, accountId: string): Promise<OwnershipOffer>;
  /** Offers that a person has made or received, and that are open. */
  listOffers(person: Person): Promise<OwnershipOffer[]>;
  /** The one becomes owner; the other takes the role that they had. Refuses with: ownership-offer-unknown. */
  acceptOwnership(person: Person, offerId: string): Promise<Membership>;
  /** By whom it was made or to whom. Refuses with: ownership-offer-unknown. */
  endOffer(person: Person, offerId: string): Promise<void>;
}
