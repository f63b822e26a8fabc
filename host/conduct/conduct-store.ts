import type { Knex } from 'knex';
// Those of one millisecond are in order, as the lines of a log must be.
import { v7 as uuidv7 } from 'uuid';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import { installationLogStore } from '../installations/installation-log-store.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import type { Confined, Strike } from './contract.ts';
import {
  type Line,
  leftLine,
  type Message,
  type Place,
  reasonOf,
  resumedLine,
  resumedMessage,
  strikeLines,
  verdictMessage,
} from './describe-conduct.ts';
import {
  type ConductRules,
  cleanStanding,
  mayLeaveSolitary,
  resume,
  type Standing,
  strike,
  type Verdict,
} from './rules/standing.ts';

export interface ConductStore {
  /**
   * Writes a strike and all that follows from it, at once or not at all. Exact whoever else strikes at the same time;
   * idempotent by the invocation. Null where there is no such installation, or the strike was written before.
   */
  strike(strike: Strike): Promise<Verdict | null>;
  /** Lets those share a cordon again whose strikes are forgotten; returns their number. Each on one host only. */
  leaveSolitary(atMs: number): Promise<number>;
  /** Ends a suspension. False where there is none. */
  resume(installationId: string, atMs: number): Promise<boolean>;
  confined(): Promise<Confined>;
}

/** Conduct in PostgreSQL. Rows are locked and judged by the rules here, so that these stand in one place. */
export function conductStore(
  database: Knex,
  rules: ConductRules,
  audit: AuditInstallation = async () => {},
): ConductStore {
  const write = (transaction: Knex, id: string, standing: Standing, reason?: string | null) =>
    transaction('installation_conduct')
      .where({ installation_id: id })
      .update({ ...toColumns(standing), ...(reason !== undefined && { reason }) });

  const tell = async (transaction: Knex, place: Place, atMs: number, lines: Line[], message: Message | null) => {
    const at = new Date(atMs).toISOString();
    const { installationId, operator, publisher } = place;
    const logged = lines.map((line) => ({ id: uuidv7(), installationId, at, source: 'host' as const, ...line }));
    await installationLogStore(transaction).append(logged);
    if (message === null) return;
    const told = [...new Set([operator.id, publisher.id])];
    const notes = told.map((organisationId) => ({ id: uuidv7(), organisationId, at, ...message }));
    await notificationStore(transaction).add(notes);
  };

  return {
    strike: (struck) =>
      database.transaction(async (transaction) => {
        const { installationId, atMs } = struck;
        const place = await readPlace(transaction, installationId);
        if (place === null || !(await insertStrike(transaction, uuidv7(), struck))) return null;
        const clean = { installation_id: installationId, ...toColumns(cleanStanding(atMs)) };
        await transaction('installation_conduct').insert(clean).onConflict().ignore();
        const { standing, verdict } = strike((await lock(transaction, installationId))!, atMs, rules);
        const reason = reasonOf(struck, standing);
        await write(transaction, installationId, standing, verdict === 'counted' ? undefined : reason);
        const lines = strikeLines(struck, standing, verdict);
        await tell(transaction, place, atMs, lines, verdictMessage(place, reason, verdict, rules));
        if (verdict !== 'counted') {
          const after = { strikes: standing.strikes };
          await audit(transaction, { installationId, action: `installation.${verdict}`, after });
        }
        return verdict;
      }),

    leaveSolitary: (atMs) =>
      database.transaction(async (transaction) => {
        const rows: ConductRow[] = await transaction('installation_conduct')
          .whereNotNull('solitary_since')
          .whereNull('suspended_at')
          .orderBy('installation_id')
          .forUpdate()
          // Who is struck, or reviewed by another host, at this moment is for the next time.
          .skipLocked();
        let left = 0;
        for (const row of rows) {
          const standing = fromRow(row);
          if (!mayLeaveSolitary(standing, atMs, rules)) continue;
          await write(transaction, row.installation_id, { ...standing, solitarySinceMs: null }, null);
          const place = await readPlace(transaction, row.installation_id);
          if (place) await tell(transaction, place, atMs, [leftLine], null);
          left += 1;
        }
        return left;
      }),

    resume: (installationId, atMs) =>
      database.transaction(async (transaction) => {
        const place = await readPlace(transaction, installationId);
        const standing = await lock(transaction, installationId);
        if (place === null || standing === null || standing.suspendedAtMs === null) return false;
        await write(transaction, installationId, resume(standing, atMs));
        await tell(transaction, place, atMs, [resumedLine], resumedMessage(place, rules));
        await audit(transaction, { installationId, action: 'installation.resume' });
        return true;
      }),

    confined: async () => {
      const { rows } = await database.raw<{ rows: { id: string; suspended: boolean }[] }>(`
        SELECT installation.id, conduct.suspended_at IS NOT NULL AS suspended
        FROM installation_conduct AS conduct JOIN installations AS installation ON installation.id = conduct.installation_id
        WHERE installation.deleted_at IS NULL
          AND (conduct.solitary_since IS NOT NULL OR conduct.suspended_at IS NOT NULL)`);
      const idsOf = (suspended: boolean) => rows.filter((row) => row.suspended === suspended).map(({ id }) => id);
      return { solitary: idsOf(false), suspended: idsOf(true) };
    },
  };
}

