import { Type } from 'typebox';
import { CHECK_VERDICTS, CHECKLIST, DECISIONS, REASON_CODES, type Reviews, ROUND_KINDS } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Id, nullable, oneOf, page, pageFields, Slug, strict, Timestamp } from './fields.ts';
import { Release } from './release-fields.ts';

const Words = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const FileName = Type.String({ minLength: 1, maxLength: 256 });
const Reason = Type.Object(
  {
    code: oneOf(REASON_CODES),
    message: Words(1_000),
    evidence: Type.Optional(
      Type.Array(
        Type.Object({ file: FileName, line: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })) }, strict),
        { maxItems: 20, description: 'Places in the archive; what stands there is added.' },
      ),
    ),
  },
  { ...strict, title: 'ReviewReasonWish' },
);

const Check = Type.Object({ verdict: oneOf(CHECK_VERDICTS), note: nullable(Type.String()) });
const items = <Value>(value: Value) => Object.fromEntries(CHECKLIST.map((item) => [item, value]));

const Round = Type.Object(
  {
    round: Type.Integer(),
    kind: oneOf(ROUND_KINDS),
    statement: nullable(Type.String({ description: 'What its publisher said to it.' })),
    queuedAt: Timestamp,
    assignedTo: nullable(Type.String()),
    assignedAt: nullable(Timestamp),
    checklist: Type.Object(items(Type.Optional(Check))),
    decision: nullable(oneOf(DECISIONS)),
    reasons: Type.Array(
      Type.Object({
        code: oneOf(REASON_CODES),
        message: Type.String(),
        evidence: Type.Array(
          Type.Object({ file: Type.String(), line: nullable(Type.Integer()), text: nullable(Type.String()) }),
        ),
      }),
    ),
    decidedBy: nullable(Type.String()),
    decidedAt: nullable(Timestamp),
    automatic: Type.Boolean({ description: 'By a rule, because its publisher is trusted with patches.' }),
  },
  { title: 'ReviewRound' },
);

const Names = Type.Object({ added: Type.Array(Type.String()), removed: Type.Array(Type.String()) });
const Finding = Type.Object({
  id: Type.String(),
  severity: Type.String(),
  message: Type.String(),
  file: nullable(Type.String()),
  line: nullable(Type.Integer()),
});
const Comparison = Type.Object(
  {
    previousVersion: nullable(Type.String()),
    files: Type.Array(
      Type.Object({
        name: Type.String(),
        change: oneOf(['added', 'removed', 'changed']),
        bytes: Type.Integer(),
        bytesBefore: Type.Integer(),
      }),
    ),
    manifest: Type.Array(Type.String(), { description: 'Parts of the manifest that are not the same.' }),
    capabilities: Names,
    hosts: Names,
    secrets: Names,
    routes: Names,
    hooks: Names,
    findings: nullable(Type.Object({ added: Type.Array(Finding), fixed: Type.Array(Finding), same: Type.Integer() })),
  },
  { title: 'ReleaseComparison' },
);
const Review = Type.Object(
  {
    release: Release,
    rounds: Type.Array(Round),
    comparison: nullable(Comparison),
    notAutomatic: Type.Array(Type.String(), { description: 'Why it needs people.' }),
  },
  { title: 'Review' },
);
const Queued = Type.Object(
  {
    releaseId: Id,
    plugin: Type.String(),
    version: Type.String(),
    round: Type.Integer(),
    kind: oneOf(ROUND_KINDS),
    queuedAt: Timestamp,
    assignedTo: nullable(Type.String()),
    mine: Type.Boolean(),
  },
  { title: 'QueuedReview' },
);
const seconds = nullable(Type.Number({ description: 'Seconds from the queue to the decision of a moderator.' }));
const Figures = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    ...Object.fromEntries(
      ['decided', 'automatic', 'approved', 'changesRequested', 'rejected', 'appeals', 'appealsGranted'].map((name) => [
        name,
        Type.Integer(),
      ]),
    ),
    turnaroundSecondsP50: seconds,
    turnaroundSecondsP95: seconds,
    waiting: Type.Integer(),
    oldestWaitingSince: nullable(Timestamp),
  },
  { title: 'ReviewFigures' },
);
const Trusted = Type.Object(
  { publisher: Type.String(), reason: Type.String(), since: Timestamp },
  { title: 'TrustedPublisher' },
);

