import type { Knex } from 'knex';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';

/** Sealed secrets in PostgreSQL. Nothing here can open them. */
export interface SecretStore {
  list(installationId: string): Promise<{ name: string; updatedAt: string }[]>;
  find(installationId: string, name: string): Promise<Buffer | null>;
  put(installationId: string, name: string, sealed: Buffer): Promise<void>;
  remove(installationId: string, name: string): Promise<void>;
}

interface Row {
  name: string;
  sealed: Buffer;
  updated_at: Date;
}

/** `audit` writes who set and removed one, by its name; absent where nobody does. */
export function secretStore(database: Knex, audit: AuditInstallation = async () => {}): SecretStore {
  const one = (installationId: string, name: string, knex: Knex = database) =>
    knex<Row>('installation_secrets').where({ installation_id: installationId, name } as Partial<Row>);
  return {
    list: async (installationId) => {
      const rows = await database<Row>('installation_secrets')
        .where({ installation_id: installationId } as Partial<Row>)
        .select('name', 'updated_at')
        .orderBy('name');
      return rows.map(({ name, updated_at }) => ({ name, updatedAt: updated_at.toISOString() }));
    },
    find: async (installationId, name) => (await one(installationId, name).first('sealed'))?.sealed ?? null,
    put: async (installationId, name, sealed) => {
      await database.transaction(async (transaction) => {
        await transaction('installation_secrets')
          .insert({ installation_id: installationId, name, sealed, updated_at: database.fn.now() })
          .onConflict(['installation_id', 'name'])
          .merge(['sealed', 'updated_at']);
        await audit(transaction, { installationId, action: 'secret.set', after: { name } });
      });
    },
    remove: async (installationId, name) => {
      await database.transaction(async (transaction) => {
        if ((await one(installationId, name, transaction).delete()) === 0) return;
        await audit(transaction, { installationId, action: 'secret.remove', before: { name } });
      });
    },
  };
}
