import { Type } from 'typebox';
import { SEMVER_PATTERN } from '../../plugins-sdk/contract/index.ts';
import { type Route, route } from '../http/route.ts';
import { STAGING_DECISIONS, STAGING_STATES, type Stagings } from '../rollouts/stagings/contract.ts';
import { nullable, oneOf, page, Slug, strict, Timestamp } from './fields.ts';

const plan = {
  percents: Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), {
    minItems: 1,
    maxItems: 10,
    description: 'Shares of the installations that follow; rising, the last one is 100.',
  }),
  everySeconds: Type.Integer({ minimum: 60, maximum: 2_592_000, description: 'How long each share is watched.' }),
};
const Summary = Type.Object(
  {
    calls: Type.Integer(),
    errors: Type.Integer({ description: 'Faults of the plugin, and statuses from 500 on.' }),
    p95Ms: nullable(Type.Number({ description: '95 % of the calls that were answered well took at most so long.' })),
  },
  { title: 'StagingSummary' },
);
const Staging = Type.Object(
  {
    plugin: Type.String(),
    version: Type.String(),
    state: oneOf(STAGING_STATES),
    ...plan,
    percent: Type.Integer({ description: 'The present share.' }),
    stage: Type.Integer({ description: 'Its place among `percents`, from 0.' }),
    reason: Type.String(),
    beganAt: nullable(Timestamp),
    stageAt: nullable(Timestamp),
    endedAt: nullable(Timestamp),
    installations: Type.Object({
      following: Type.Integer({ description: 'Of the plugin, that follow its releases.' }),
      taken: Type.Integer({ description: 'That run this release, whether they follow or not.' }),
      operators: Type.Integer({ description: 'Whose those are.' }),
    }),
    staged: Summary,
    earlier: Summary,
  },
  { title: 'Staging' },
);
const Version = Type.String({ maxLength: 64, pattern: SEMVER_PATTERN, examples: ['1.2.3'] });
const ByPlugin = Type.Object({ publisher: Slug, name: Slug });
const ByVersion = Type.Object({ publisher: Slug, name: Slug, version: Version });
const named = ({ publisher, name }: { publisher: string; name: string }) => `${publisher}/${name}`;

export interface StagingPorts {
  stagings: Stagings;
}

/** How publishers bring a release to operators by and by. */
export const stagingRoutes = ({ stagings }: StagingPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/plugins/:publisher/:name/stagings',
    consumer: 'Publishers',
    summary: 'Releases that come to operators in stages, with what they answer there; newest first.',
    allow: ['release:manage'],
    params: ByPlugin,
    reply: { 200: page(Staging, 'Stagings') },
    refuses: ['plugin-unknown'],
    handle: ({ principal, params }) => stagings.list(principal, named(params)),
  }),
  route({
    method: 'PUT',
    path: '/v1/plugins/:publisher/:name/stagings/:version',
    consumer: 'Publishers',
    summary:
      'Let a release come to a share of the installations that follow, then to more. May be said before the release is there. Safe to repeat.',
    allow: ['release:manage'],
    params: ByVersion,
    body: Type.Object(plan, { ...strict, title: 'StagingPlan' }),
    reply: { 200: Staging },
    refuses: ['plugin-unknown', 'staging-invalid', 'staging-state-invalid'],
    handle: ({ principal, params, body }) =>
      stagings.plan(principal, { plugin: named(params), version: params.version }, body),
  }),
  route({
    method: 'POST',
    path: '/v1/plugins/:publisher/:name/stagings/:version/decision',
    consumer: 'Publishers',
    summary:
      'Stop a release on its way, let it go on, let everybody have it, or take it back from whoever took it by a policy. Safe to repeat.',
    allow: ['release:manage'],
    stepUp: true,
    params: ByVersion,
    body: Type.Object(
      {
        decision: oneOf(STAGING_DECISIONS),
        reason: Type.String({ minLength: 1, maxLength: 1_000, description: 'Operators read it.' }),
      },
      { ...strict, title: 'StagingDecision' },
    ),
    reply: { 200: Staging },
    refuses: ['plugin-unknown', 'staging-unknown', 'staging-state-invalid'],
    handle: ({ principal, params, body }) =>
      stagings.decide(principal, { plugin: named(params), version: params.version }, body),
  }),
];
