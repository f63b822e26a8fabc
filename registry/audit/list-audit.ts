import type { AuditFilter, AuditRecord, Page, PageRequest, Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import type { AuditReaderStore, StoredEntry } from './audit-reader-store.ts';

export interface ListAuditPorts {
  store: Pick<AuditReaderStore, 'page'>;
  findOrganisation(slug: string): Promise<{ id: string } | null>;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const EXPORT_BATCH = 500;

/** Newest first: the platform's auditors see everything, others what concerns their organisation. Refuses with: cursor-invalid, organisation-foreign, organisation-unknown. */
export const listAudit =
  (ports: ListAuditPorts) =>
  async (actor: Principal, filter: PageRequest & AuditFilter): Promise<Page<AuditRecord>> => {
    const limit = pageLimit(filter);
    const scope = await scopeOf(ports, actor, filter);
    const rows = await ports.store.page({ ...filter, ...scope }, cursorKey(filter, UUID), limit + 1);
    return pageOf(rows, limit, recordFor(actor), ({ id }) => id);
  };

/** The same without pages, newest first, read as it is consumed. Refuses with: organisation-foreign, organisation-unknown. */
export const exportAudit =
  (ports: ListAuditPorts) =>
  async (actor: Principal, filter: AuditFilter): Promise<AsyncGenerator<AuditRecord>> => {
    const scope = await scopeOf(ports, actor, filter);
    return (async function* () {
      let before: string | null = null;
      for (;;) {
        const rows: StoredEntry[] = await ports.store.page({ ...filter, ...scope }, before, EXPORT_BATCH);
        yield* rows.map(recordFor(actor));
        if (rows.length < EXPORT_BATCH) return;
        before = rows.at(-1)!.id;
      }
    })();
  };

async function scopeOf(
  { findOrganisation }: ListAuditPorts,
  actor: Principal,
  { organisation }: AuditFilter,
): Promise<{ organisationId?: string }> {
  const { kind, slug, id } = actor.organisation;
  if (kind !== 'platform') {
    if (organisation !== undefined && organisation !== slug) throw new RegistryRefusal('organisation-foreign');
    return { organisationId: id };
  }
  if (organisation === undefined) return {};
  const found = await findOrganisation(organisation);
  if (found === null) throw new RegistryRefusal('organisation-unknown', undefined, { organisation });
  return { organisationId: found.id };
}

/** Where staff of the platform sat is not for those whom they acted upon. */
const recordFor =
  (reader: Principal) =>
  (row: StoredEntry): AuditRecord => {
    const { address = null, requestId = null, before = null, after = null, ...rest } = JSON.parse(row.content);
    const { organisationId = reader.organisation.id } = rest.actor;
    const foreign = reader.organisation.kind !== 'platform' && organisationId !== reader.organisation.id;
    return {
      sequence: Number(row.sequence),
      ...rest,
      before,
      after,
      address: foreign ? null : address,
      requestId,
      hash: row.hash.toString('hex'),
    };
  };
