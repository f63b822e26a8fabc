import { Type } from 'typebox';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { SIGNING_WEAKNESSES } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { ROLLOUT_CAUSES, ROLLOUT_STATES } from '../rollouts/contract.ts';
import { Digest, Id, nullable, oneOf, page, pageFields, Slug, strict, Timestamp, Version } from './fields.ts';
import {
  ById,
  CHECKS,
  Installation,
  type InstallationPorts,
  RUNS,
  Updates,
  VersionWish,
} from './installation-fields.ts';

const ReleaseChange = Type.Object(
  {
    part: Type.String({ description: 'Field of the manifest.' }),
    change: oneOf(['added', 'removed', 'widened', 'changed']),
    name: Type.String(),
    from: nullable(Type.String()),
    to: nullable(Type.String()),
    needsConsent: Type.Boolean(),
  },
  { title: 'ReleaseChange' },
);
export const DiffFields = {
  fromVersion: Type.String(),
  toVersion: Type.String(),
  changes: Type.Array(ReleaseChange),
  needsConsent: Type.Boolean(),
  digest: Digest,
};
const Preview = Type.Object(
  {
    ...DiffFields,
    releaseId: Id,
    consented: Type.Boolean({ description: 'Nothing needs consent, or the release ran here before.' }),
    grantsMissing: Type.Array(Type.String()),
    obstacles: Type.Array(Type.String(), {
      description: 'What it requires and is not there, and who requires the present release; it is refused then.',
    }),
    weaknesses: Type.Array(Type.Object({ kind: oneOf(SIGNING_WEAKNESSES), message: Type.String() }), {
      description: 'In what it is signed more weakly than the present release; it is refused then.',
    }),
  },
  { title: 'UpdatePreview' },
);
const Rollout = Type.Object(
  {
    id: Id,
    fromVersion: Type.String(),
    toVersion: Type.String(),
    state: oneOf(ROLLOUT_STATES),
    cause: oneOf(ROLLOUT_CAUSES),
    percent: Type.Integer(),
    promoteAfterSeconds: nullable(Type.Integer()),
    startedAt: Timestamp,
    endedAt: nullable(Timestamp),
    reason: Type.String(),
    facts: Type.Unsafe<Json>({}),
  },
  { title: 'Rollout' },
);
const Outdated = Type.Object(
  {
    installation: Type.Object({ id: Id, slug: Type.String(), plugin: Type.String() }),
    version: Type.String(),
    releaseState: Type.String({ description: 'Other than `published`: the release was yanked.' }),
    deprecated: nullable(
      Type.Object(
        { reason: Type.String(), replacement: nullable(Type.String()) },
        { description: 'Why its publisher advises against the release that runs.' },
      ),
    ),
    updates: Updates,
    inRange: nullable(Type.String({ description: 'The newest release that the policy allows.' })),
    latest: nullable(Type.String()),
    held: nullable(
      Type.Object(
        { version: Type.String(), reason: Type.String() },
        { description: 'What the policy will take, and why it has not yet.' },
      ),
    ),
  },
  { title: 'Outdated' },
);
const Rollback = Type.Object(
  {
    version: Type.Optional(Version),
    config: Type.Optional(Type.Unsafe<Json>({ description: 'Any JSON.' })),
    restoreConfig: Type.Optional(
      Type.Boolean({ description: 'Take the configuration that the older release had when it was left.' }),
    ),
  },
  { ...strict, title: 'Rollback' },
);

const RequirementPlan = Type.Object(
  {
    plugin: Type.String(),
    version: Type.String(),
    steps: Type.Array(
      Type.Object({
        plugin: Type.String(),
        version: Type.String(),
        range: Type.String({ description: 'What is asked for.' }),
        requiredBy: Type.String(),
      }),
    ),
  },
  { title: 'RequirementPlan' },
);
const AcceptedSigning = Type.Object(
  {
    version: Version,
    reason: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: 'Why; it stays in the log and the audit trail.',
    }),
  },
  { ...strict, title: 'AcceptedSigning' },
);