export interface ReviewRoutePorts {
  reviews: Omit<Reviews, 'considerAutomatic'>;
}

const params = Type.Object({ id: Id });
const Statement = Type.Object({ statement: Words(4_000) }, { ...strict, title: 'ReviewStatement' });
const OPEN = ['release-unknown', 'release-state-invalid', 'review-assigned', 'review-conflict'] as const;
const OWN = ['release-unknown', 'release-state-invalid', 'token-restricted'] as const;

/** How releases are judged, answered for and taken down. */
export const reviewOfReleaseRoutes = (ports: ReviewRoutePorts): Route[] => [
  ...judgingRoutes(ports),
  ...answeringRoutes(ports),
  ...safetyRoutes(ports),
];

const judgingRoutes = ({ reviews }: ReviewRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/reviews',
    consumer: 'Platform',
    summary: 'Releases that wait for a decision, the longest waiting first.',
    allow: ['release:review'],
    query: Type.Object({ ...pageFields, assigned: Type.Optional(oneOf(['me', 'nobody'])) }, strict),
    reply: { 200: page(Queued, 'QueuedReviews') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query }) => reviews.queue(principal, query),
  }),
  route({
    method: 'GET',
    path: '/v1/reviews/figures',
    consumer: 'Platform',
    summary: 'How much was decided how, and how long publishers waited; by default within the last 30 days.',
    allow: ['release:review'],
    query: Type.Object({ from: Type.Optional(Timestamp), to: Type.Optional(Timestamp) }, strict),
    reply: { 200: Figures },
    refuses: [],
    handle: ({ principal, query }) => reviews.figures(principal, query),
  }),
  route({
    method: 'GET',
    path: '/v1/releases/:id/review',
    consumer: 'Publishers',
    summary: 'The rounds of a review with their reasons; for moderators also what changed since the release before.',
    allow: ['release:read'],
    params,
    reply: { 200: Review },
    refuses: ['release-unknown'],
    handle: ({ principal, params: { id } }) => reviews.find(principal, id),
  }),
  route({
    method: 'PUT',
    path: '/v1/releases/:id/review/assignment',
    consumer: 'Platform',
    summary: 'Take a review, or give it back. Safe to repeat.',
    allow: ['release:review'],
    params,
    body: Type.Object({ to: oneOf(['me', 'nobody']) }, { ...strict, title: 'ReviewAssignment' }),
    reply: { 200: Round },
    refuses: [...OPEN],
    handle: ({ principal, params: { id }, body }) => reviews.assign(principal, id, body.to),
  }),
  route({
    method: 'PATCH',
    path: '/v1/releases/:id/review/checklist',
    consumer: 'Platform',
    summary: 'Say what was looked at and how it was; what is not named stays.',
    allow: ['release:review'],
    params,
    body: Type.Object(
      items(Type.Optional(Type.Object({ verdict: oneOf(CHECK_VERDICTS), note: Type.Optional(Words(1_000)) }, strict))),
      { ...strict, minProperties: 1, title: 'ReviewChecks' },
    ),
    reply: { 200: Round },
    refuses: [...OPEN],
    handle: ({ principal, params: { id }, body }) => reviews.check(principal, id, body),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/review/decision',
    consumer: 'Platform',
    summary: 'Approve a release, ask for changes, or reject it, with reasons that programs can read and evidence.',
    allow: ['release:review'],
    stepUp: true,
    params,
    body: Type.Object(
      {
        decision: oneOf(DECISIONS),
        reasons: Type.Array(Reason, { maxItems: 20, description: 'At least one, unless it is approved.' }),
        hold: Type.Optional(
          Type.Boolean({ description: 'With an approval: let its publisher choose when it is published.' }),
        ),
      },
      {
        ...strict,
        // No union of two bodies: the faults of both would be told for the one that was meant.
        if: {
          type: 'object',
          properties: { decision: { enum: ['request-changes', 'reject'] } },
          required: ['decision'],
        },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { type: 'object', properties: { reasons: { type: 'array', minItems: 1 }, hold: false } },
        title: 'ReviewDecision',
      },
    ),
    reply: { 200: Release },
    refuses: [
      ...OPEN,
      'release-signature-invalid',
      'review-checklist-open',
      'review-evidence-invalid',
      'scan-running',
      'scan-unacknowledged',
    ],
    handle: ({ principal, params: { id }, body }) => reviews.decide(principal, id, body),
  }),
];

