import type { Knex } from 'knex';
import type { Organisation } from '../contract.ts';
import type { MemberRole } from '../rules/permissions.ts';

export interface StoredDeviceCode {
  id: string;
  label: string;
  address: string;
  state: 'pending' | 'approved' | 'denied' | 'claimed';
  intervalSeconds: number;
  polledAt: Date | null;
  accountId: string | null;
  organisationId: string | null;
  createdAt: Date;
  expiresAt: Date;
}

export interface DeviceCodeStore {
  /** False where the user code is in use. */
  insert(code: {
    id: string;
    deviceHash: Buffer;
    userHash: Buffer;
    label: string;
    address: string;
    intervalSeconds: number;
    now: Date;
    expiresAt: Date;
  }): Promise<boolean>;
  /** Locked until the transaction ends. */
  lock(by: { deviceHash: Buffer } | { userHash: Buffer }): Promise<StoredDeviceCode | null>;
  polled(id: string, change: { at: Date; intervalSeconds: number }): Promise<void>;
  setState(
    id: string,
    change: { state: 'approved' | 'denied' | 'claimed'; accountId?: string; organisationId?: string },
  ): Promise<void>;
  /** As whom a person acts there now; null where they do not belong. */
  membership(
    accountId: string,
    by: { slug: string } | { id: string },
  ): Promise<{ organisation: Organisation; role: MemberRole; username: string } | null>;
  removeEnded(before: Date): Promise<void>;
}

export function createDeviceCodeStore(database: Knex): DeviceCodeStore {
  return {
    async insert({ id, deviceHash, userHash, label, address, intervalSeconds, now, expiresAt }) {
      const rows = await database('device_codes')
        .insert({
          id,
          device_sha256: deviceHash,
          user_sha256: userHash,
          label,
          address,
          interval_seconds: intervalSeconds,
          created_at: now,
          expires_at: expiresAt,
        })
        .onConflict('user_sha256')
        .ignore()
        .returning('id');
      return rows.length === 1;
    },
    async lock(by) {
      const where = 'deviceHash' in by ? { device_sha256: by.deviceHash } : { user_sha256: by.userHash };
      const row = await database('device_codes').where(where).forUpdate().first();
      if (!row) return null;
      return {
        id: row.id,
        label: row.label,
        address: row.address,
        state: row.state,
        intervalSeconds: row.interval_seconds,
        polledAt: row.polled_at,
        accountId: row.account_id,
        organisationId: row.organisation_id,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      };
    },
    async polled(id, { at, intervalSeconds }) {
      await database('device_codes').where({ id }).update({ polled_at: at, interval_seconds: intervalSeconds });
    },
    async setState(id, { state, accountId, organisationId }) {
      await database('device_codes')
        .where({ id })
        .update({
          state,
          ...(accountId !== undefined && { account_id: accountId }),
          ...(organisationId !== undefined && { organisation_id: organisationId }),
        });
    },
    async membership(accountId, by) {
      const column = 'slug' in by ? 'organisations.slug' : 'organisations.id';
      const row = await database('memberships')
        .join('organisations', 'organisations.id', 'memberships.organisation_id')
        .join('accounts', 'accounts.id', 'memberships.account_id')
        .where({ 'memberships.account_id': accountId, 'accounts.state': 'active' })
        .where(column, 'slug' in by ? by.slug : by.id)
        .first(
          'organisations.id',
          'organisations.slug',
          'organisations.kind',
          'organisations.name',
          'memberships.role',
          'accounts.username',
        );
      if (!row) return null;
      const { role, username, ...organisation } = row;
      return { organisation, role, username };
    },
    async removeEnded(before) {
      await database('device_codes').where('expires_at', '<', before).delete();
    },
  };
}
