// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { elapsedMs } from './clock.ts';
import { DOMException } from './dom-exception.ts';
import { currentInvocation, failThrown } from './invocation.ts';
import { apply, arrayPush, defineProperty, NativeTypeError } from './primordials.ts';
import { webClass } from './web-class.ts';

export { DOMException };

const NONE = 0;
const AT_TARGET = 2;
const PHASES = ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'];

/** What the dispatch needs of an event, and plugins cannot reach. */
interface EventDoor {
  isEvent(value: unknown): boolean;
  /** Throws where it is being dispatched, or was never initialised. */
  begin(event: Event, target: EventTarget, trusted: boolean): void;
  end(event: Event): void;
  setPassive(event: Event, passive: boolean): void;
  isStopped(event: Event): boolean;
  isStoppedNow(event: Event): boolean;
}
let door: EventDoor;

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

/** DOM's Event, for targets without a tree: it is captured, handled and bubbles at its one target. */
export class Event {
  #type: string;
  #bubbles: boolean;
  #cancelable: boolean;
  readonly #composed: boolean;
  readonly #timeStamp = elapsedMs();
  #target: EventTarget | null = null;
  #dispatching = false;
  #prevented = false;
  #stopped = false;
  #stoppedNow = false;
  #passive = false;
  #trusted = false;

