import type {
  CapabilityName,
  ConfigureReport,
  HealthReport,
  HookName,
  HookPayload,
  Json,
  Limits,
  LogLevel,
} from '../contract/index.ts';
import type { HarnessClock } from './harness-clock.ts';

export interface HarnessOptions {
  /** The plugin's folder, the one with gatehouse.json. */
  folder: string;
  /** What the operator would enter; `{}` where absent. Checked against the schema in the manifest. */
  config?: Json;
  /** Capabilities that the operator would grant; all that the manifest declares where absent. */
  grants?: CapabilityName[];
  /** Milliseconds since 1970 at which the plugin's clock stands still; the running time where absent. */
  nowMs?: number;
  /** What the operator allows at most. */
  limits?: Partial<Limits>;
  /** Values of the secrets that the manifest declares, by name. */
  secrets?: Record<string, string>;
  /** Answers what the plugin fetches, in place of the internet; without it every request fails. */
  fetch?: (request: Request) => Response | Promise<Response>;
  /**
   * Answers in place of the plugins that it calls, by `<publisher>/<name>`; others are not installed. A hook comes as
   * `POST /hooks/<hook>` with the event as JSON.
   */
  plugins?: Record<string, (request: Request) => Response | Promise<Response>>;
  /** Base of the addresses that the plugin sees. */
  origin?: string;
}

export interface HarnessLog {
  invocationId: string;
  /** `host` records faults. */
  source: 'console' | 'log' | 'host';
  level: LogLevel;
  message: string;
  facts: Json;
}

/** Cuts an invocation off, as a crash would: it ends with the fault `host-call-limit` when it makes one call more. */
export interface HarnessCut {
  hostCallsMax?: number;
}

export interface HarnessFetchOptions extends RequestInit, HarnessCut {
  /** Who makes the request; by default whoever the route's access level asks for. */
  as?: 'public' | 'caller' | 'operator';
}

export interface HarnessDeliverOptions extends HarnessCut {
  /** A new one for each delivery where absent. */
  eventId?: string;
  occurredAt?: string;
}

export interface HarnessEventOptions extends HarnessDeliverOptions {
  /** Who published it; where absent, the plugin that the manifest names, or some other. */
  from?: { plugin: string; installation: string };
}

export interface HarnessMessage {
  queue: string;
  payload: Json;
  state: 'waiting' | 'done' | 'dead';
  /** Attempts that failed. */
  attempts: number;
  /** When it may run next, by the clock of the harness: ISO 8601, UTC. */
  dueAt: string;
}

export interface Harness {
  /**
   * Sends one request through the plugin's routes. `path` may carry a query. What the host keeps from plugins, such as cookies, and
   * from callers, such as Set-Cookie, is kept from them here. Rejects with HarnessFault, and with
   * HarnessRefusal where the host would refuse (plugin-route-unknown, method-not-allowed, permission-denied, body-too-large).
   */
  fetch(path: string, init?: HarnessFetchOptions): Promise<Response>;
  /** Delivers an event and resolves with what the handler returned. The same `eventId` is a redelivery. */
  deliver<Name extends HookName>(
    hook: Name,
    payload: HookPayload<Name>,
    options?: HarnessDeliverOptions,
  ): Promise<Json>;
  /** Delivers an event of another plugin to the hook `events.<topic>`. The same `eventId` is a redelivery. */
  deliverEvent(topic: string, payload: Json, options?: HarnessEventOptions): Promise<Json>;
  /**
   * Runs the messages of its queues that are due by the clock, and those that they send, until none is; resolves with the number of
   * attempts. A fault counts as an attempt that failed, as in production: `queued` tells, and `logs`.
   */
  runQueue(): Promise<number>;
  /** Runs one job of the manifest's schedule now. Rejects with HarnessRefusal (route-unknown) where there is no such job. */
  runJob(name: string): Promise<Json>;
  health(): Promise<HealthReport>;
  /** Asks about a configuration as an installation would: first the schema of the manifest, then the plugin if it wants to be asked. */
  configure(config: Json): Promise<ConfigureReport>;
  /** Everything that was logged, oldest first. */
  readonly logs: HarnessLog[];
  /** Events that it published, oldest first. */
  readonly events: { topic: string; payload: Json }[];
  /** Messages that it sent to its operator, oldest first. */
  readonly notifications: { title: string; text: string; severity: string }[];
  /** Messages that it sent to its queues, oldest first, and what became of them. */
  readonly queued: HarnessMessage[];
  /** What is stored now, by key. */
  readonly kv: Record<string, Json>;
  readonly clock: HarnessClock;
  /** Starts anew with the same plugin: an empty store, no logs. */
  reset(): void;
  close(): Promise<void>;
}

/** The host would have refused; `code` is one of the codes in docs/errors.md. */
export class HarnessRefusal extends Error {
  override name = 'HarnessRefusal';
  readonly code: string;
  readonly facts: Record<string, unknown>;
  constructor(code: string, message: string, facts: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}
