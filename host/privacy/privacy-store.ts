import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { type AuditEntry, type AuditIn, ROLES_OF_KIND } from '../../registry/index.ts';
import type { PersonalExport } from './contract.ts';
import { PERSONAL_TABLES } from './personal-tables.ts';
import { RETENTION } from './retention.ts';

export interface PersonKey {
  id: string;
  personKey: Buffer;
}

export interface PrivacyStore {
  addExport(
    accountId: string,
    made: { id: string; atMs: number; expiresAtMs: number },
    actor: AuditEntry['actor'],
  ): Promise<PersonalExport>;
  listExports(accountId: string, nowMs: number): Promise<PersonalExport[]>;
  /** Null where it is not ready, expired, or somebody else's. */
  findArchive(accountId: string, id: string, nowMs: number): Promise<Buffer | null>;
  /** One that waits, for `leaseMs`; null where none does. */
  claimExport(nowMs: number, leaseMs: number): Promise<{ id: string; accountId: string } | null>;
  endExport(id: string, sealed: Buffer | null, atMs: number): Promise<void>;
  /** Null for a person without a key. */
  findPerson(
    accountId: string,
  ): Promise<(PersonKey & { username: string; createdAt: string; phoneSealed: Buffer | null }) | null>;
  emails(accountId: string): Promise<{ id: string; sealed: Buffer }[]>;
  /** Everything else, by name. */
  read(accountId: string): Promise<Record<string, object[]>>;
  /** The slug of an organisation that would have no owner left: nothing is erased then. Null where it is done. */
  erase(accountId: string, actor: AuditEntry['actor'], now: Date): Promise<string | null>;
  /** Deletes what has been kept for its time, however much it is, until it is stopped; returns how many rows by table. */
  sweep(now: Date, stopping?: AbortSignal): Promise<Record<string, number>>;
}

/** Of one statement. */
const SWEEP_ROWS_MAX = 10_000;
const AUDIT_ENTRIES_MAX = 50_000;
const DAY_MS = 86_400_000;

