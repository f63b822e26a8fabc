import type { Organisation, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { storedText } from '../rules/stored-text.ts';
import type { OrganisationStore } from './organisation-store.ts';

/** Idempotent by `id`. Refuses with: slug-taken, organisation-id-taken. */
export const createOrganisation =
  (ports: { organisations: OrganisationStore; audit: Audit }): Registry['createOrganisation'] =>
  async ({ id, slug, kind, name }, maker) => {
    const wanted: Organisation = { id: id.toLowerCase(), slug, kind, name: storedText(name) };
    const inserted = await ports.organisations.insert(wanted);
    if (inserted) {
      // The first organisation is made where nobody exists yet who could be its maker.
      const actor = maker ?? { via: 'system' as const, part: 'bootstrap' };
      const subject = { kind: 'organisation', id: wanted.id };
      await ports.audit({
        action: 'organisation.create',
        actor,
        organisationId: wanted.id,
        subject,
        after: { slug, kind },
      });
      return inserted;
    }
    const stored = await ports.organisations.findById(wanted.id);
    if (stored === null) throw new RegistryRefusal('slug-taken', undefined, { slug });
    if (stored.slug !== slug || stored.kind !== kind || stored.name !== wanted.name) {
      throw new RegistryRefusal('organisation-id-taken', undefined, { id: wanted.id });
    }
    return stored;
  };
