import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Cron } from 'croner';
import semver from 'semver';
import { SECRET_NAME_PATTERN } from './capabilities/index.ts';
import { isSettableHeader } from './fetch-headers.ts';
import { ICON_PATTERN, IMAGE_PATTERN, LINK_PATTERN, SUPPORT_PATTERN } from './listing.ts';
import {
  FETCH_HOST_PATTERN,
  type Manifest,
  ManifestSchema,
  routeKey,
  SEMVER_PATTERN,
  SLUG_PATTERN,
  SLUG_RULE,
} from './manifest.ts';
import { OWN_SCHEMAS } from './own-schemas.ts';
import { PERSONAL_PATTERN } from './recording.ts';

/** One fault of a document; `pointer` is a JSON pointer (RFC 6901), empty for the whole document. */
export interface DocumentFault {
  pointer: string;
  message: string;
}

export type Checked<Value> = { ok: true; value: Value } | { ok: false; faults: DocumentFault[] };

const ajv = new Ajv({ allErrors: true, ...OWN_SCHEMAS });
let compiled: ValidateFunction<Manifest> | undefined;
/** Compiled when it is first used, which takes 0.06 s: a host that starts has no manifest to check. */
const schemaCheck = (): ValidateFunction<Manifest> => {
  compiled ??= ajv.compile<Manifest>(ManifestSchema);
  return compiled;
};

/** Checks a manifest and reports all its faults at once. Also checks what a schema cannot say: doubles, its own config schema. */
export function checkManifest(value: unknown): Checked<Manifest> {
  const fitsSchema = schemaCheck();
  if (!fitsSchema(value)) return { ok: false, faults: documentFaults(fitsSchema.errors ?? []) };
  const faults = [
    ...doubles('/routes', (value.routes ?? []).map(routeKey)),
    ...doubles(
      '/capabilities',
      (value.capabilities ?? []).map(({ name }) => name),
    ),
    ...doubles(
      '/schedule',
      (value.schedule ?? []).map(({ name }) => name),
    ),
    ...doubles(
      '/secrets',
      (value.secrets ?? []).map(({ name }) => name),
    ),
    ...secretFaults(value),
    ...queueFaults(value),
    ...cronFaults(value.schedule),
    ...eventFaults(value),
    ...dependencyFaults(value),
    ...configSchemaFaults(value.config),
    ...(value.listing?.categories?.includes(value.category)
      ? [{ pointer: '/listing/categories', message: `repeats "${value.category}" of /category` }]
      : []),
  ];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value };
}

/** Checks an operator's configuration against the schema in the manifest. Without a schema only `{}` fits. */
export function checkConfig(manifest: Manifest, config: unknown): Checked<unknown> {
  const schema = manifest.config ?? { type: 'object', additionalProperties: false };
  const fits = new Ajv({ allErrors: true, strict: false }).compile(schema);
  return fits(config) ? { ok: true, value: config } : { ok: false, faults: documentFaults(fits.errors ?? []) };
}