/** How installations come by other releases. */
export const rolloutRoutes = ({ installations }: InstallationPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/updates',
    consumer: 'Operators',
    summary: 'Which releases the installations have, and which they could have.',
    allow: ['installation:read'],
    query: Type.Object(pageFields, strict),
    reply: { 200: page(Outdated, 'OutdatedInstallations') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query }) => installations.outdated(principal, query),
  }),
  route({
    method: 'GET',
    path: '/v1/requirements/:publisher/:name',
    consumer: 'Operators',
    summary: 'What has to be installed along with a release, in this order. Nothing is installed.',
    allow: ['installation:create'],
    params: Type.Object({ publisher: Slug, name: Slug }),
    query: Type.Object({ version: Type.Optional(VersionWish) }, strict),
    reply: { 200: RequirementPlan },
    refuses: ['release-unknown', 'version-range-invalid', 'version-range-unsatisfied', 'requirements-conflict'],
    handle: ({ principal, params: { publisher, name }, query }) =>
      installations.planRequirements(principal, { plugin: `${publisher}/${name}`, ...query }),
  }),
  route({
    method: 'GET',
    path: '/v1/installations/:id/update',
    consumer: 'Operators',
    summary: 'What an update would change, and whether it needs consent. Nothing is updated.',
    allow: ['installation:read'],
    params: ById,
    query: Type.Object({ version: Type.Optional(VersionWish) }, strict),
    reply: { 200: Preview },
    refuses: [
      'installation-unknown',
      'release-unknown',
      'release-not-installable',
      'engine-incompatible',
      'version-range-invalid',
      'version-range-unsatisfied',
    ],
    handle: ({ principal, params, query }) => installations.preview(principal, params.id, query.version),
  }),
  route({
    method: 'PUT',
    path: '/v1/installations/:id/accepted-signing',
    consumer: 'Operators',
    summary:
      'Let one release come although it is signed more weakly than the present one. Nothing is updated by that. Safe to repeat.',
    allow: ['installation:override'],
    stepUp: true,
    params: ById,
    body: AcceptedSigning,
    reply: { 200: Installation },
    refuses: [
      'installation-unknown',
      'installation-busy',
      'release-unknown',
      'version-range-invalid',
      'version-range-unsatisfied',
    ],
    handle: ({ principal, params, body }) => installations.acceptSigning(principal, params.id, body),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/promotion',
    consumer: 'Operators',
    summary: 'Let the canary take over.',
    allow: ['installation:update'],
    params: ById,
    reply: { 200: Installation },
    refuses: [
      'installation-unknown',
      'installation-busy',
      'rollout-unknown',
      'release-not-installable',
      'engine-incompatible',
      'grant-missing',
      ...RUNS,
    ],
    handle: ({ principal, params }) => installations.promote(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/rollback',
    consumer: 'Operators',
    summary: 'Drop the canary, or go back to the release before or a named one.',
    allow: ['installation:update'],
    params: ById,
    body: Rollback,
    reply: { 200: Installation },
    refuses: [
      'installation-unknown',
      'installation-busy',
      'rollout-unknown',
      'rollback-target-unknown',
      'signing-weaker',
      'consent-needed',
      'version-range-invalid',
      ...CHECKS,
      ...RUNS,
    ],
    handle: ({ principal, params, body }) => installations.rollBack(principal, params.id, body),
  }),
  route({
    method: 'GET',
    path: '/v1/installations/:id/rollouts',
    consumer: 'Operators',
    summary: 'The history of its releases with reasons, newest first.',
    allow: ['installation:read'],
    params: ById,
    query: Type.Object(pageFields, strict),
    reply: { 200: page(Rollout, 'Rollouts') },
    refuses: ['installation-unknown', 'cursor-invalid'],
    handle: ({ principal, params, query }) => installations.rollouts(principal, params.id, query),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/restoration',
    consumer: 'Operators',
    summary: 'Take a removal back within its grace. Safe to repeat.',
    allow: ['installation:create'],
    params: ById,
    reply: { 200: Installation },
    refuses: ['installation-unknown', 'installation-slug-taken'],
    handle: ({ principal, params }) => installations.restore(principal, params.id),
  }),
];