const answeringRoutes = ({ reviews }: ReviewRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/releases/:id/review/resubmission',
    consumer: 'Publishers',
    summary: 'Answer to what moderators asked to be changed, and have the release looked at again.',
    allow: ['release:manage'],
    params,
    body: Statement,
    reply: { 200: Release },
    refuses: [...OWN],
    handle: ({ principal, params: { id }, body }) => reviews.resubmit(principal, id, body.statement),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/review/appeal',
    consumer: 'Publishers',
    summary: 'Have a rejection looked at by another moderator; once for each release.',
    allow: ['release:manage'],
    params,
    body: Statement,
    reply: { 200: Release },
    refuses: [...OWN, 'appeal-spent'],
    handle: ({ principal, params: { id }, body }) => reviews.appeal(principal, id, body.statement),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/publication',
    consumer: 'Publishers',
    summary: 'Publish what was approved and held. Safe to repeat.',
    allow: ['release:manage'],
    stepUp: true,
    params,
    reply: { 200: Release },
    refuses: [...OWN, 'release-signature-invalid'],
    handle: ({ principal, params: { id } }) => reviews.publishApproved(principal, id),
  }),
];

const safetyRoutes = ({ reviews }: ReviewRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/releases/:id/takedown',
    consumer: 'Platform',
    summary: 'Stop a release on every host within seconds, for an emergency. Safe to repeat.',
    allow: ['release:suspend'],
    stepUp: true,
    params,
    body: Reason,
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'review-evidence-invalid'],
    handle: ({ principal, params: { id }, body }) => reviews.takeDown(principal, id, body),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/restoration',
    consumer: 'Platform',
    summary: 'Take a takedown back: the release becomes again what it was.',
    allow: ['release:suspend'],
    stepUp: true,
    params,
    body: Type.Object({ reason: Words(1_000) }, { ...strict, title: 'ReleaseRestoration' }),
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'release-signature-invalid', 'review-conflict'],
    handle: ({ principal, params: { id }, body }) => reviews.restore(principal, id, body.reason),
  }),
  route({
    method: 'GET',
    path: '/v1/trusted-publishers',
    consumer: 'Platform',
    summary: 'Publishers whose clean patches need no moderator.',
    allow: ['release:review', 'publisher:trust'],
    reply: {
      200: Type.Object({ items: Type.Array(Trusted), nextCursor: Type.Null() }, { title: 'TrustedPublishers' }),
    },
    refuses: [],
    handle: async ({ principal }) => ({ items: await reviews.listTrusted(principal), nextCursor: null }),
  }),
  route({
    method: 'PUT',
    path: '/v1/trusted-publishers/:publisher',
    consumer: 'Platform',
    summary: 'Trust a publisher with patches. Safe to repeat.',
    allow: ['publisher:trust'],
    stepUp: true,
    params: Type.Object({ publisher: Slug }),
    body: Type.Object({ reason: Words(1_000) }, { ...strict, title: 'PublisherTrust' }),
    reply: { 200: Trusted },
    refuses: ['organisation-unknown'],
    handle: ({ principal, params: { publisher }, body }) => reviews.trust(principal, publisher, body.reason),
  }),
  route({
    method: 'DELETE',
    path: '/v1/trusted-publishers/:publisher',
    consumer: 'Platform',
    summary: 'Have every release of a publisher looked at again. Safe to repeat.',
    allow: ['publisher:trust'],
    params: Type.Object({ publisher: Slug }),
    reply: { 204: null },
    refuses: ['organisation-unknown'],
    handle: async ({ principal, params: { publisher } }) => {
      await reviews.distrust(principal, publisher);
      return undefined;
    },
  }),
];
