import { type TSchema, Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { CALL_BODY_UNITS_MAX, CALL_HEADERS_MAX, CALL_PATH_UNITS_MAX } from './sizes.ts';

/** `<publisher>/<name>`. */
const Plugin = Type.String({ pattern: '^[a-z][a-z0-9-]{1,39}/[a-z][a-z0-9-]{1,39}$' });
const Installation = Type.String({ pattern: '^[a-z][a-z0-9-]{1,39}$' });
const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });

/** Headers that one plugin may send another: nothing that proves who somebody is. */
export const CALL_HEADER_PATTERN = '^(?:accept|accept-language|content-type|if-match|if-none-match|x-[a-z0-9-]{1,60})$';

export const plugins = {
  purpose: 'Call the routes and hooks of your other plugins that it depends on.',
  calls: {
    'plugins.call': strict({
      plugin: Plugin,
      installation: Type.Optional(Installation),
      method: Type.String({ pattern: '^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$' }),
      path: Type.String({ pattern: '^/[^\\s#]*$', maxLength: CALL_PATH_UNITS_MAX }),
      headers: Type.Array(
        Type.Tuple([
          Type.String({ pattern: CALL_HEADER_PATTERN }),
          Type.String({ pattern: '^[\\t -~\\u0080-\\u00ff]*$', maxLength: 1_024 }),
        ]),
        { maxItems: CALL_HEADERS_MAX },
      ),
      body: Type.Union([Type.String({ maxLength: CALL_BODY_UNITS_MAX }), Type.Null()]),
    }),
    'plugins.deliver': strict({
      plugin: Plugin,
      installation: Type.Optional(Installation),
      hook: Type.String({ maxLength: 64 }),
      payload: Type.Unknown(),
      eventId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    }),
  },
  refusals: REFUSALS.plugins,
} as const satisfies Capability;

/** What a plugin may send another; a body that is no string is sent as JSON. */
export interface PluginRequest {
  /** Default: GET, with a body POST. */
  method?: string;
  /** accept, accept-language, content-type, if-match, if-none-match and x-*. */
  headers?: Record<string, string>;
  body?: Json;
  /** Slug of the installation, where the operator has several of the plugin; default: the oldest that fits. */
  installation?: string;
}

/** Calls of other plugins of the same operator, as far as `dependencies` in the manifest declares them. */
export interface Plugins {
  /**
   * Calls a route and resolves with its answer, whatever its status. `plugin` is `<publisher>/<name>`, `path` may have a query. What is
   * left of the caller's wallMs is all that it has. Refuses with: dependency-undeclared, dependency-missing,
   * call-depth-exceeded, call-cycle, callee-refused, callee-failed.
   */
  call(plugin: string, path: string, request?: PluginRequest): Promise<Response>;
  /**
   * Delivers an event to a hook and resolves with what the hook returned. Without an `eventId` it is the same whenever this very
   * call is repeated. Refuses as `call`.
   */
  deliver(
    plugin: string,
    hook: string,
    payload: Json,
    options?: { eventId?: string; installation?: string },
  ): Promise<Json>;
}
