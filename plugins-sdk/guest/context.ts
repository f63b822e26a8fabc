import type { CapabilityName } from '../contract/capabilities/index.ts';
import type { ContextFacts } from '../contract/invocation.ts';
import { assertByRuntime, BY_RUNTIME } from './capabilities/arguments.ts';
import { eventsOf } from './capabilities/events.ts';
import { kvOf } from './capabilities/kv.ts';
import { logOf } from './capabilities/log.ts';
import { notifyOf } from './capabilities/notify.ts';
import { pluginsOf } from './capabilities/plugins.ts';
import { queueOf } from './capabilities/queue.ts';
import { secretsOf } from './capabilities/secrets.ts';
import type { Invocation } from './invocation.ts';
import { freezeClass } from './removals.ts';

/**
 * What every handler gets besides its input. A capability is made when the plugin touches it first, so that an invocation
 * pays for what it uses.
 */
class Context {
  readonly invocationId: string;
  readonly installation: ContextFacts['installation'];
  readonly operator: ContextFacts['operator'];
  readonly caller: ContextFacts['caller'];
  readonly config: ContextFacts['config'];
  readonly #invocation: Invocation;
  readonly #grants: readonly CapabilityName[];
  #kv: ReturnType<typeof kvOf> | undefined;
  #log: ReturnType<typeof logOf> | undefined;
  #events: ReturnType<typeof eventsOf> | undefined;
  #plugins: ReturnType<typeof pluginsOf> | undefined;
  #notify: ReturnType<typeof notifyOf> | undefined;
  #queue: ReturnType<typeof queueOf> | undefined;
  #secrets: ReturnType<typeof secretsOf> | undefined;

  constructor(key: object, invocation: Invocation, facts: ContextFacts) {
    assertByRuntime(key);
    this.invocationId = facts.invocationId;
    this.installation = facts.installation;
    this.operator = facts.operator;
    this.caller = facts.caller;
    this.config = facts.config;
    this.#invocation = invocation;
    this.#grants = facts.grants;
  }

  get kv() {
    this.#kv ??= kvOf(this.#invocation, this.#granted('kv'));
    return this.#kv;
  }

  get log() {
    this.#log ??= logOf(this.#invocation, this.#granted('log'));
    return this.#log;
  }

  get events() {
    this.#events ??= eventsOf(this.#invocation, this.#granted('events'));
    return this.#events;
  }

  get plugins() {
    this.#plugins ??= pluginsOf(this.#invocation, this.#granted('plugins'));
    return this.#plugins;
  }

  get notify() {
    this.#notify ??= notifyOf(this.#invocation, this.#granted('notify'));
    return this.#notify;
  }

  get queue() {
    this.#queue ??= queueOf(this.#invocation, this.#granted('queue'));
    return this.#queue;
  }

  get secrets() {
    this.#secrets ??= secretsOf(this.#invocation, this.#granted('secrets'), this.#granted('secret-values'));
    return this.#secrets;
  }

  #granted(name: CapabilityName): boolean {
    for (let at = 0; at < this.#grants.length; at += 1) if (this.#grants[at] === name) return true;
    return false;
  }
}

/** The context of a route. */
class RouteContext extends Context {
  readonly params: Record<string, string>;

  constructor(key: object, invocation: Invocation, facts: ContextFacts, params: Record<string, string>) {
    super(key, invocation, facts);
    this.params = params;
  }
}

freezeClass(Context, 'Context');
freezeClass(RouteContext, 'RouteContext');

export const contextOf = (invocation: Invocation, facts: ContextFacts): Context =>
  new Context(BY_RUNTIME, invocation, facts);

export const routeContextOf = (
  invocation: Invocation,
  facts: ContextFacts,
  params: Record<string, string>,
): RouteContext => new RouteContext(BY_RUNTIME, invocation, facts, params);
