import type { Organisation } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { storedText } from '../rules/stored-text.ts';
import type { Reviews } from './contract.ts';
import type { ReviewStore } from './review-store.ts';

export interface TrustPorts {
  findOrganisation(slug: string): Promise<Organisation | null>;
  transaction<Result>(work: (stores: { reviews: ReviewStore; audit: Audit }) => Promise<Result>): Promise<Result>;
}

async function publisherId(ports: TrustPorts, slug: string): Promise<string> {
  const found = await ports.findOrganisation(slug);
  if (found?.kind !== 'publisher')
    throw new RegistryRefusal('organisation-unknown', `There is no publisher "${slug}".`, { slug });
  return found.id;
}

export const trustPublisher =
  (ports: TrustPorts): Reviews['trust'] =>
  async (actor, publisher, reason) => {
    const id = await publisherId(ports, publisher);
    return ports.transaction(async ({ reviews, audit }) => {
      await reviews.trust(id, storedText(reason));
      await audit({
        action: 'publisher.trust',
        actor,
        organisationId: id,
        subject: { kind: 'organisation', id },
        after: { publisher, reason },
      });
      return (await reviews.listTrusted()).find((each) => each.publisher === publisher)!;
    });
  };

export const distrustPublisher =
  (ports: TrustPorts): Reviews['distrust'] =>
  async (actor, publisher) => {
    const id = await publisherId(ports, publisher);
    await ports.transaction(async ({ reviews, audit }) => {
      if ((await reviews.distrust(id)) === 0) return;
      const subject = { kind: 'organisation', id };
      await audit({ action: 'publisher.distrust', actor, organisationId: id, subject, after: { publisher } });
    });
  };
