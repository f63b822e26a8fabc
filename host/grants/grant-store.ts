import type { Knex } from 'knex';
import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import type { CapabilitySum } from './contract.ts';
import type { GrantTimes } from './rules/describe-grants.ts';

export interface GrantStore {
  times(installationId: string): Promise<GrantTimes[]>;
  /** Null where there is no such installation. */
  grantsOf(installationId: string): Promise<CapabilityName[] | null>;
  grant(installationId: string, capability: CapabilityName): Promise<void>;
  revoke(installationId: string, capability: CapabilityName): Promise<void>;
  /** Adds to the sums of the hour, and notes what was used: all of it or nothing. Installations that are gone are left out. */
  add(sums: CapabilitySum[], atMs: number): Promise<void>;
}

const ADD = `
  WITH added AS (
    SELECT sum.* FROM json_to_recordset(CAST(:sums AS json)) AS sum
      (installation_id uuid, capability text, calls bigint, refused bigint, bytes bigint, wall_ms float8, used_at timestamptz)
    WHERE EXISTS (SELECT FROM installations WHERE installations.id = sum.installation_id)),
  used AS (
    UPDATE installation_grants AS granted SET used_at = greatest(granted.used_at, added.used_at)
    FROM added WHERE granted.installation_id = added.installation_id AND granted.capability = added.capability
      AND added.used_at IS NOT NULL)
  INSERT INTO usage_capabilities AS usage (installation_id, hour, capability, calls, refused, bytes, wall_ms)
  SELECT installation_id, date_trunc('hour', CAST(:at AS timestamptz), 'UTC'), capability, calls, refused, bytes, wall_ms
  FROM added WHERE calls > 0
  ON CONFLICT (installation_id, hour, capability) DO UPDATE SET calls = usage.calls + excluded.calls,
    refused = usage.refused + excluded.refused, bytes = usage.bytes + excluded.bytes, wall_ms = usage.wall_ms + excluded.wall_ms`;

/** `audit` writes who granted and revoked; absent where nobody does. */
export function grantStore(database: Knex, audit: AuditInstallation = async () => {}): GrantStore {
  const own = (id: string, knex: Knex = database) => knex('installations').where({ id }).whereNull('deleted_at');
  // A change that is being made from what was granted before must not write that over this.
  const revision = database.raw('revision + 1');
  return {
    times: async (installationId) => {
      const rows = await database('installation_grants').where({ installation_id: installationId });
      return rows.map(({ capability, granted_at: grantedAt, used_at: usedAt }) => ({
        capability,
        grantedAtMs: grantedAt.getTime(),
        usedAtMs: usedAt?.getTime() ?? null,
      }));
    },
    grantsOf: async (id) => {
      // What a canary alone was granted does not come from the installation, and is not gone from it.
      const canary = database('rollouts').where({ installation_id: id, state: 'canary' });
      const [row, terms] = await Promise.all([own(id).first('grants'), canary.first('grants', 'from_grants')]);
      const alone = terms?.grants.filter((grant: string) => !terms.from_grants.includes(grant)) ?? [];
      return row ? [...new Set([...row.grants, ...alone])] : null;
    },
    grant: async (id, capability) => {
      const grants = database.raw('array_append(grants, ?)', [capability]);
      await database.transaction(async (transaction) => {
        const lacks = own(id, transaction).whereRaw('NOT (CAST(? AS text) = ANY (grants))', [capability]);
        if ((await lacks.update({ grants, revision })) === 0) return;
        await audit(transaction, { installationId: id, action: 'installation.grant', after: { capability } });
      });
    },
    revoke: async (id, capability) => {
      const grants = database.raw('array_remove(grants, ?)', [capability]);
      await database.transaction(async (transaction) => {
        const has = own(id, transaction).whereRaw('CAST(? AS text) = ANY (grants)', [capability]);
        if ((await has.update({ grants, revision })) === 0) return;
        await audit(transaction, { installationId: id, action: 'installation.revoke', before: { capability } });
      });
    },
    add: async (sums, atMs) => {
      const rows = sums.map(({ installationId, capability, calls, refused, bytes, wallMs, usedAtMs }) => ({
        installation_id: installationId,
        capability,
        calls,
        refused,
        bytes,
        wall_ms: wallMs,
        used_at: usedAtMs === null ? null : new Date(usedAtMs).toISOString(),
      }));
      await database.raw(ADD, { sums: JSON.stringify(rows), at: new Date(atMs).toISOString() });
    },
  };
}
