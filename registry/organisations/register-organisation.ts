import type { Membership, Organisation } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { ownerRole } from '../rules/permissions.ts';
import { storedText } from '../rules/stored-text.ts';
import type { Organisations } from './contract.ts';
import { lockNamed, type MemberPorts, personIn } from './organisation-ports.ts';

/** Organisations that one person may own: enough for people, too few for squatters of names. */
export const OWNED_MAX = 10;

/**
 * The organisation and its first owner, or neither. Only who made it gets it when the same comes again: an organisation that is
 * there already, with members or without, is nobody's to take.
 */
export const registerOrganisation =
  (
    ports: MemberPorts & { insertOrganisation(organisation: Organisation): Promise<Organisation | null> },
  ): Organisations['registerOrganisation'] =>
  async (person, { id, slug, kind, name }) => {
    const { members, audit, newId, nowMs } = ports;
    const { account } = person;
    const wanted: Organisation = { id: id.toLowerCase(), slug, kind, name: storedText(name) };
    await members.lockOwner(account.id);
    const owned = (await members.membershipsOf(account.id)).filter(
      ({ organisation, role }) => role === ownerRole(organisation.kind),
    );
    const again = sameAmong(owned, wanted);
    if (again) return again;
    if (owned.length >= OWNED_MAX) throw new RegistryRefusal('organisations-too-many', undefined, { max: OWNED_MAX });
    if ((await ports.insertOrganisation(wanted)) === null) {
      // Perhaps the same request, which was under way and has ended by now.
      const made = sameAmong(await members.membershipsOf(account.id), wanted);
      if (made) return made;
      if (await ports.organisations.findBySlug(slug)) throw new RegistryRefusal('slug-taken', undefined, { slug });
      throw new RegistryRefusal('organisation-id-taken', undefined, { id: wanted.id });
    }
    const role = ownerRole(kind);
    await members.insert({
      id: newId(),
      organisationId: wanted.id,
      accountId: account.id,
      role,
      now: new Date(nowMs()),
    });
    await audit({
      action: 'organisation.register',
      actor: personIn(person, wanted),
      organisationId: wanted.id,
      subject: { kind: 'organisation', id: wanted.id },
      after: { slug, kind, name: wanted.name },
    });
    return wanted;
  };

const sameAmong = (memberships: Membership[], { id, slug, kind }: Organisation): Organisation | undefined =>
  memberships.find(
    ({ organisation }) => organisation.id === id && organisation.slug === slug && organisation.kind === kind,
  )?.organisation;

export const renameOrganisation =
  (ports: MemberPorts): Organisations['renameOrganisation'] =>
  async (actor, { organisation: slug, name: wanted }) => {
    const organisation = await lockNamed(ports, actor, slug);
    const name = storedText(wanted);
    if (name === organisation.name) return organisation;
    await ports.members.rename(organisation.id, name);
    await ports.audit({
      action: 'organisation.rename',
      actor,
      organisationId: organisation.id,
      subject: { kind: 'organisation', id: organisation.id },
      before: { name: organisation.name },
      after: { name },
    });
    return { ...organisation, name };
  };
