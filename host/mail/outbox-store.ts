import type { Knex } from 'knex';

export interface StoredMail {
  id: string;
  accountId: string | null;
  /** Null once it was sent. */
  sealed: Buffer | null;
  attempts: number;
  createdAt: Date;
  sentAt: Date | null;
}

interface NewMail {
  id: string;
  accountId: string | null;
  sealed: Buffer;
  now: Date;
}

/** Sealed mail in PostgreSQL. */
export interface OutboxStore {
  insert(mail: NewMail): Promise<void>;
  /** For the host itself. Nothing where there is mail with this id. */
  insertOnce(mail: NewMail): Promise<void>;
  /** Takes mail that is due, for this host alone until `until`. */
  claim(now: Date, until: Date, countMax: number): Promise<StoredMail[]>;
  /** Forgets what it said, unless it is to be shown. */
  sent(id: string, now: Date, options: { keep: boolean }): Promise<void>;
  /** Tries again at `nextAt`; null: never. */
  failed(id: string, error: string, nextAt: Date | null, now: Date): Promise<void>;
  /** What can still be read, newest first. */
  newest(countMax: number): Promise<StoredMail[]>;
  removeOld(before: Date): Promise<void>;
}

export function outboxStore(database: Knex): OutboxStore {
  const mails = () => database('mail_outbox');
  return {
    // Whoever writes mail may not read any, as onConflict does.
    insert: async (mail) => void (await mails().insert(rowOf(mail))),
    insertOnce: async (mail) => void (await mails().insert(rowOf(mail)).onConflict('id').ignore()),
    async claim(now, until, countMax) {
      const rows = await mails()
        .whereIn(
          'id',
          mails()
            .whereNull('sent_at')
            .whereNull('given_up_at')
            .where('next_at', '<=', now)
            .where((free) => free.whereNull('claimed_until').orWhere('claimed_until', '<', now))
            .orderBy('next_at')
            .limit(countMax)
            .forUpdate()
            .skipLocked()
            .select('id'),
        )
        .update({ claimed_until: until, attempts: database.raw('attempts + 1') })
        .returning('*');
      return rows.map(mailOf);
    },
    sent: async (id, now, { keep }) =>
      void (await mails()
        .where({ id })
        .update({ sent_at: now, claimed_until: null, error: null, ...(keep ? {} : { sealed: null }) })),
    failed: async (id, error, nextAt, now) =>
      void (await mails()
        .where({ id })
        .update({
          error: error.slice(0, 500),
          claimed_until: null,
          ...(nextAt === null ? { given_up_at: now, sealed: null } : { next_at: nextAt }),
        })),
    newest: async (countMax) =>
      (await mails().whereNotNull('sealed').orderBy('id', 'desc').limit(countMax)).map(mailOf),
    removeOld: async (before) => void (await mails().where('created_at', '<', before).delete()),
  };
}

const mailOf = (row: {
  id: string;
  account_id: string | null;
  sealed: Buffer | null;
  attempts: number;
  created_at: Date;
  sent_at: Date | null;
}): StoredMail => ({
  id: row.id,
  accountId: row.account_id,
  sealed: row.sealed,
  attempts: row.attempts,
  createdAt: row.created_at,
  sentAt: row.sent_at,
});

const rowOf = ({ id, accountId, sealed, now }: NewMail) => ({
  id,
  account_id: accountId,
  sealed,
  next_at: now,
  created_at: now,
});
