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
import { jsonParse, setPrototypeOf } from './primordials.ts';
import { freezeClass } from './removals.ts';

/** Those that the plugin has touched. */
interface Capabilities {
  kv?: ReturnType<typeof kvOf>;
  log?: ReturnType<typeof logOf>;
  events?: ReturnType<typeof eventsOf>;
  plugins?: ReturnType<typeof pluginsOf>;
  notify?: ReturnType<typeof notifyOf>;
  queue?: ReturnType<typeof queueOf>;
  secrets?: ReturnType<typeof secretsOf>;
}

/**
 * What every handler gets besides its input. The facts are parsed and a capability is made when the plugin touches them first, so that an
 * invocation pays for what it uses.
 */
class Context {
  readonly #invocation: Invocation;
  readonly #json: string;
  #facts: ContextFacts | null = null;
  #made: Capabilities | null = null;

  constructor(key: object, invocation: Invocation, json: string) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#json = json;
  }

  get invocationId() {
    return this.#read().invocationId;
  }

  get installation() {
    return this.#read().installation;
  }

  get operator() {
    return this.#read().operator;
  }

  get caller() {
    return this.#read().caller;
  }

  get config() {
    return this.#read().config;
  }

  get kv() {
    const made = this.#capabilities();
    made.kv ??= kvOf(this.#invocation, this.#granted('kv'));
    return made.kv;
  }

  get log() {
    const made = this.#capabilities();
    made.log ??= logOf(this.#invocation, this.#granted('log'));
    return made.log;
  }

  get events() {
    const made = this.#capabilities();
    made.events ??= eventsOf(this.#invocation, this.#granted('events'));
    return made.events;
  }

  get plugins() {
    const made = this.#capabilities();
    made.plugins ??= pluginsOf(this.#invocation, this.#granted('plugins'));
    return made.plugins;
  }

  get notify() {
    const made = this.#capabilities();
    made.notify ??= notifyOf(this.#invocation, this.#granted('notify'));
    return made.notify;
  }

  get queue() {
    const made = this.#capabilities();
    made.queue ??= queueOf(this.#invocation, this.#granted('queue'));
    return made.queue;
  }

  get secrets() {
    const made = this.#capabilities();
    made.secrets ??= secretsOf(this.#invocation, this.#granted('secrets'), this.#granted('secret-values'));
    return made.secrets;
  }

  #capabilities(): Capabilities {
    this.#made ??= setPrototypeOf({}, null) as Capabilities;
    return this.#made;
  }

  #read(): ContextFacts {
    this.#facts ??= jsonParse(this.#json) as ContextFacts;
    return this.#facts;
  }

  #granted(name: CapabilityName): boolean {
    const { grants } = this.#read();
    for (let at = 0; at < grants.length; at += 1) if (grants[at] === name) return true;
    return false;
  }
}

/** The context of a route. */
class RouteContext extends Context {
  readonly params: Record<string, string>;

  constructor(key: object, invocation: Invocation, json: string, params: Record<string, string>) {
    super(key, invocation, json);
    this.params = params;
  }
}

freezeClass(Context, 'Context');
freezeClass(RouteContext, 'RouteContext');

/** `json` is that of ContextFacts. */
export const contextOf = (invocation: Invocation, json: string): Context => new Context(BY_RUNTIME, invocation, json);

export const routeContextOf = (invocation: Invocation, json: string, params: Record<string, string>): RouteContext =>
  new RouteContext(BY_RUNTIME, invocation, json, params);
