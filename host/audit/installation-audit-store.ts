import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { AuditEntry, AuditIn } from '../../registry/index.ts';

/** Something about an installation; its operator may read it. */
export interface InstallationEvent {
  installationId: string;
  action: string;
  before?: Json;
  after?: Json;
}

/** Writes an entry about an installation, in the transaction of what it records. */
export type AuditInstallation = (transaction: Knex, event: InstallationEvent) => Promise<void>;

/** Whoever's request is answered acts; outside of one it is the named part of the platform. */
export const createAuditInstallation =
  (auditIn: AuditIn, currentActor: () => AuditEntry['actor'] | null, part: string): AuditInstallation =>
  async (transaction, { installationId, action, before, after }) => {
    const row = await transaction('installations').where({ id: installationId }).first('operator_id');
    if (row === undefined) return;
    await auditIn(transaction)({
      action,
      actor: currentActor() ?? { via: 'system', part },
      organisationId: row.operator_id,
      subject: { kind: 'installation', id: installationId },
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    });
  };

/** Configurations may hold what is nobody's business: entries show whether they changed, and no more. */
export const digestOf = (value: Json): Json => ({ sha256: sha256Hex(JSON.stringify(value)) });
