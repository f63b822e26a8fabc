import { Type } from 'typebox';
import { CAPABILITY_NAMES, CEILING_LIMITS, type Json, LimitsSchema } from '../../plugins-sdk/contract/index.ts';
import type { ProblemCode } from '../http/problems.ts';
import { answer, type Route, route } from '../http/route.ts';
import type { Installations } from '../installations/contract.ts';
import {
  Digest,
  Id,
  nullable,
  oneOf,
  PluginName,
  page,
  pageFields,
  Slug,
  strict,
  Timestamp,
  Version,
} from './fields.ts';

const AnyJson = Type.Unsafe<Json>({ description: 'Any JSON.' });
const Grants = Type.Array(oneOf(CAPABILITY_NAMES), { uniqueItems: true, maxItems: 32 });
const SomeLimits = Type.Partial(LimitsSchema, { ...strict, title: 'Limits' });

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
const Installation = Type.Object(
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
    conduct: Conduct,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Installation' },
);

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const LogEntry = Type.Object(
  {
    id: Type.String(),
    at: Timestamp,
    invocationId: Type.String({ description: 'Empty where no invocation caused the line.' }),
    source: oneOf(['console', 'log', 'host']),
    level: oneOf(LEVELS),
    message: Type.String(),
    facts: AnyJson,
  },
  { title: 'LogEntry' },
);

const Health = Type.Object(
  { status: oneOf(['ok', 'degraded', 'down']), message: Type.Optional(Type.String()) },
  { title: 'HealthReport' },
);
const Delivery = Type.Object({ invocationId: Type.String(), result: AnyJson }, { title: 'Delivery' });

const Install = Type.Object(
  {
    id: Id,
    plugin: PluginName,
    version: Type.Optional(Version),
    slug: Slug,
    grants: Grants,
    config: Type.Optional(AnyJson),
    limits: Type.Optional(SomeLimits),
  },
  { ...strict, title: 'NewInstallation' },
);
const Change = Type.Object(
  {
    version: Type.Optional(Version),
    grants: Type.Optional(Grants),
    config: Type.Optional(AnyJson),
    enabled: Type.Optional(Type.Boolean()),
    limits: Type.Optional(SomeLimits),
  },
  { ...strict, minProperties: 1, title: 'InstallationChange' },
);

const ById = Type.Object({ id: Id });
const CHECKS = [
  'release-unknown',
  'release-not-installable',
  'engine-incompatible',
  'capability-undeclared',
  'grant-missing',
  'config-invalid',
] as const satisfies ProblemCode[];

/** Why an invocation does not run, through no fault of the plugin. */
const UNRUN = [
  'installation-saturated',
  'cpu-budget-exhausted',
  'sandbox-saturated',
  'sandbox-interrupted',
  'sandbox-closed',
] as const satisfies ProblemCode[];

/** What a plugin that is run to configure, install or handle an event can do wrong, and what can be wrong with the sandbox. */
const RUNS = [
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

/** What operators do with plugins. */
export const installationRoutes = (ports: InstallationPorts): Route[] => [
  ...lifeRoutes(ports),
  ...insightRoutes(ports),
];

const lifeRoutes = ({ installations }: InstallationPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/installations',
    consumer: 'Operators',
    summary: 'Install a plugin with explicit grants. Safe to repeat with the same id.',
    allow: ['installation:create'],
    body: Install,
    reply: { 201: Installation },
    refuses: [...CHECKS, 'installation-slug-taken', 'installation-id-taken', ...RUNS],
    handle: async ({ principal, body }) => {
      const installed = await installations.install(principal, body);
      return answer(installed, { headers: { Location: `/v1/installations/${installed.id}` } });
    },
  }),
  route({
    method: 'GET',
    path: '/v1/installations',
    consumer: 'Operators',
    summary: "List the operator's installations.",
    allow: ['installation:read'],
    query: Type.Object(pageFields, strict),
    reply: { 200: page(Installation, 'Installations') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query }) => installations.list(principal, query),
  }),
  route({
    method: 'GET',
    path: '/v1/installations/:id',
    consumer: 'Operators',
    summary: 'Read an installation.',
    allow: ['installation:read'],
    params: ById,
    reply: { 200: Installation },
    refuses: ['installation-unknown'],
    handle: ({ principal, params }) => installations.find(principal, params.id),
  }),
  route({
    method: 'PATCH',
    path: '/v1/installations/:id',
    consumer: 'Operators',
    summary: 'Change the version, grants, configuration or limits of an installation, or disable it.',
    allow: ['installation:update'],
    params: ById,
    body: Change,
    reply: { 200: Installation },
    refuses: ['installation-unknown', ...CHECKS, ...RUNS],
    handle: ({ principal, params, body }) => installations.update(principal, params.id, body),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/resume',
    consumer: 'Operators',
    summary:
      'End a suspension. The score starts from zero, and the installation runs alone for a while. Safe to repeat.',
    allow: ['installation:update'],
    params: ById,
    reply: { 200: Installation },
    refuses: ['installation-unknown'],
    handle: ({ principal, params }) => installations.resume(principal, params.id),
  }),
  route({
    method: 'DELETE',
    path: '/v1/installations/:id',
    consumer: 'Operators',
    summary: 'Remove an installation and everything it stored.',
    allow: ['installation:delete'],
    params: ById,
    reply: { 204: null },
    refuses: ['installation-unknown'],
    handle: async ({ principal, params }) => {
      await installations.uninstall(principal, params.id);
      return undefined;
    },
  }),
];

const insightRoutes = ({ installations }: InstallationPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/logs',
    consumer: 'Operators',
    summary: 'What the plugin logged and how its invocations ended, newest first.',
    allow: ['log:read'],
    params: ById,
    query: Type.Object({ ...pageFields, level: Type.Optional(oneOf(LEVELS)), invocationId: Type.Optional(Id) }, strict),
    reply: { 200: page(LogEntry, 'LogEntries') },
    refuses: ['installation-unknown', 'cursor-invalid'],
    handle: ({ principal, params, query }) => installations.logs(principal, params.id, query),
  }),
  route({
    method: 'GET',
    path: '/v1/installations/:id/health',
    consumer: 'Operators',
    summary: "Run the plugin's health check.",
    allow: ['installation:read'],
    params: ById,
    reply: { 200: Health },
    refuses: ['installation-unknown', 'installation-disabled', 'installation-suspended', ...UNRUN],
    handle: ({ principal, params }) => installations.health(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/hooks/:hook',
    consumer: 'Callers',
    summary: 'Deliver an event. The same eventId may be delivered again; the plugin sees the same id.',
    allow: ['hook:deliver'],
    params: Type.Object({ id: Id, hook: Type.String({ pattern: '^[a-z][a-z.-]{0,63}$', examples: ['order.paid'] }) }),
    body: Type.Object(
      { eventId: Type.String({ minLength: 1, maxLength: 128, pattern: '^[\\x21-\\x7e]+$' }), payload: AnyJson },
      { ...strict, title: 'Event' },
    ),
    bodyBytesMax: CEILING_LIMITS.inputBytes,
    reply: { 200: Delivery },
    refuses: [
      'installation-unknown',
      'installation-disabled',
      'installation-suspended',
      'hook-undeclared',
      'hook-payload-invalid',
      ...RUNS,
    ],
    handle: ({ principal, params: { id, hook }, body }) => installations.deliverHook(principal, id, { hook, ...body }),
  }),
];