/** ajv's errors as faults, without the echoes that unions and conditions add (`must match a schema in anyOf`, `must match "then" schema`). */
export function documentFaults(errors: ErrorObject[]): DocumentFault[] {
  const inUnion = new Set(errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath));
  const faults = errors
    .filter(({ keyword, instancePath }) => keyword !== 'if' && !(keyword === 'const' && inUnion.has(instancePath)))
    .map((error) => ({ pointer: pointerOf(error), message: messageOf(error, errors) }));
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.message}`, fault])).values()];
}

function pointerOf({ instancePath, keyword, params }: ErrorObject): string {
  const member = keyword === 'required' ? params.missingProperty : params.additionalProperty;
  return member === undefined
    ? instancePath
    : `${instancePath}/${String(member).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** What the patterns that authors meet most say, in words. */
const RULES: Record<string, string> = {
  [SLUG_PATTERN]: SLUG_RULE,
  [SEMVER_PATTERN]: 'must be a version such as 1.2.3',
  [FETCH_HOST_PATTERN]:
    'must be a host such as api.example.com, api.example.com:8443 or *.example.com, or config:<field>; no address, scheme or path',
  [SECRET_NAME_PATTERN]: 'must be a name in capitals such as API_KEY',
  [ICON_PATTERN]: 'must be a file of the plugin that ends with .png, .svg or .webp, such as listing/icon.png',
  [IMAGE_PATTERN]: 'must be a file of the plugin that ends with .png, .jpg, .jpeg, .webp or .svg',
  [LINK_PATTERN]: 'must be an https address without user and password',
  [SUPPORT_PATTERN]: 'must be an https address, or mailto: and a mail address',
  [PERSONAL_PATTERN]:
    'must be a JSON pointer that begins with /body, /query, /headers, /params, /payload, /config or /results/<call>, such as /body/email',
};

const PATTERN_CHARS_SHOWN = 200;

/** A pattern that lists all that there is says nothing to whoever reads it. */
const patternRule = (pattern: string): string =>
  pattern.length > PATTERN_CHARS_SHOWN ? 'does not have the form that the schema describes' : `must match ${pattern}`;

function messageOf(error: ErrorObject, all: ErrorObject[]): string {
  const { keyword, instancePath, message, schema, params } = error;
  if (keyword === 'required') return 'is required';
  if (keyword === 'additionalProperties') return 'is not a known field';
  if (keyword === 'false schema') return 'must be left out here';
  if (keyword === 'pattern') return RULES[params.pattern] ?? patternRule(params.pattern);
  if (keyword === 'anyOf') {
    const allowed = all.filter((each) => each.keyword === 'const' && each.instancePath === instancePath);
    if (allowed.length > 0) return `must be one of: ${allowed.map((each) => each.params.allowedValue).join(', ')}`;
  }
  return message ?? `does not fit ${keyword} ${JSON.stringify(schema)}`;
}

function doubles(pointer: string, keys: string[]): DocumentFault[] {
  return keys.flatMap((key, at) =>
    keys.indexOf(key) < at ? [{ pointer: `${pointer}/${at}`, message: `repeats "${key}"` }] : [],
  );
}

/** A secret goes to hosts that the operator was shown, in a header that does not decide how a request is read. */
function secretFaults({ secrets = [], fetchHosts = [] }: Manifest): DocumentFault[] {
  return secrets.flatMap(({ send }, at) => {
    if (send === undefined) return [];
    const foreign = send.hosts.filter((host) => !fetchHosts.includes(host));
    return [
      ...foreign.map((host) => ({ pointer: `/secrets/${at}/send/hosts`, message: `"${host}" is not in fetchHosts` })),
      ...(isSettableHeader(send.header)
        ? []
        : [{ pointer: `/secrets/${at}/send/header`, message: `"${send.header}" is set by the host alone` }]),
    ];
  });
}

const declares = ({ capabilities = [] }: Manifest, capability: string): boolean =>
  capabilities.some(({ name }) => name === capability);

function queueFaults(manifest: Manifest): DocumentFault[] {
  const { queues = [] } = manifest;
  if (queues.length === 0) return [];
  return [
    ...(declares(manifest, 'queue')
      ? []
      : [{ pointer: '/queues', message: 'needs the capability "queue" in `capabilities`' }]),
    ...doubles(
      '/queues',
      queues.map(({ name }) => name),
    ),
  ];
}

function eventFaults(manifest: Manifest): DocumentFault[] {
  const { events } = manifest;
  if (events === undefined) return [];
  const subscriptions = (events.subscribes ?? []).map(({ topic, from = '*' }) => `${topic} of ${from}`);
  return [
    ...(declares(manifest, 'events')
      ? []
      : [{ pointer: '/events', message: 'needs the capability "events" in `capabilities`' }]),
    ...doubles('/events/subscribes', subscriptions),
  ];
}

function dependencyFaults(manifest: Manifest): DocumentFault[] {
  const { dependencies = [], publisher, name } = manifest;
  if (dependencies.length === 0) return [];
  const undeclared = { pointer: '/dependencies', message: 'needs the capability "plugins" in `capabilities`' };
  const calls = dependencies.some(({ routes = [], hooks = [] }) => routes.length + hooks.length > 0);
  return [
    ...(declares(manifest, 'plugins') || !calls ? [] : [undeclared]),
    ...doubles(
      '/dependencies',
      dependencies.map(({ plugin }) => plugin),
    ),
    ...dependencies.flatMap(({ plugin, range, optional = false, routes = [], hooks = [] }, at) => [
      ...(semver.validRange(range) === null
        ? [{ pointer: `/dependencies/${at}/range`, message: 'is not a SemVer range, such as ^1.2.0' }]
        : []),
      ...(plugin === `${publisher}/${name}`
        ? [{ pointer: `/dependencies/${at}/plugin`, message: 'is this plugin' }]
        : []),
      ...(optional && routes.length + hooks.length === 0
        ? [{ pointer: `/dependencies/${at}`, message: 'is optional and names no route and no hook that may be called' }]
        : []),
    ]),
  ];
}

function cronFaults(schedule: Manifest['schedule'] = []): DocumentFault[] {
  return schedule.flatMap(({ cron }, at) => {
    try {
      new Cron(cron, { timezone: 'UTC', paused: true });
      return [];
    } catch (error) {
      return [{ pointer: `/schedule/${at}/cron`, message: `is not a cron pattern: ${(error as Error).message}` }];
    }
  });
}

/**
 * The schema comes from a stranger and runs in the host, so it may hold nothing that can be made slow:
 * no regular expressions, no references. A plugin checks such things in its own `configure`, inside the sandbox.
 */
const SLOW_KEYWORDS = [
  'pattern',
  'patternProperties',
  'format',
  '$ref',
  '$dynamicRef',
  '$id',
  '$anchor',
  'uniqueItems',
];
const CONFIG_SCHEMA_BYTES_MAX = 16 * 1024;

function configSchemaFaults(schema: Manifest['config']): DocumentFault[] {
  if (schema === undefined) return [];
  if (JSON.stringify(schema).length > CONFIG_SCHEMA_BYTES_MAX) {
    return [{ pointer: '/config', message: `must be at most ${CONFIG_SCHEMA_BYTES_MAX} bytes of JSON` }];
  }
  const slow = slowKeywords(schema, '/config');
  if (slow.length > 0) return slow;
  try {
    new Ajv({ strict: false }).compile(schema);
    return [];
  } catch (error) {
    return [{ pointer: '/config', message: `is not a JSON Schema: ${(error as Error).message}` }];
  }
}

/** Their members go by names of fields, or of the author's choice, which are no keywords. */
const NAMING_KEYWORDS = ['properties', 'dependencies', 'dependentSchemas', 'definitions', '$defs'];

/** `names` is true inside of these. */
function slowKeywords(value: unknown, pointer: string, names = false): DocumentFault[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const at = `${pointer}/${key}`;
    return !names && SLOW_KEYWORDS.includes(key)
      ? [{ pointer: at, message: `is not allowed here; check it in the plugin's configure function` }]
      : slowKeywords(member, at, !names && NAMING_KEYWORDS.includes(key));
  });
}
