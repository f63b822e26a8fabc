import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { Organisation } from '../contract.ts';
import { appealRelease, publishApproved, resubmitRelease } from './answer-review.ts';
import type { ApprovePorts } from './approve-release.ts';
import type { Reviews } from './contract.ts';
import { assignReview, checkReview, decideReview, reviewQueue } from './decide-review.ts';
import { considerAutomatic, type DescribeStores, findReview } from './describe-review.ts';
import type { ReviewPorts, ReviewStores } from './review-ports.ts';
import { createReviewStore } from './review-store.ts';
import { restoreRelease, takeDown } from './take-down.ts';
import { distrustPublisher, trustPublisher } from './trust-publishers.ts';

/** What other features of the registry do for reviews, over one connection. */
export interface ReviewFeatures
  extends Pick<ReviewStores, 'lockRelease' | 'lockKeys' | 'keysAt' | 'saveState' | 'filesOf' | 'chooseLatest'>,
    Pick<DescribeStores, 'findRelease'> {
  findOrganisation(slug: string): Promise<Organisation | null>;
}

export interface OpenReviewPorts {
  featuresIn(knex: Knex): ReviewFeatures;
  /** For whoever acts. */
  database: Knex;
  /** For the registry itself. */
  system: Knex;
  signingKey: KeyObject;
  auditIn(transaction: Knex): ReviewStores['audit'];
  logIn(transaction: Knex): ReviewStores['logEvent'];
  /** What the scan of a release found; null where there was none. */
  findingsOf: DescribeStores['findingsOf'];
  nowMs: () => number;
}

const FIGURES_DAYS = 30;
const DAY_MS = 86_400_000;

/** What every use case of reviewing stands on. */
export function reviewPorts(ports: Omit<OpenReviewPorts, 'findingsOf'>): ApprovePorts {
  const { database, system, signingKey, featuresIn, auditIn, logIn, nowMs } = ports;
  const inside =
    (knex: Knex): ReviewPorts['transaction'] =>
    (work) =>
      knex.transaction((transaction) =>
        work({
          ...featuresIn(transaction),
          reviews: createReviewStore(transaction),
          audit: auditIn(transaction),
          logEvent: logIn(transaction),
        }),
      );
  return {
    transaction: inside(database),
    systemTransaction: inside(system),
    isMember: async (accountId, organisationId) =>
      (await system('memberships').where({ account_id: accountId, organisation_id: organisationId }).first('id')) !==
      undefined,
    signingKey,
    nowMs,
  };
}

export function createReviews(opened: OpenReviewPorts): Reviews {
  const { database, system, featuresIn, auditIn, nowMs } = opened;
  const ports = reviewPorts(opened);
  const reviews = createReviewStore(database);
  const trust = {
    findOrganisation: featuresIn(system).findOrganisation,
    transaction: <Result>(
      work: (stores: { reviews: typeof reviews; audit: ReviewStores['audit'] }) => Promise<Result>,
    ) =>
      database.transaction((transaction) =>
        work({ reviews: createReviewStore(transaction), audit: auditIn(transaction) }),
      ),
  };
  return {
    queue: reviewQueue({ reviews }),
    find: findReview(describeStores(database, opened)),
    assign: assignReview(ports),
    check: checkReview(ports),
    decide: decideReview(ports),
    resubmit: resubmitRelease(ports),
    appeal: appealRelease(ports),
    publishApproved: publishApproved(ports),
    takeDown: takeDown(ports),
    restore: restoreRelease(ports),
    figures: async (_, span) => {
      const to = span.to === undefined ? new Date(nowMs()) : new Date(span.to);
      const from = span.from === undefined ? new Date(to.getTime() - FIGURES_DAYS * DAY_MS) : new Date(span.from);
      return { from: from.toISOString(), to: to.toISOString(), ...(await reviews.figures(from, to)) };
    },
    listTrusted: () => reviews.listTrusted(),
    trust: trustPublisher(trust),
    distrust: distrustPublisher(trust),
    considerAutomatic: considerAutomatic({ ...ports, describe: describeStores(system, opened) }),
  };
}

const describeStores = (
  knex: Knex,
  { featuresIn, findingsOf }: Pick<OpenReviewPorts, 'featuresIn' | 'findingsOf'>,
): DescribeStores => ({
  ...featuresIn(knex),
  reviews: createReviewStore(knex),
  publishedOf: (pluginId) =>
    knex('releases')
      .where('plugin_id', pluginId)
      .whereIn('state', ['published', 'deprecated', 'yanked'])
      .select('id', 'version'),
  findingsOf,
});
