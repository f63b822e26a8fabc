import type { Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { mayGive } from '../rules/permissions.ts';
import type { Member, Organisations } from './contract.ts';
import { keepAnOwner, lockNamed, type MemberPorts, personIn } from './organisation-ports.ts';

export const listMembers =
  (ports: MemberPorts): Organisations['listMembers'] =>
  async (actor, slug) =>
    ports.members.list((await lockNamed(ports, actor, slug)).id);

/** Under the lock of the organisation, so that of two owners who step back at once one stays. */
export const changeRole =
  (ports: MemberPorts): Organisations['changeRole'] =>
  async (actor, { accountId, role }) => {
    const organisation = await lockNamed(ports, actor);
    const member = await findMember(ports, actor, accountId);
    requireGiving(actor, member);
    requireGiving(actor, { role });
    if (member.role === role) return member;
    await keepAnOwner(ports, organisation, member);
    await ports.members.setRole(organisation.id, member.accountId, role);
    await ports.audit({
      action: 'member.change-role',
      actor,
      organisationId: organisation.id,
      subject: { kind: 'account', id: member.accountId },
      before: { role: member.role },
      after: { role },
    });
    return { ...member, role };
  };

export const removeMember =
  (ports: MemberPorts): Organisations['removeMember'] =>
  async (actor, accountId) => {
    const organisation = await lockNamed(ports, actor);
    const member = await findMember(ports, actor, accountId);
    requireGiving(actor, member);
    await keepAnOwner(ports, organisation, member);
    await endMembership(ports, { actor, action: 'member.remove', organisationId: organisation.id, member });
  };

export const leave =
  (ports: MemberPorts): Organisations['leave'] =>
  async (person, slug) => {
    const found = await ports.organisations.findBySlug(slug);
    const organisation = found && (await ports.members.lockOrganisation(found.id));
    const member = organisation && (await ports.members.find(organisation.id, person.account.id));
    if (!organisation || !member)
      throw new RegistryRefusal('member-unknown', 'You are no member of this organisation.');
    await keepAnOwner(ports, organisation, member);
    const actor = personIn(person, organisation);
    await endMembership(ports, { actor, action: 'member.leave', organisationId: organisation.id, member });
  };

async function findMember({ members }: MemberPorts, actor: Principal, accountId: string): Promise<Member> {
  const found = isUuid(accountId) ? await members.find(actor.organisation.id, accountId) : null;
  if (found === null) throw new RegistryRefusal('member-unknown');
  return found;
}

/** Nobody makes, changes or removes somebody who may do more than they. */
function requireGiving(actor: Principal, { role }: Pick<Member, 'role'>): void {
  const { kind } = actor.organisation;
  if (mayGive(actor.role, kind, role)) return;
  throw new RegistryRefusal('role-not-allowed', `As ${actor.role} you can neither give nor take the role ${role}.`, {
    role,
  });
}

async function endMembership(
  { members, audit, nowMs }: MemberPorts,
  ended: {
    actor: Parameters<MemberPorts['audit']>[0]['actor'];
    action: string;
    organisationId: string;
    member: Member;
  },
): Promise<void> {
  const { actor, action, organisationId, member } = ended;
  await members.remove(organisationId, member.accountId);
  const tokens = await members.revokeTokens(organisationId, member.accountId, new Date(nowMs()));
  await audit({
    action,
    actor,
    organisationId,
    subject: { kind: 'account', id: member.accountId },
    before: { role: member.role },
    after: { revokedTokens: tokens },
  });
}
