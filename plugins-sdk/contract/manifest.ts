import { type Static, Type } from 'typebox';
import {
  CAPABILITY_NAMES,
  EVENT_TOPICS_MAX,
  QUEUE_PATTERN,
  SECRET_NAME_PATTERN,
  SECRETS_MAX,
  Topic,
} from './capabilities/index.ts';
import { EVENT_HOOKS, type EventHookName, HOOKS, type HookName } from './hooks.ts';
import { LimitsSchema } from './limits.ts';
import { CATEGORIES, ListingSchema } from './listing.ts';
import { PERSONAL_PATTERN } from './recording.ts';

const literals = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>(Type.Union(names.map((name) => Type.Literal(name))));
const strict = { additionalProperties: false };

/** Lower-case letters, digits and single dashes; starts with a letter. Names of plugins, publishers, installations. */
export const SLUG_PATTERN = '^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,38}[a-z0-9]$';
export const SLUG_RULE = 'must be 3 to 40 lower-case letters, digits and single dashes, and start with a letter';
/** `<publisher>/<name>`. */
const PLUGIN_PATTERN = `${SLUG_PATTERN.slice(0, -1)}/${SLUG_PATTERN.slice(1)}`;
const Slug = (purpose: string) => Type.String({ pattern: SLUG_PATTERN, description: purpose });

/** SemVer 2.0.0 without build metadata: two builds of one version would be two releases. */
export const SEMVER_PATTERN =
  '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$';

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const ACCESS = ['public', 'caller', 'operator'] as const;
export type Access = (typeof ACCESS)[number];

const Route = Type.Object(
  {
    method: literals(METHODS),
    path: Type.String({
      pattern: '^/(?:[A-Za-z0-9._~-]+|:[A-Za-z][A-Za-z0-9]*)?(?:/(?:[A-Za-z0-9._~-]+|:[A-Za-z][A-Za-z0-9]*))*$',
      maxLength: 200,
      description: 'Segments are literal or `:name`; `/orders/:id` is an example.',
    }),
    access: literals(ACCESS),
    /** `stream`: the handler starts before the body of the request is there and reads it piece by piece; `whole` where absent. */
    body: Type.Optional(literals(['whole', 'stream'])),
  },
  strict,
);

/** One name, all names below one, or a field of the configuration. Ports below 1024 are other services than the web. */
export const FETCH_HOST_PATTERN =
  '^(?:config:[A-Za-z][A-Za-z0-9_]{0,63}|(?:\\*\\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}(?::[1-9][0-9]{3,4})?)$';

const Secret = Type.Object(
  {
    name: Type.String({ pattern: SECRET_NAME_PATTERN }),
    reason: Type.String({ minLength: 10, maxLength: 300, description: 'Shown to the operator who enters it.' }),
    optional: Type.Optional(Type.Boolean({ description: 'true: the plugin also works where it is not entered.' })),
    send: Type.Optional(
      Type.Object(
        {
          hosts: Type.Array(Type.String(), { minItems: 1, maxItems: 20, description: 'Each one of `fetchHosts`.' }),
          header: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' }),
          format: Type.Optional(
            Type.String({
              pattern: '^[ -z|~]*\\{\\}[ -z|~]*$',
              maxLength: 200,
              description:
                'Value of the header; `{}` stands for the secret. `Bearer {}` is an example, `{}` the default.',
            }),
          ),
        },
        { ...strict, description: 'The host adds it to requests to these hosts. The plugin never sees it.' },
      ),
    ),
  },
  strict,
);

const Pricing = Type.Union([
  Type.Object({ model: Type.Literal('free') }, strict),
  Type.Object(
    {
      model: literals(['one-time', 'subscription', 'metered', 'per-player']),
      amountMinor: Type.String({ pattern: '^[1-9][0-9]{0,15}$', description: 'Integer of minor units, as a string.' }),
      currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    },
    strict,
  ),
]);

