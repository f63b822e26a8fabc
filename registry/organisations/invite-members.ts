import { createHash } from 'node:crypto';
import type { Person } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { can, mayGive, ownerRole } from '../rules/permissions.ts';
import type { Organisations } from './contract.ts';
import { type StoredInvitation, shown } from './invitation-store.ts';
import { lockNamed, type MemberPorts, personIn } from './organisation-ports.ts';

const DAY_SECONDS = 86_400;
export const INVITATION_SECONDS = { min: 3_600, default: 7 * DAY_SECONDS, max: 30 * DAY_SECONDS };
/** Open ones of one organisation. */
export const INVITATIONS_MAX = 200;
const SECRET_PATTERN = /^ghi_[A-Za-z0-9_-]{43}$/;

export const invite =
  (ports: MemberPorts): Organisations['invite'] =>
  async (actor, command) => {
    const { organisation: slug, role, address, asLink, expiresInSeconds = INVITATION_SECONDS.default } = command;
    const { invitations, audit, newId, nowMs, randomBytes } = ports;
    const organisation = await lockNamed(ports, actor, slug);
    const { kind } = organisation;
    // An admin of the platform is, to any other organisation, as good as its owner.
    const giver = organisation.id === actor.organisation.id ? actor.role : ownerRole(kind);
    if (!mayGive(giver, kind, role)) {
      throw new RegistryRefusal('role-not-allowed', `As ${actor.role} you cannot give the role ${role}.`, { role });
    }
    const now = new Date(nowMs());
    if ((await invitations.countOpen(organisation.id, now)) >= INVITATIONS_MAX) {
      throw new RegistryRefusal('invitations-too-many', undefined, { max: INVITATIONS_MAX });
    }
    const secret = `ghi_${randomBytes(32).toString('base64url')}`;
    const id = newId();
    const addressHint = address === undefined ? null : hintOf(address);
    const expiresAt = new Date(now.getTime() + expiresInSeconds * 1_000);
    const bound = address === undefined ? null : ports.addressIndex(address);
    await invitations.insert({
      id,
      organisationId: organisation.id,
      role,
      secretHash: hashOf(secret),
      addressIndex: bound,
      addressHint,
      invitedBy: actor.account?.id ?? null,
      now,
      expiresAt,
    });
    await audit({
      action: 'member.invite',
      actor,
      organisationId: organisation.id,
      subject: { kind: 'invitation', id },
      after: { role, bound: bound !== null, expiresAt: expiresAt.toISOString() },
    });
    const invitation = shown((await invitations.find(id, now))!);
    if (address === undefined || asLink) return { invitation, secret };
    await ports.mailInvitation({ to: address, organisation, role, secret, expiresAt });
    return { invitation, secret: null };
  };

export const listInvitations =
  ({ invitations, nowMs }: MemberPorts): Organisations['listInvitations'] =>
  (actor) =>
    invitations.list(actor.organisation.id, new Date(nowMs()));

export const revokeInvitation =
  ({ invitations, audit, nowMs }: MemberPorts): Organisations['revokeInvitation'] =>
  async (actor, id) => {
    const now = new Date(nowMs());
    const found = isUuid(id) ? await invitations.find(id, now) : null;
    if (found?.organisationId !== actor.organisation.id) throw new RegistryRefusal('invitation-unknown');
    const revoked = await invitations.end(found.id, { state: 'revoked', accountId: actor.account?.id ?? null, now });
    await audit({
      action: 'invitation.revoke',
      actor,
      organisationId: found.organisationId,
      subject: { kind: 'invitation', id: found.id },
      // Accepted meanwhile, it made a member all the same.
      outcome: revoked && found.state === 'open' ? 'done' : 'unchanged',
    });
    return shown((await invitations.find(found.id, now))!);
  };

export const readInvitation =
  (ports: MemberPorts): Organisations['readInvitation'] =>
  async (person, secret) =>
    shown(await openInvitation(ports, person, secret));

/** Under locks of the invitation and of the organisation: it makes one member, however often it is sent at once. */
export const acceptInvitation =
  (ports: MemberPorts): Organisations['acceptInvitation'] =>
  async (person, secret) => {
    const { members, invitations, audit, newId, nowMs } = ports;
    const invitation = await openInvitation(ports, person, secret);
    const organisation = (await members.lockOrganisation(invitation.organisationId))!;
    const { id: accountId } = person.account;
    if (await members.find(organisation.id, accountId)) throw new RegistryRefusal('member-already');
    const now = new Date(nowMs());
    const { role } = invitation;
    await members.insert({ id: newId(), organisationId: organisation.id, accountId, role, now });
    await invitations.end(invitation.id, { state: 'accepted', accountId, now });
    await audit({
      action: 'invitation.accept',
      actor: personIn(person, organisation),
      organisationId: organisation.id,
      subject: { kind: 'invitation', id: invitation.id },
      after: { accountId, role },
    });
    return { organisation, role };
  };

export const declineInvitation =
  (ports: MemberPorts): Organisations['declineInvitation'] =>
  async (person, secret) => {
    const invitation = await openInvitation(ports, person, secret);
    const { id: accountId } = person.account;
    await ports.invitations.end(invitation.id, { state: 'declined', accountId, now: new Date(ports.nowMs()) });
    await ports.audit({
      action: 'invitation.decline',
      actor: personIn(person, { id: invitation.organisationId }),
      organisationId: invitation.organisationId,
      subject: { kind: 'invitation', id: invitation.id },
    });
  };

/**
 * Whether who has sent it could send it now: it would be a way back for whoever made themselves a link before they were removed.
 */
async function isGoodStill({ members }: MemberPorts, invitation: StoredInvitation): Promise<boolean> {
  const { invitedBy, organisationId, kind, role } = invitation;
  if (invitedBy === null) return true;
  const { there, platform } = await members.rolesOf(invitedBy, organisationId);
  return platform === 'admin' || (there !== null && can(there, 'member:invite') && mayGive(there, kind, role));
}

/** Locked. Whatever has ended it, it is as unknown as one that never was. */
async function openInvitation(ports: MemberPorts, person: Person, secret: string): Promise<StoredInvitation> {
  const { invitations, hasAddress, nowMs } = ports;
  const found = SECRET_PATTERN.test(secret) ? await invitations.lockBySecret(hashOf(secret), new Date(nowMs())) : null;
  if (found?.state !== 'open' || !(await isGoodStill(ports, found))) throw new RegistryRefusal('invitation-unknown');
  if (found.addressIndex !== null && !(await hasAddress(person.account.id, found.addressIndex))) {
    throw new RegistryRefusal('invitation-for-another', undefined, { address: found.addressHint });
  }
  return found;
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** `ada@example.com` as `a…@example.com`. */
function hintOf(address: string): string {
  const at = address.lastIndexOf('@');
  return `${[...address][0] ?? ''}…${address.slice(at).slice(0, 290)}`;
}
