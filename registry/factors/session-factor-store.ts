import type { Knex } from 'knex';

/** What sessions have to do with factors. */
export interface SessionFactorStore {
  openedAt(sessionId: string): Promise<Date | null>;
  /** Null: the session has confirmed none. Every host hears of it. */
  setFactorAt(sessionId: string, at: Date | null): Promise<void>;
}

export function createSessionFactorStore(database: Knex): SessionFactorStore {
  return {
    openedAt: async (id) => (await database('sessions').where({ id }).first('created_at'))?.created_at ?? null,
    setFactorAt: async (id, at) => void (await database('sessions').where({ id }).update({ factor_at: at })),
  };
}
