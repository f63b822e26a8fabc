import { Type } from 'typebox';
import { CAPABILITY_NAMES, type Json, LimitsSchema } from '../../plugins-sdk/contract/index.ts';
import { VERSION_WISH_CHARS_MAX } from '../../registry/index.ts';
import type { ProblemCode } from '../http/problem-codes.ts';
import type { Installations } from '../installations/contract.ts';
import { Digest, Id, nullable, oneOf, strict, Timestamp } from './fields.ts';

/** What the routes of installations and of their rollouts share. */

export const AnyJson = Type.Unsafe<Json>({ description: 'Any JSON.' });
export const Grants = Type.Array(oneOf(CAPABILITY_NAMES), { uniqueItems: true, maxItems: 32 });
export const SomeLimits = Type.Partial(LimitsSchema, { ...strict, title: 'Limits' });

const Conduct = Type.Object(
  {
    score: Type.Number({ minimum: 0, description: 'Strikes, each worth half as much after every half-life.' }),
    strikes: Type.Integer({ minimum: 0, description: 'All there ever were.' }),
    solitarySince: nullable(Timestamp),
    suspendedAt: nullable(Timestamp),
    reason: nullable(Type.String()),
  },
  { title: 'Conduct' },
);
/** A version, a range of them, or `latest`: checked by the registry, which knows what a range is. */
export const VersionWish = Type.String({
  minLength: 1,
  maxLength: VERSION_WISH_CHARS_MAX,
  pattern: '^[0-9A-Za-z.+*^~<>=| -]+$',
  description: 'A version to stay on (1.2.3), or a range to follow (^1.2, latest).',
  examples: ['^1.2'],
});

/** Share of the calls, in percent. */
export const Percent = (minimum: number) => Type.Integer({ minimum, maximum: 99 });
export const PromoteAfterSeconds = nullable(
  Type.Integer({ minimum: 1, maximum: 30 * 86_400, description: 'null: only the operator promotes.' }),
);
/** A year at most. */
export const DelaySeconds = Type.Integer({
  minimum: 0,
  maximum: 31_536_000,
  description: 'A release is taken by the policy only when it has been out for so long.',
});
export const Updates = Type.Object(
  {
    follows: nullable(Type.String({ description: 'The range that it follows; null: it stays on its release.' })),
    canaryPercent: Percent(0),
    promoteAfterSeconds: PromoteAfterSeconds,
    delaySeconds: DelaySeconds,
    canary: nullable(
      Type.Object({
        rolloutId: Id,
        releaseId: Id,
        version: Type.String(),
        percent: Percent(1),
        startedAt: Timestamp,
        promoteAfterSeconds: PromoteAfterSeconds,
      }),
    ),
    waiting: nullable(
      Type.Object({
        rolloutId: Id,
        releaseId: Id,
        version: Type.String(),
        since: Timestamp,
        reason: Type.String(),
      }),
    ),
  },
  { title: 'Updates' },
);

export const Installation = Type.Object(
  {
    id: Id,
    slug: Type.String(),
    operator: Type.Object({ id: Id, slug: Type.String() }),
    plugin: Type.String(),
    version: Type.String(),
    releaseId: Id,
    bundleDigest: Digest,
    grants: Grants,
    config: AnyJson,
    grantedLimits: SomeLimits,
    enabled: Type.Boolean(),
    installing: Type.Boolean({
      description: 'It is not installed to the end: nobody reaches it. Install it again with its id, or uninstall it.',
    }),
    blocked: nullable(
      Type.Object(
        { at: Timestamp, reason: Type.String() },
        { description: 'Why its release runs nowhere any more: it was taken down, or signed with a stolen key.' },
      ),
    ),
    conduct: Conduct,
    updates: Updates,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Installation' },
);

export const ById = Type.Object({ id: Id });
/** What can be wrong with a release, and with what it is to be run with. */
export const CHECKS = [
  'release-unknown',
  'release-not-installable',
  'release-not-logged',
  'engine-incompatible',
  'capability-undeclared',
  'grant-missing',
  'config-invalid',
  'version-range-invalid',
  'version-range-unsatisfied',
] as const satisfies ProblemCode[];

/** Why an invocation does not run, through no fault of the plugin. */
export const UNRUN = [
  'installation-saturated',
  'cpu-budget-exhausted',
  'sandbox-saturated',
  'sandbox-interrupted',
  'sandbox-closed',
] as const satisfies ProblemCode[];

/** What a plugin that is run to configure, install or handle an event can do wrong, and what can be wrong with the sandbox. */
export const RUNS = [
  'plugin-threw',
  'plugin-start-failed',
  'plugin-answer-invalid',
  'plugin-never-answered',
  'handler-missing',
  'cpu-limit',
  'startup-cpu-limit',
  'wall-limit',
  'heap-limit',
  'output-too-large',
  'host-call-limit',
  'sandbox-killed',
  ...UNRUN,
] as const satisfies ProblemCode[];

export interface InstallationPorts {
  installations: Installations;
}
