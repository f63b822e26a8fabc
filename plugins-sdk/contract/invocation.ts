import type { CapabilityName, QueueEvent, TopicEvent } from './capabilities/index.ts';
import type { HookEvent } from './hooks.ts';
import type { Json } from './json.ts';

/** A body as text where it is valid UTF-8, else as base64; null where there is none. */
export interface WireBody {
  body: string | null;
  bodyEncoding: 'utf8' | 'base64';
}

export interface WireRequest extends WireBody {
  method: string;
  /** Absolute; its path is the part after the installation's own prefix. */
  url: string;
  headers: [name: string, value: string][];
  /** The body comes piece by piece, by `request.read`; `body` is null. */
  streamed?: boolean;
}

export interface WireResponse extends WireBody {
  status: number;
  headers: [name: string, value: string][];
}

/**
 * Who called, as far as the host knows. `null` on a public route without credentials. A `plugin` is another plugin of the same
 * operator, `id` that of its installation.
 */
export type CallerFacts =
  | { kind: 'caller' | 'operator'; id: string }
  | { kind: 'plugin'; id: string; plugin: string; installation: string };

/** Facts that accompany every invocation. Part of the input, so that it stays a pure function of its record. */
export interface ContextFacts {
  invocationId: string;
  installation: { id: string; slug: string; version: string };
  operator: { id: string; slug: string };
  caller: CallerFacts | null;
  grants: CapabilityName[];
  /** The operator's configuration; `null` unless the capability `config` is granted. */
  config: Json;
}

/** What the host asks a plugin to do. `route` is `<METHOD> <path>` exactly as in the manifest. */
export type PluginJob =
  | { kind: 'http'; route: string; params: Record<string, string>; request: WireRequest }
  | { kind: 'hook'; event: HookEvent | TopicEvent | QueueEvent }
  | { kind: 'schedule'; name: string; dueAt: string }
  | { kind: 'health' }
  | { kind: 'configure'; config: Json }
  | { kind: 'describe' };

/** A job and its circumstances: all that an invocation knows. */
export type GuestInput = { context: ContextFacts } & PluginJob;

/** What `describe` answers: the handlers that the bundle really has. */
export interface PluginShape {
  routes: string[];
  hooks: string[];
  schedule: string[];
  health: boolean;
  configure: boolean;
}

/** What an invocation answers: a response for `http`, a JSON value for all others. */
export type PluginOutput = { kind: 'http'; response: WireResponse } | { kind: 'value'; value: Json };

/** What comes out of the isolate; `streamed` is a response that was written piece by piece. */
export type GuestOutput = PluginOutput | { kind: 'streamed' };

/** What `health` may answer. */
export interface HealthReport {
  status: 'ok' | 'degraded' | 'down';
  message?: string;
}

/** What `configure` may answer; a JSON pointer names each faulty field. */
export type ConfigureReport = { ok: true } | { ok: false; faults: { pointer: string; message: string }[] };
