import type { Knex } from 'knex';
import type { QueuedReview, ReviewFigures, ReviewReason, ReviewRound, TrustedPublisher } from './contract.ts';
import type { Checklist } from './rules/checklist.ts';

export interface QueueFilter {
  /** Id of an account or token; null: of nobody; absent: all. */
  assignedTo?: string | null;
  after: { queuedAt: string; releaseId: string } | null;
  count: number;
}

export interface ReviewStore {
  /** The newest first. */
  rounds(releaseId: string): Promise<ReviewRound[]>;
  /** The longest waiting first. */
  queue(filter: QueueFilter): Promise<Omit<QueuedReview, 'mine'>[]>;
  /** Where the database does not do so by itself: a round without a wait in the queue. */
  begin(releaseId: string, at: Date): Promise<ReviewRound>;
  assign(releaseId: string, to: string | null, at: Date): Promise<void>;
  saveChecklist(releaseId: string, checklist: Checklist): Promise<void>;
  saveStatement(releaseId: string, statement: string): Promise<void>;
  decide(
    releaseId: string,
    made: Pick<ReviewRound, 'decision' | 'reasons' | 'decidedBy' | 'automatic'> & { decidedAt: Date },
  ): Promise<void>;
  figures(from: Date, to: Date): Promise<Omit<ReviewFigures, 'from' | 'to'>>;
  isTrusted(organisationId: string): Promise<boolean>;
  listTrusted(): Promise<TrustedPublisher[]>;
  trust(organisationId: string, reason: string): Promise<void>;
  /** How many it forgot. */
  distrust(organisationId: string): Promise<number>;
}

interface Row {
  round: number;
  kind: ReviewRound['kind'];
  statement: string | null;
  queued_at: Date;
  assigned_to: string | null;
  assigned_at: Date | null;
  checklist: Checklist;
  decision: ReviewRound['decision'];
  reasons: ReviewReason[];
  decided_by: string | null;
  decided_at: Date | null;
  automatic: boolean;
}

export function createReviewStore(database: Knex): ReviewStore {
  const open = (releaseId: string) => database('release_reviews').where({ release_id: releaseId, decision: null });
  return {
    rounds: async (releaseId) =>
      (await database<Row>('release_reviews').where('release_id', releaseId).orderBy('round', 'desc')).map((row) =>
        roundOf(row as Row),
      ),
    async queue({ assignedTo, after, count }) {
      const query = database('release_reviews as review')
        .join('releases as release', 'release.id', 'review.release_id')
        .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
        .join('organisations as publisher', 'publisher.id', 'release.organisation_id')
        .whereNull('review.decision')
        .select(
          'release.id as releaseId',
          database.raw(`publisher.slug || '/' || plugin.name as plugin`),
          'release.version',
          'review.round',
          'review.kind',
          'review.queued_at as queuedAt',
          'review.assigned_to as assignedTo',
        )
        // A cursor holds milliseconds, so that is what is compared.
        .orderByRaw(`date_trunc('milliseconds', review.queued_at), release.id`)
        .limit(count);
      if (assignedTo !== undefined) query.where('review.assigned_to', assignedTo);
      if (after)
        query.whereRaw(`(date_trunc('milliseconds', review.queued_at), release.id) > (?::timestamptz, ?::uuid)`, [
          after.queuedAt,
          after.releaseId,
        ]);
      const rows = await query;
      return rows.map((row) => ({ ...row, queuedAt: row.queuedAt.toISOString() }));
    },
    async begin(releaseId, at) {
      const [row] = await database<Row>('release_reviews')
        .insert({
          release_id: releaseId,
          round: database.raw('(select max(round) + 1 from release_reviews where release_id = ?)', [releaseId]),
          kind: 'resubmission',
          queued_at: at,
        } as never)
        .returning('*');
      return roundOf(row as Row);
    },
    async assign(releaseId, to, at) {
      await open(releaseId).update({ assigned_to: to, assigned_at: to === null ? null : at });
    },
    async saveChecklist(releaseId, checklist) {
      await open(releaseId).update({ checklist: JSON.stringify(checklist) });
    },
    async saveStatement(releaseId, statement) {
      await open(releaseId).update({ statement });
    },
    async decide(releaseId, { decision, reasons, decidedBy, automatic, decidedAt }) {
      await open(releaseId).update({
        decision,
        reasons: JSON.stringify(reasons),
        decided_by: decidedBy,
        decided_at: decidedAt,
        automatic,
      });
    },
    async figures(from, to) {
      const { rows } = await database.raw(
        `select count(*)::int as decided,
           count(*) filter (where automatic)::int as automatic,
           count(*) filter (where decision = 'approve')::int as approved,
           count(*) filter (where decision = 'request-changes')::int as "changesRequested",
           count(*) filter (where decision = 'reject')::int as rejected,
           count(*) filter (where kind = 'appeal')::int as appeals,
           count(*) filter (where kind = 'appeal' and decision = 'approve')::int as "appealsGranted",
           percentile_cont(0.5) within group (order by extract(epoch from decided_at - queued_at))
             filter (where not automatic) as "turnaroundSecondsP50",
           percentile_cont(0.95) within group (order by extract(epoch from decided_at - queued_at))
             filter (where not automatic) as "turnaroundSecondsP95"
         from release_reviews where decided_at >= ? and decided_at < ?`,
        [from, to],
      );
      const { rows: waiting } = await database.raw(
        `select count(*)::int as waiting, min(queued_at) as oldest from release_reviews where decision is null`,
      );
      return {
        ...rows[0],
        waiting: waiting[0].waiting,
        oldestWaitingSince: waiting[0].oldest?.toISOString() ?? null,
      };
    },
    isTrusted: async (organisationId) =>
      (await database('trusted_publishers').where('organisation_id', organisationId).first('organisation_id')) !==
      undefined,
    async listTrusted() {
      const rows = await database('trusted_publishers')
        .join('organisations', 'organisations.id', 'trusted_publishers.organisation_id')
        .select(
          'organisations.slug as publisher',
          'trusted_publishers.reason',
          'trusted_publishers.created_at as since',
        )
        .orderBy('organisations.slug')
        .limit(1_000);
      return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
    },
    async trust(organisationId, reason) {
      await database('trusted_publishers')
        .insert({ organisation_id: organisationId, reason })
        .onConflict('organisation_id')
        .merge(['reason']);
    },
    distrust: (organisationId) => database('trusted_publishers').where('organisation_id', organisationId).delete(),
  };
}

const roundOf = (row: Row): ReviewRound => ({
  round: row.round,
  kind: row.kind,
  statement: row.statement,
  queuedAt: row.queued_at.toISOString(),
  assignedTo: row.assigned_to,
  assignedAt: row.assigned_at?.toISOString() ?? null,
  checklist: row.checklist,
  decision: row.decision,
  reasons: row.reasons,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at?.toISOString() ?? null,
  automatic: row.automatic,
});
