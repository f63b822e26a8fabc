import { Type } from 'typebox';
import { CEILING_LIMITS } from '../../plugins-sdk/contract/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Digest, Id, oneOf, PluginName, page, pageFields, Slug, strict, Timestamp } from './fields.ts';
import {
  AnyJson,
  ById,
  CHECKS,
  DelaySeconds,
  Grants,
  Installation,
  type InstallationPorts,
  Percent,
  PromoteAfterSeconds,
  RUNS,
  SomeLimits,
  UNRUN,
  VersionWish,
} from './installation-fields.ts';

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

const Policy = Type.Object(
  {
    canaryPercent: Type.Optional(Percent(0)),
    promoteAfterSeconds: Type.Optional(PromoteAfterSeconds),
    delaySeconds: Type.Optional(DelaySeconds),
  },
  { ...strict, title: 'UpdatePolicy', description: 'How releases of the range that it follows arrive.' },
);
const IgnoreRequirements = Type.Optional(
  Type.Boolean({ description: 'true: although what it requires is not there, or others require what it replaces.' }),
);
const Install = Type.Object(
  {
    id: Id,
    plugin: PluginName,
    version: Type.Optional(VersionWish),
    slug: Slug,
    grants: Grants,
    config: Type.Optional(AnyJson),
    limits: Type.Optional(SomeLimits),
    updates: Type.Optional(Policy),
    ignoreRequirements: IgnoreRequirements,
  },
  { ...strict, title: 'NewInstallation' },
);
const Change = Type.Object(
  {
    version: Type.Optional(VersionWish),
    grants: Type.Optional(Grants),
    config: Type.Optional(AnyJson),
    enabled: Type.Optional(Type.Boolean()),
    limits: Type.Optional(SomeLimits),
    updates: Type.Optional(Policy),
    ignoreRequirements: IgnoreRequirements,
    consent: Type.Optional(Digest),
    canary: Type.Optional(
      Type.Object(
        { percent: Percent(1), promoteAfterSeconds: Type.Optional(PromoteAfterSeconds) },
        { ...strict, description: 'Gives the release a share of the calls first, or changes the share of the canary.' },
      ),
    ),
  },
  { ...strict, minProperties: 1, title: 'InstallationChange' },
);

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
    refuses: [
      ...CHECKS,
      'requirements-unmet',
      'installation-slug-taken',
      'installation-id-taken',
      'installation-busy',
      ...RUNS,
    ],
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
    handle: async ({ principal, query }) => {
      const { items, nextCursor } = await installations.list(principal, query);
      const only = principal.restrictions?.installationIds;
      return { items: only ? items.filter(({ id }) => only.includes(id)) : items, nextCursor };
    },
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
    summary: 'Update an installation, change its policy, grants, configuration or limits, or disable it.',
    allow: ['installation:update'],
    params: ById,
    body: Change,
    reply: { 200: Installation },
    refuses: [
      'installation-unknown',
      'installation-busy',
      'installation-disabled',
      'signing-weaker',
      'requirements-unmet',
      'required-by-others',
      'consent-needed',
      'rollout-running',
      'rollout-unknown',
      ...CHECKS,
      ...RUNS,
    ],
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
    summary: 'Remove an installation. What it stored is deleted after a grace, or now. Safe to repeat.',
    allow: ['installation:delete'],
    params: ById,
    query: Type.Object(
      {
        stored: Type.Optional(oneOf(['keep', 'delete'], 'keep: until the grace is over.')),
        requirements: Type.Optional(oneOf(['check', 'ignore'], 'ignore: although others require it.')),
      },
      strict,
    ),
    reply: { 204: null },
    refuses: ['installation-unknown', 'installation-busy', 'required-by-others'],
    handle: async ({ principal, params, query }) => {
      const { stored, requirements } = query;
      await installations.uninstall(principal, params.id, {
        deleteNow: stored === 'delete',
        ignoreRequirements: requirements === 'ignore',
      });
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
    refuses: ['installation-unknown', 'installation-busy', 'installation-disabled', 'installation-suspended', ...UNRUN],
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
      'installation-busy',
      'installation-disabled',
      'installation-suspended',
      'hook-undeclared',
      'hook-payload-invalid',
      ...RUNS,
    ],
    handle: ({ principal, params: { id, hook }, body }) => installations.deliverHook(principal, id, { hook, ...body }),
  }),
];
