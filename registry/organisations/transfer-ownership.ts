import type { Organisation } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { ownerRole } from '../rules/permissions.ts';
import type { Organisations } from './contract.ts';
import type { StoredOffer } from './invitation-store.ts';
import { type MemberPorts, personIn } from './organisation-ports.ts';

const OFFER_MS = 7 * 86_400_000;

export const offerOwnership =
  (ports: MemberPorts): Organisations['offerOwnership'] =>
  async (actor, accountId) => {
    const { members, offers, audit, newId, nowMs } = ports;
    const { account } = actor;
    const organisation = await members.lockOrganisation(actor.organisation.id);
    const from = account && organisation && (await members.find(organisation.id, account.id));
    if (from?.role !== ownerRole(actor.organisation.kind)) {
      throw new RegistryRefusal('role-not-allowed', 'Only a person who owns the organisation can offer it.');
    }
    const to = isUuid(accountId) ? await members.find(actor.organisation.id, accountId) : null;
    if (to === null || to.accountId === from.accountId) {
      throw new RegistryRefusal('member-unknown', 'Offer it to another member; invite them first if they are none.');
    }
    const now = new Date(nowMs());
    const open = await offers.findOpen(actor.organisation.id, now);
    if (open !== null && (await isGoodStill(ports, actor.organisation, open))) {
      throw new RegistryRefusal('ownership-offer-pending');
    }
    // Nobody can accept it, and only who made it could take it back.
    if (open !== null) await endAs(ports, actor, open);
    const id = newId();
    const expiresAt = new Date(now.getTime() + OFFER_MS);
    await offers.insert({
      id,
      organisationId: actor.organisation.id,
      from: from.accountId,
      to: to.accountId,
      now,
      expiresAt,
    });
    await audit({
      action: 'organisation.offer',
      actor,
      organisationId: actor.organisation.id,
      subject: { kind: 'ownership-offer', id },
      after: { to: to.accountId },
    });
    return shownOffer((await offers.find(id, now))!);
  };

export const listOffers =
  ({ offers, nowMs }: MemberPorts): Organisations['listOffers'] =>
  async (person) =>
    (await offers.listOpen(person.account.id, new Date(nowMs()))).map(shownOffer);

/** What the one was, the other becomes. Refused where either has changed meanwhile. */
export const acceptOwnership =
  (ports: MemberPorts): Organisations['acceptOwnership'] =>
  async (person, offerId) => {
    const { members, offers, audit, nowMs } = ports;
    const offer = await findOffer(ports, offerId, ({ to }) => to.accountId === person.account.id);
    const organisation = (await members.lockOrganisation(offer.organisationId))!;
    const owner = ownerRole(organisation.kind);
    const to = await members.find(organisation.id, offer.to.accountId);
    if (to === null || !(await isGoodStill(ports, organisation, offer))) {
      throw new RegistryRefusal('ownership-offer-unknown');
    }
    if (!(await offers.end(offer.id, { state: 'accepted', now: new Date(nowMs()) }))) {
      throw new RegistryRefusal('ownership-offer-unknown');
    }
    await members.setRole(organisation.id, to.accountId, owner);
    await members.setRole(organisation.id, offer.from.accountId, to.role);
    await audit({
      action: 'organisation.transfer',
      actor: personIn(person, organisation),
      organisationId: organisation.id,
      subject: { kind: 'organisation', id: organisation.id },
      before: { owner: offer.from.accountId },
      after: { owner: to.accountId, offerId: offer.id },
    });
    return { organisation, role: owner };
  };

export const endOffer =
  (ports: MemberPorts): Organisations['endOffer'] =>
  async (person, offerId) => {
    const { id } = person.account;
    const offer = await findOffer(ports, offerId, ({ from, to }) => from.accountId === id || to.accountId === id);
    await endAs(ports, personIn(person, { id: offer.organisationId }), offer);
  };

/** Whether who has made it owns the organisation, and to whom it was made belongs to it. */
async function isGoodStill(
  { members }: MemberPorts,
  { id, kind }: Pick<Organisation, 'id' | 'kind'>,
  { from, to }: StoredOffer,
): Promise<boolean> {
  const giver = await members.rolesOf(from.accountId, id);
  return giver.there === ownerRole(kind) && (await members.find(id, to.accountId)) !== null;
}

/** Refuses with: ownership-offer-unknown. */
async function endAs(
  { offers, audit, nowMs }: MemberPorts,
  actor: Parameters<MemberPorts['audit']>[0]['actor'],
  { id, organisationId }: StoredOffer,
): Promise<void> {
  if (!(await offers.end(id, { state: 'declined', now: new Date(nowMs()) }))) {
    throw new RegistryRefusal('ownership-offer-unknown');
  }
  const subject = { kind: 'ownership-offer', id };
  await audit({ action: 'organisation.end-offer', actor, organisationId, subject });
}

/** An offer is as unknown to others as one that never was. */
async function findOffer(
  { offers, nowMs }: MemberPorts,
  id: string,
  concerns: (offer: StoredOffer) => boolean,
): Promise<StoredOffer> {
  const found = isUuid(id) ? await offers.find(id, new Date(nowMs())) : null;
  if (found === null || !concerns(found)) throw new RegistryRefusal('ownership-offer-unknown');
  return found;
}

const shownOffer = ({ organisationId: _, ...offer }: StoredOffer) => offer;