/** Of the person who asks, or of everybody: that is for the database. */
export function privacyStore(database: Knex, auditIn: AuditIn): PrivacyStore {
  const live = (accountId: string, nowMs: number) =>
    database('personal_exports').where({ account_id: accountId }).where('expires_at', '>', new Date(nowMs));
  return {
    addExport: (accountId, { id, atMs, expiresAtMs }, actor) =>
      database.transaction(async (transaction) => {
        await transaction('accounts').where({ id: accountId }).forUpdate().first('id');
        const waiting = await transaction('personal_exports')
          .where({ account_id: accountId, state: 'waiting' })
          .first();
        if (waiting) return exportOf(waiting);
        const times = { created_at: new Date(atMs), expires_at: new Date(expiresAtMs) };
        const [row] = await transaction('personal_exports')
          .insert({ id, account_id: accountId, state: 'waiting', ...times })
          .returning('*');
        const subject = { kind: 'account', id: accountId };
        await auditIn(transaction)({ action: 'account.export', actor, organisationId: null, subject });
        return exportOf(row);
      }),
    listExports: async (accountId, nowMs) =>
      (await live(accountId, nowMs).orderBy('id', 'desc').limit(20)).map(exportOf),
    findArchive: async (accountId, id, nowMs) =>
      (await live(accountId, nowMs).where({ id, state: 'ready' }).first('sealed'))?.sealed ?? null,
    claimExport: async (nowMs, leaseMs) => {
      const now = new Date(nowMs);
      const next = database('personal_exports')
        .where({ state: 'waiting' })
        .where((free) => free.whereNull('claimed_until').orWhere('claimed_until', '<', now))
        .orderBy('created_at')
        .limit(1)
        .forUpdate()
        .skipLocked()
        .select('id');
      const [row] = await database('personal_exports')
        .whereIn('id', next)
        .update({ claimed_until: new Date(nowMs + leaseMs) })
        .returning(['id', 'account_id']);
      return row ? { id: row.id, accountId: row.account_id } : null;
    },
    endExport: async (id, sealed, atMs) => {
      const ended = sealed === null ? { state: 'failed' } : { state: 'ready', sealed, ready_at: new Date(atMs) };
      await database('personal_exports').where({ id, state: 'waiting' }).update(ended);
    },
    findPerson: async (id) => {
      const row = await database('accounts').where({ id }).whereNotNull('person_key').first();
      if (!row) return null;
      const { username, person_key: personKey, phone_sealed: phoneSealed, created_at: createdAt } = row;
      return { id, username, personKey, phoneSealed, createdAt: createdAt.toISOString() };
    },
    emails: (accountId) => database('account_emails').where({ account_id: accountId }).select('id', 'sealed'),
    read: async (accountId) => {
      const found: Record<string, object[]> = {};
      for (const { name, table, account, shown } of PERSONAL_TABLES) {
        found[name] = await database(table)
          .where(account, accountId)
          .select(...shown);
      }
      found.invitationsReceived = await database('invitations')
        .whereIn('address_index', addressesOf(database, accountId))
        .select('id', 'organisation_id', 'role', 'address_hint', 'state', 'created_at', 'expires_at');
      const entries = await database('audit_entries')
        .where({ account_id: accountId })
        .orWhere((about) => about.where({ subject_kind: 'account', subject_id: accountId }))
        .orderBy('id', 'desc')
        .limit(AUDIT_ENTRIES_MAX)
        .pluck('content');
      found.audit = entries.map((content: string) => asSeenBy(accountId, JSON.parse(content)));
      return found;
    },
    erase: (accountId, actor, now) =>
      database.transaction(async (transaction) => {
        const [orphaned] = await ownedAlone(transaction, accountId);
        if (orphaned !== undefined) return orphaned;
        // A login under way has its session before, which ends here, or none.
        await transaction('accounts').where({ id: accountId }).forUpdate().select('id');
        // Ends sessions and tokens first, which every host hears of; then nothing of them is left but the tokens' rows.
        const ended = { revoked_at: now, revoked_reason: 'account-erased' };
        await transaction('sessions').where({ account_id: accountId }).whereNull('revoked_at').update(ended);
        await transaction('api_tokens')
          .where({ account_id: accountId })
          .whereNull('revoked_at')
          .update({ revoked_at: now });
        // Invitations that went to one of their addresses say so; others rely on none of them.
        await transaction('invitations').whereIn('address_index', addressesOf(transaction, accountId)).delete();
        for (const { table, account, erasure } of PERSONAL_TABLES) {
          if (erasure === 'delete') await transaction(table).where(account, accountId).delete();
        }
        const username = `erased_${randomBytes(8).toString('hex').slice(0, 13)}`;
        const gone = { state: 'erased', username, person_key: null, phone_sealed: null };
        await transaction('accounts').where({ id: accountId }).update(gone);
        const subject = { kind: 'account', id: accountId };
        await auditIn(transaction)({ action: 'account.erase', actor, organisationId: null, subject });
        return null;
      }),
    sweep: async (now, stopping) => {
      const swept: Record<string, number> = {};
      for (const { table, column, keepDays, only = 'true' } of RETENTION) {
        const before = new Date(now.getTime() - keepDays * DAY_MS);
        let deleted = SWEEP_ROWS_MAX;
        // Until nothing is left: a table that grows faster than one statement deletes would be kept for ever.
        while (deleted === SWEEP_ROWS_MAX && !stopping?.aborted) {
          // By place, so that a table without an id can be swept too, and no statement runs for long.
          const { rowCount } = await database.raw(
            `delete from ?? where ctid in (select ctid from ?? where ?? < ? and ${only} limit ${SWEEP_ROWS_MAX})`,
            [table, table, column, before],
          );
          deleted = rowCount;
          if (deleted > 0) swept[table] = (swept[table] ?? 0) + deleted;
        }
      }
      return swept;
    },
  };
}

const addressesOf = (database: Knex, accountId: string) =>
  database('account_emails').where({ account_id: accountId }).select('address_index');

interface Trace {
  actor: { via: string; accountId?: string };
  address?: string | null;
  requestId?: string | null;
}

/** Where others sat who did something to a person is about them, and not for the archive of that person. */
function asSeenBy(accountId: string, { address, requestId, ...entry }: Trace): object {
  const byAnother = ['session', 'token'].includes(entry.actor.via) && entry.actor.accountId !== accountId;
  return byAnother ? entry : { ...entry, address, requestId };
}

/**
 * Slugs of organisations that have no other owner. Locks all of the person's organisations: of two owners who leave at once one is the
 * last, and nobody becomes an owner meanwhile.
 */
async function ownedAlone(transaction: Knex, accountId: string): Promise<string[]> {
  const owners = Object.values(ROLES_OF_KIND).map(([owner]) => owner);
  await transaction('organisations')
    .whereIn('id', transaction('memberships').where({ account_id: accountId }).select('organisation_id'))
    .orderBy('id')
    .forUpdate()
    .select('id');
  return transaction('memberships as own')
    .join('organisations as o', 'o.id', 'own.organisation_id')
    .where('own.account_id', accountId)
    .whereIn('own.role', owners)
    .whereNotExists((others) =>
      others
        .select(transaction.raw('1'))
        .from('memberships as other')
        .whereRaw(
          'other.organisation_id = own.organisation_id and other.role = own.role and other.account_id <> own.account_id',
        )
        // One whose account is closed owns nothing.
        .whereExists((active) =>
          active.select(transaction.raw('1')).from('accounts').whereRaw("id = other.account_id and state = 'active'"),
        ),
    )
    .pluck('o.slug');
}

const exportOf = (row: {
  id: string;
  state: PersonalExport['state'];
  created_at: Date;
  expires_at: Date;
}): PersonalExport => ({
  id: row.id,
  state: row.state,
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
});