/** The file `gatehouse.json` of a plugin: everything that is known about it without running it. */
export const ManifestSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: Slug('Name of the plugin, unique for its publisher.'),
    version: Type.String({
      pattern: SEMVER_PATTERN,
      maxLength: 64,
      description: 'SemVer 2.0.0, without build metadata.',
    }),
    kind: literals(['plugin', 'game']),
    publisher: Slug('Slug of the publisher that signs the releases.'),
    title: Type.String({ minLength: 1, maxLength: 80 }),
    description: Type.String({ minLength: 1, maxLength: 500 }),
    category: literals(CATEGORIES),
    entry: Type.String({
      pattern: '^(?!/)(?!.*\\.\\.)[A-Za-z0-9._/-]+\\.(?:ts|mts|js|mjs)$',
      description: 'Source file that default-exports definePlugin(...), relative to the manifest.',
    }),
    engine: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'SemVer range of Gatehouse versions, such as ^0.1.0.',
    }),
    capabilities: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: literals(CAPABILITY_NAMES),
            optional: Type.Optional(
              Type.Boolean({ description: 'true: the plugin also works where the operator does not grant it.' }),
            ),
            reason: Type.String({ minLength: 10, maxLength: 300, description: 'Shown to the operator who grants it.' }),
          },
          strict,
        ),
        { maxItems: 32 },
      ),
    ),
    fetchHosts: Type.Optional(
      Type.Array(Type.String({ maxLength: 260, pattern: FETCH_HOST_PATTERN }), {
        maxItems: 20,
        uniqueItems: true,
        description:
          'Hosts that `fetch` may reach: `api.example.com`, `api.example.com:8443`, `*.example.com` for all below, or `config:endpoint` for the host that the operator enters in that field.',
      }),
    ),
    secrets: Type.Optional(Type.Array(Secret, { maxItems: SECRETS_MAX })),
    routes: Type.Optional(Type.Array(Route, { maxItems: 100 })),
    hooks: Type.Optional(Type.Array(literals(Object.keys(HOOKS) as HookName[]), { maxItems: 32, uniqueItems: true })),
    schedule: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Slug('Name of the job.'),
            cron: Type.String({ maxLength: 64, pattern: '^\\S+( \\S+){4}$', description: 'Five fields, UTC.' }),
          },
          strict,
        ),
        { maxItems: 10 },
      ),
    ),
    queues: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: QUEUE_PATTERN, description: 'The hook `queue.<name>` handles its messages.' }),
            attempts: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 20,
                description: 'Attempts of a message, the first included. Default 5.',
              }),
            ),
            backOffSeconds: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 3_600,
                description: 'Pause after the first attempt that failed, twice as long after each further. Default 10.',
              }),
            ),
          },
          strict,
        ),
        { maxItems: 10 },
      ),
    ),
    events: Type.Optional(
      Type.Object(
        {
          publishes: Type.Optional(Type.Array(Topic, { maxItems: EVENT_TOPICS_MAX, uniqueItems: true })),
          subscribes: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  topic: Topic,
                  from: Type.Optional(
                    Type.String({
                      pattern: PLUGIN_PATTERN,
                      description: '`<publisher>/<name>`: only events of this plugin. Without it, of all.',
                    }),
                  ),
                },
                strict,
              ),
              { maxItems: EVENT_TOPICS_MAX },
            ),
          ),
        },
        { ...strict, description: 'Topics that it publishes, and that its hooks `events.<topic>` hear.' },
      ),
    ),
    dependencies: Type.Optional(
      Type.Array(
        Type.Object(
          {
            plugin: Type.String({ pattern: PLUGIN_PATTERN, description: '`<publisher>/<name>`.' }),
            range: Type.String({ minLength: 1, maxLength: 64, description: 'SemVer range of its versions.' }),
            optional: Type.Optional(
              Type.Boolean({
                description: 'true: the plugin also works without it. Otherwise it is not installed where that is not.',
              }),
            ),
            routes: Type.Optional(
              Type.Array(Type.String({ maxLength: 210, pattern: '^[A-Z]{3,7} /\\S*$' }), {
                maxItems: 50,
                uniqueItems: true,
                description: 'Routes that it calls, as in the other manifest: `GET /prices/:id`.',
              }),
            ),
            hooks: Type.Optional(
              Type.Array(literals(Object.keys(EVENT_HOOKS) as EventHookName[]), { maxItems: 32, uniqueItems: true }),
            ),
          },
          strict,
        ),
        {
          maxItems: 20,
          description: 'Plugins of the same operator that it requires, or calls with the capability `plugins`.',
        },
      ),
    ),
    config: Type.Optional(
      Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'JSON Schema of the configuration.' }),
    ),
    limits: Type.Optional(Type.Partial(LimitsSchema, strict)),
    personal: Type.Optional(
      Type.Array(Type.String({ maxLength: 300, pattern: PERSONAL_PATTERN }), {
        maxItems: 50,
        uniqueItems: true,
        description:
          'Personal values, which recordings hold as placeholders: /body/email, /query/name, /payload/buyer/*, /results/kv.get/value/email.',
      }),
    ),
    pricing: Type.Optional(Pricing),
    listing: Type.Optional(ListingSchema),
  },
  strict,
);

export type Manifest = Static<typeof ManifestSchema>;

/** `<METHOD> <path>`: how a route is called in definePlugin, in logs and in invocations. */
export const routeKey = (route: { method: string; path: string }): string => `${route.method} ${route.path}`;