  static {
    door = {
      isEvent: (value) => typeof value === 'object' && value !== null && #stoppedNow in value,
      begin: (event, target, trusted) => {
        if (event.#dispatching) throw new DOMException('The event is being dispatched.', 'InvalidStateError');
        event.#dispatching = true;
        event.#trusted = trusted;
        event.#target = target;
      },
      end: (event) => {
        event.#dispatching = false;
        event.#stopped = false;
        event.#stoppedNow = false;
      },
      setPassive: (event, passive) => {
        event.#passive = passive;
      },
      isStopped: (event) => event.#stopped,
      isStoppedNow: (event) => event.#stoppedNow,
    };
  }

  constructor(type: string, init: EventInit = {}) {
    if (arguments.length === 0) throw new NativeTypeError('Event takes 1 argument');
    checkDictionary(init);
    this.#type = `${type}`;
    this.#bubbles = !!init?.bubbles;
    this.#cancelable = !!init?.cancelable;
    this.#composed = !!init?.composed;
  }
  get type(): string {
    return this.#type;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get srcElement(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#dispatching ? this.#target : null;
  }
  composedPath(): EventTarget[] {
    return this.#dispatching ? [this.#target!] : [];
  }
  get eventPhase(): number {
    return this.#dispatching ? AT_TARGET : NONE;
  }
  stopPropagation(): void {
    this.#stopped = true;
  }
  get cancelBubble(): boolean {
    return this.#stopped;
  }
  set cancelBubble(value: boolean) {
    if (value) this.#stopped = true;
  }
  stopImmediatePropagation(): void {
    this.#stopped = true;
    this.#stoppedNow = true;
  }
  get bubbles(): boolean {
    return this.#bubbles;
  }
  get cancelable(): boolean {
    return this.#cancelable;
  }
  get returnValue(): boolean {
    return !this.#prevented;
  }
  set returnValue(value: boolean) {
    if (!value) this.#prevent();
  }
  preventDefault(): void {
    this.#prevent();
  }
  get defaultPrevented(): boolean {
    return this.#prevented;
  }
  get composed(): boolean {
    return this.#composed;
  }
  get isTrusted(): boolean {
    return this.#trusted;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }
  initEvent(type: string, bubbles: boolean = false, cancelable: boolean = false): void {
    if (arguments.length === 0) throw new NativeTypeError('initEvent takes 1 argument');
    if (this.#dispatching) return;
    this.#type = `${type}`;
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
    this.#prevented = false;
    this.#stopped = false;
    this.#stoppedNow = false;
    this.#trusted = false;
    this.#target = null;
  }
  #prevent(): void {
    if (this.#cancelable && !this.#passive) this.#prevented = true;
  }
}
webClass(Event, 'Event');
for (let phase = 0; phase < PHASES.length; phase += 1) {
  const constant = { __proto__: null, value: phase, writable: false, configurable: false, enumerable: true };
  defineProperty(Event, PHASES[phase]!, constant as PropertyDescriptor);
  defineProperty(Event.prototype, PHASES[phase]!, constant as PropertyDescriptor);
}

/** An event that carries something. */
export class CustomEvent extends Event {
  #detail: unknown;
  constructor(type: string, init: EventInit & { detail?: unknown } = {}) {
    if (arguments.length === 0) throw new NativeTypeError('CustomEvent takes 1 argument');
    super(type, init);
    const detail = init?.detail;
    this.#detail = detail === undefined ? null : detail;
  }
  get detail(): unknown {
    return this.#detail;
  }
  initCustomEvent(type: string, bubbles: boolean = false, cancelable: boolean = false, detail: unknown = null): void {
    if (arguments.length === 0) throw new NativeTypeError('initCustomEvent takes 1 argument');
    if (this.currentTarget !== null) return;
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}
webClass(CustomEvent, 'CustomEvent');

function checkDictionary(init: unknown): void {
  if (init === undefined || init === null || typeof init === 'object' || typeof init === 'function') return;
  throw new NativeTypeError('The options are no object');
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };
interface Registration {
  readonly type: string;
  readonly listener: Listener;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  removed: boolean;
}

interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: object;
}

/** How listeners follow a signal; told by abort.ts, which needs this file. */
export const signals = {
  isSignal: (_value: unknown): boolean => false,
  isAborted: (_signal: object): boolean => false,
  onAbort: (_signal: object, _run: () => void): void => {},
  /** Its first listener came, or its last one went. */
  listened: (_target: object): void => {},
};

const captures = (options: unknown): boolean =>
  typeof options === 'object' && options !== null ? !!(options as ListenerOptions).capture : !!options;

const EMPTY: readonly Registration[] = [];
const NO_OPTIONS: ListenerOptions = { __proto__: null } as never;

/** Dispatches an event of the runtime itself. */
export let fire: (target: EventTarget, event: Event) => void;
export let hasListeners: (target: EventTarget) => boolean;

/** Listeners run in order; one that throws ends the invocation, as an uncaught exception would end a program. */
export class EventTarget {
  /** A new list at each change: one that is being dispatched stays as it is. */
  #registrations: readonly Registration[] = EMPTY;

  addEventListener(type: string, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    if (arguments.length < 2) throw new NativeTypeError('addEventListener takes 2 arguments');
    const registrations = this.#registrations;
    const name = `${type}`;
    checkListener(listener);
    const capture = captures(options);
    const chosen = typeof options === 'object' && options !== null ? options : NO_OPTIONS;
    const once = !!chosen.once;
    const passive = !!chosen.passive;
    const signal = chosen.signal;
    if (signal !== undefined && !signals.isSignal(signal)) throw new NativeTypeError('signal is no AbortSignal');
    if (listener === null || listener === undefined || (signal !== undefined && signals.isAborted(signal))) return;
    if (find(registrations, name, listener, capture) !== null) return;
    const added: Registration = { type: name, listener, capture, once, passive, removed: false };
    const kept = without(registrations, null);
    arrayPush(kept, added);
    this.#registrations = kept;
    if (kept.length === 1) signals.listened(this);
    if (signal !== undefined) signals.onAbort(signal, () => this.#remove(added));
  }

  removeEventListener(type: string, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    if (arguments.length < 2) throw new NativeTypeError('removeEventListener takes 2 arguments');
    const registrations = this.#registrations;
    const name = `${type}`;
    checkListener(listener);
    const found = listener ? find(registrations, name, listener, captures(options)) : null;
    if (found !== null) this.#remove(found);
  }

  dispatchEvent(event: Event): boolean {
    if (this.#registrations === undefined || !door.isEvent(event)) {
      throw new NativeTypeError('dispatchEvent takes an Event');
    }
    return this.#dispatch(event, false);
  }

  static {
    hasListeners = (target) => target.#registrations.length > 0;
    fire = (target, event) => {
      target.#dispatch(event, true);
    };
  }

  #dispatch(event: Event, trusted: boolean): boolean {
    door.begin(event, this, trusted);
    if (this.#registrations.length > 0) {
      this.#run(event, true);
      this.#run(event, false);
    }
    door.end(event);
    return !event.defaultPrevented;
  }

  #run(event: Event, capture: boolean): void {
    const registrations = this.#registrations;
    if (door.isStopped(event)) return;
    for (let at = 0; at < registrations.length && !door.isStoppedNow(event); at += 1) {
      const each = registrations[at]!;
      if (each.removed || each.type !== event.type || each.capture !== capture) continue;
      if (each.once) this.#remove(each);
      door.setPassive(event, each.passive);
      callListener(this, each.listener, event);
      door.setPassive(event, false);
    }
  }

  #remove(registration: Registration): void {
    registration.removed = true;
    this.#registrations = without(this.#registrations, registration);
    if (this.#registrations.length === 0) signals.listened(this);
  }
}
webClass(EventTarget, 'EventTarget');

function checkListener(listener: unknown): void {
  if (listener === null || listener === undefined || typeof listener === 'object' || typeof listener === 'function')
    return;
  throw new NativeTypeError('A listener is a function, or an object with handleEvent');
}

function find(all: readonly Registration[], type: string, listener: Listener, capture: boolean): Registration | null {
  for (let at = 0; at < all.length; at += 1) {
    const each = all[at]!;
    if (each.type === type && each.listener === listener && each.capture === capture) return each;
  }
  return null;
}

function without(all: readonly Registration[], removed: Registration | null): Registration[] {
  const kept: Registration[] = [];
  for (let at = 0; at < all.length; at += 1) if (all[at] !== removed) arrayPush(kept, all[at]!);
  return kept;
}

function callListener(target: EventTarget, listener: Listener, event: Event): void {
  const invocation = currentInvocation();
  try {
    if (typeof listener === 'function') {
      apply(listener, target, [event]);
      return;
    }
    const { handleEvent } = listener;
    if (typeof handleEvent !== 'function') throw new NativeTypeError('handleEvent is no function');
    apply(handleEvent, listener, [event]);
  } catch (error) {
    if (invocation === null) throw error;
    failThrown(invocation, error);
  }
}
