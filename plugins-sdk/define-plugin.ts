import type {
  CallerFacts,
  ConfigureReport,
  Events,
  HealthReport,
  HookEvent,
  HookName,
  Json,
  Kv,
  Log,
  METHODS,
  Notify,
  Plugins,
  Queue,
  QueueEvent,
  QueueHookName,
  Secrets,
  TopicEvent,
  TopicHookName,
} from './contract/index.ts';

export type {
  ConfigureReport,
  HealthReport,
  HookEvent,
  HookName,
  HookPayload,
  Json,
  Kv,
  KvEntry,
  Log,
} from './contract/index.ts';
export type { SecretKey } from './secret-keys.ts';

/** `<METHOD> <path>` exactly as in the manifest, for example `GET /orders/:id`. */
export type RouteKey = `${(typeof METHODS)[number]} /${string}`;

/** The names of the `:name` segments of a route. */
export type RouteParamName<Key extends string> = Key extends `${string}/:${infer Name}/${infer Rest}`
  ? Name | RouteParamName<`/${Rest}`>
  : Key extends `${string}/:${infer Name}`
    ? Name
    : never;

/** What every handler gets besides its input. */
export interface HandlerContext<Config = Json> {
  readonly invocationId: string;
  readonly installation: { readonly id: string; readonly slug: string; readonly version: string };
  readonly operator: { readonly id: string; readonly slug: string };
  /** Who called; null on a public route without credentials and on everything that the platform itself starts. */
  readonly caller: CallerFacts | null;
  /** What the operator entered, already checked against the schema in the manifest. Needs the capability `config`, else null. */
  readonly config: Config;
  /** Needs the capability `kv`: without it every call rejects with `capability-denied`. */
  readonly kv: Kv;
  /** Needs the capability `events`. */
  readonly events: Events;
  /** Needs the capability `plugins`. */
  readonly plugins: Plugins;
  /** Needs the capability `notify`. */
  readonly notify: Notify;
  /** Needs the capability `log`: without it every call throws with `capability-denied`. `console` always works. */
  readonly log: Log;
  /** Needs the capability `queue`. */
  readonly queue: Queue;
  /** Needs the capability `secrets`; `get` needs `secret-values` as well. Most plugins need neither: see `send` in the manifest. */
  readonly secrets: Secrets;
}

export interface RouteContext<Config = Json, Key extends string = string> extends HandlerContext<Config> {
  /** The decoded `:name` segments of the path. */
  readonly params: string extends Key
    ? Readonly<Record<string, string>>
    : { readonly [Name in RouteParamName<Key>]: string };
}

/** A response, or a plain JSON value that is sent as 200 `application/json`. */
export type RouteAnswer = Response | string | number | boolean | null | object;

export type RouteHandler<Config = Json, Key extends string = string> = (
  request: Request,
  ctx: RouteContext<Config, Key>,
) => RouteAnswer | Promise<RouteAnswer>;

/** What it returns is handed to whoever delivered the event, as JSON; nothing becomes null. */
export type HookHandler<Name extends HookName, Config = Json> = (
  event: HookEvent<Name>,
  ctx: HandlerContext<Config>,
) => unknown;

/** Handles the messages of a queue of the manifest. Runs again after a fault, with everything that it did before still done. */
export type QueueHandler<Config = Json> = (event: QueueEvent, ctx: HandlerContext<Config>) => unknown;

/** Hears a topic that the manifest subscribes to. May run more than once for one `eventId`: after a fault, or when a host dies. */
export type TopicHandler<Config = Json> = (event: TopicEvent, ctx: HandlerContext<Config>) => unknown;

export type ScheduleHandler<Config = Json> = (
  job: { name: string; dueAt: string },
  ctx: HandlerContext<Config>,
) => unknown;

export interface PluginDefinition<Config = Json, Key extends RouteKey = RouteKey> {
  /** One handler for each route of the manifest. */
  routes?: { [Each in Key]: RouteHandler<Config, Each> };
  /** One handler for each hook of the manifest. */
  hooks?: { [Name in HookName]?: HookHandler<Name, Config> } & { [Name in TopicHookName]?: TopicHandler<Config> } & {
    [Name in QueueHookName]?: QueueHandler<Config>;
  };
  /** One handler for each job of the manifest, by its name. */
  schedule?: Record<string, ScheduleHandler<Config>>;
  /** Nothing returned means ok. */
  health?: (ctx: HandlerContext<Config>) => HealthReport | undefined | Promise<HealthReport | undefined>;
  /** Checks a configuration beyond its schema, before the operator may use it. Nothing returned means that it is fine. */
  configure?: (
    config: Config,
    ctx: HandlerContext<Config>,
  ) => ConfigureReport | undefined | Promise<ConfigureReport | undefined>;
}

/**
 * Declares a plugin; its result is the default export of the entry file. Runs nothing and returns the definition, frozen.
 * With a typed configuration: `definePlugin<Config>()({ ... })`.
 * Throws a TypeError that names the field where something is not what it must be.
 */
export function definePlugin<const Key extends RouteKey = never>(
  definition: PluginDefinition<Json, Key>,
): Readonly<PluginDefinition<Json, Key>>;
export function definePlugin<Config>(): <const Key extends RouteKey = never>(
  definition: PluginDefinition<Config, Key>,
) => Readonly<PluginDefinition<Config, Key>>;
export function definePlugin(...definitions: [] | [PluginDefinition]): unknown {
  return definitions.length === 0 ? checked : checked(definitions[0]);
}

const FIELDS = ['routes', 'hooks', 'schedule', 'health', 'configure'];
const ROUTE_START = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \//;
/** Nothing repeats in its patterns: they are in every release, and each scan would search them for slow texts, for half a second. */
const isRoute = (key: string): boolean => ROUTE_START.test(key) && key.split(/\s/).length === 2;

function checked(definition: unknown): object {
  if (!isRecord(definition))
    throw new TypeError('definePlugin takes one object: { routes, hooks, schedule, health, configure }');
  const unknown = Object.keys(definition).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined)
    throw new TypeError(`definePlugin knows no field "${unknown}"; it knows ${FIELDS.join(', ')}`);
  const handlers = Object.fromEntries(
    ['routes', 'hooks', 'schedule'].map((field) => [field, checkedHandlers(field, definition[field])]),
  );
  for (const key of Object.keys(handlers.routes ?? {})) {
    if (!isRoute(key))
      throw new TypeError(`routes["${key}"] must be named "<METHOD> /<path>", such as "GET /orders/:id"`);
  }
  for (const field of ['health', 'configure']) {
    const handler = definition[field];
    if (handler !== undefined && typeof handler !== 'function') throw new TypeError(`${field} must be a function`);
  }
  const { health, configure } = definition;
  return Object.freeze({ ...handlers, ...(health ? { health } : {}), ...(configure ? { configure } : {}) });
}

function checkedHandlers(field: string, handlers: unknown): Readonly<Record<string, unknown>> {
  if (handlers === undefined) return Object.freeze({});
  if (!isRecord(handlers)) throw new TypeError(`${field} must be an object of functions`);
  for (const [key, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') throw new TypeError(`${field}["${key}"] must be a function`);
  }
  return Object.freeze({ ...handlers });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