interface ConductRow {
  installation_id: string;
  score: number;
  scored_at: Date;
  strikes: number;
  solitary_since: Date | null;
  suspended_at: Date | null;
}

const toColumns = ({ score, scoredAtMs, strikes, solitarySinceMs, suspendedAtMs }: Standing) => ({
  score,
  scored_at: new Date(scoredAtMs),
  strikes,
  solitary_since: solitarySinceMs === null ? null : new Date(solitarySinceMs),
  suspended_at: suspendedAtMs === null ? null : new Date(suspendedAtMs),
});

const fromRow = (row: ConductRow): Standing => ({
  score: row.score,
  scoredAtMs: row.scored_at.getTime(),
  strikes: row.strikes,
  solitarySinceMs: row.solitary_since?.getTime() ?? null,
  suspendedAtMs: row.suspended_at?.getTime() ?? null,
});

async function lock(transaction: Knex, installationId: string): Promise<Standing | null> {
  const row = await transaction('installation_conduct').where({ installation_id: installationId }).forUpdate().first();
  return row ? fromRow(row) : null;
}

/** False where it is known already. */
async function insertStrike(transaction: Knex, id: string, strike: Strike): Promise<boolean> {
  const { installationId, invocationId, atMs, digest, death, exit, fault } = strike;
  const row = {
    id,
    installation_id: installationId,
    invocation_id: invocationId,
    at: new Date(atMs),
    bundle_digest: digest,
    death,
    exit,
    fault: fault ? JSON.stringify(fault) : null,
  };
  return (await transaction('installation_strikes').insert(row).onConflict().ignore().returning('id')).length === 1;
}

async function readPlace(transaction: Knex, installationId: string): Promise<Place | null> {
  const row = await transaction('installations as installation')
    .join('organisations as operator', 'operator.id', 'installation.operator_id')
    .join('releases as release', 'release.id', 'installation.release_id')
    .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
    .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
    .where('installation.id', installationId)
    .whereNull('installation.deleted_at')
    .first({
      slug: 'installation.slug',
      operatorId: 'operator.id',
      operatorSlug: 'operator.slug',
      publisherId: 'publisher.id',
      publisherSlug: 'publisher.slug',
      name: 'plugin.name',
      version: 'release.version',
    });
  if (!row) return null;
  return {
    installationId,
    operator: { id: row.operatorId, slug: row.operatorSlug },
    publisher: { id: row.publisherId, slug: row.publisherSlug },
    slug: row.slug,
    plugin: `${row.publisherSlug}/${row.name}`,
    version: row.version,
  };
}
