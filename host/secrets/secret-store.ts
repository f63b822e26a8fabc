import type { Knex } from 'knex';

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

export function secretStore(database: Knex): SecretStore {
  const one = (installationId: string, name: string) =>
    database<Row>('installation_secrets').where({ installation_id: installationId, name } as Partial<Row>);
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
      await database('installation_secrets')
        .insert({ installation_id: installationId, name, sealed, updated_at: database.fn.now() })
        .onConflict(['installation_id', 'name'])
        .merge(['sealed', 'updated_at']);
    },
    remove: async (installationId, name) => {
      await one(installationId, name).delete();
    },
  };
}
