import type { Release, ReviewRound } from '../../registry/index.ts';
import type { ReviewRoutePorts } from '../routes/reviews-of-releases.ts';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

const AT = '2026-01-02T03:04:05.678Z';
const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const NAMES = { added: ['fetch'], removed: [] };

const ROUND: ReviewRound = {
  round: 1,
  kind: 'first',
  statement: null,
  queuedAt: AT,
  assignedTo: ID,
  assignedAt: AT,
  checklist: { code: { verdict: 'fine', note: null } },
  decision: 'reject',
  reasons: [{ code: 'other', message: 'No.', evidence: [{ file: 'bundle.js', line: 1, text: 'eval()' }] }],
  decidedBy: ID,
  decidedAt: AT,
  automatic: false,
};

/** Reviews in memory, for the tests of the HTTP side. */
export function fakeReviews(port: FakePort, release: Release): ReviewRoutePorts {
  const queued = { releaseId: ID, plugin: 'acme/hello', version: '1.0.0', round: 1, kind: 'first' as const };
  const counts = { decided: 1, automatic: 0, approved: 0, changesRequested: 0, rejected: 1, appeals: 0 };
  const trusted = { publisher: 'acme', reason: 'known', since: AT };
  return {
    reviews: {
      queue: port('reviews.queue', {
        items: [{ ...queued, queuedAt: AT, assignedTo: null, mine: false }],
        nextCursor: null,
      }),
      find: port('reviews.find', {
        release,
        rounds: [ROUND],
        comparison: {
          previousVersion: '1.0.0',
          files: [{ name: 'bundle.js', change: 'changed' as const, bytes: 2, bytesBefore: 1 }],
          manifest: ['fetchHosts'],
          ...{ capabilities: NAMES, hosts: NAMES, secrets: NAMES, routes: NAMES, hooks: NAMES, findings: null },
        },
        notAutomatic: ['Its publisher is not trusted with patches.'],
      }),
      assign: port('reviews.assign', ROUND),
      check: port('reviews.check', ROUND),
      decide: port('reviews.decide', release),
      resubmit: port('reviews.resubmit', release),
      appeal: port('reviews.appeal', release),
      publishApproved: port('reviews.publishApproved', release),
      takeDown: port('reviews.takeDown', release),
      restore: port('reviews.restore', release),
      figures: port('reviews.figures', {
        ...counts,
        ...{ from: AT, to: AT, appealsGranted: 0, waiting: 1, oldestWaitingSince: AT },
        ...{ turnaroundSecondsP50: 60, turnaroundSecondsP95: null },
      }),
      listTrusted: port('reviews.listTrusted', [trusted]),
      trust: port('reviews.trust', trusted),
      distrust: port('reviews.distrust', undefined),
    },
  };
}
