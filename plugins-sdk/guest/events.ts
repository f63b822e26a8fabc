import { elapsedMs } from './clock.ts';
import { currentInvocation, failThrown } from './invocation.ts';
import { arrayPush, defineHidden, NativeError } from './primordials.ts';

/** Codes of the older exceptions; the newer names have 0. */
const CODES: Record<string, number> = {
  InvalidCharacterError: 5,
  NotSupportedError: 9,
  SyntaxError: 12,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
};

export class DOMException extends NativeError {
  readonly code: number;
  constructor(message = '', name = 'Error') {
    super(message);
    this.code = CODES[name] ?? 0;
    defineHidden(this, 'name', `${name}`);
    defineHidden(this, 'code', this.code);
  }
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };
interface Registration {
  type: string;
  listener: Listener;
  once: boolean;
}

let aim: (event: Event, target: EventTarget | null) => void;
let stopped: (event: Event) => boolean;

export class Event {
  readonly type: string;
  readonly cancelable: boolean;
  readonly bubbles = false;
  readonly timeStamp = elapsedMs();
  #target: EventTarget | null = null;
  #prevented = false;
  #stopped = false;

  static {
    aim = (event, target) => {
      event.#target = target;
    };
    stopped = (event) => event.#stopped;
  }

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = `${type}`;
    this.cancelable = options.cancelable === true;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#target;
  }
  get defaultPrevented(): boolean {
    return this.#prevented;
  }
  preventDefault(): void {
    this.#prevented = this.cancelable;
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.#stopped = true;
  }
}

/** Listeners run in order; one that throws ends the invocation, as an uncaught exception would end a program. */
export class EventTarget {
  #registrations: Registration[] = [];

  addEventListener(
    type: string,
    listener: Listener | null,
    options: { once?: boolean; signal?: AbortLike } | boolean = {},
  ): void {
    if (listener === null) return;
    const { once = false, signal } = typeof options === 'object' ? options : {};
    if (signal?.aborted) return;
    for (let at = 0; at < this.#registrations.length; at += 1) {
      if (this.#registrations[at]!.type === type && this.#registrations[at]!.listener === listener) return;
    }
    // A new list each time: one that is being dispatched stays as it is.
    const kept = this.#without(null);
    arrayPush(kept, { type: `${type}`, listener, once });
    this.#registrations = kept;
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener));
  }

  removeEventListener(type: string, listener: Listener | null): void {
    for (let at = 0; at < this.#registrations.length; at += 1) {
      const each = this.#registrations[at]!;
      if (each.type === type && each.listener === listener) this.#registrations = this.#without(each);
    }
  }

  #without(removed: Registration | null): Registration[] {
    const kept: Registration[] = [];
    for (let at = 0; at < this.#registrations.length; at += 1) {
      const each = this.#registrations[at]!;
      if (each !== removed) arrayPush(kept, each);
    }
    return kept;
  }

  dispatchEvent(event: Event): boolean {
    aim(event, this);
    const registrations = this.#registrations;
    for (let at = 0; at < registrations.length && !stopped(event); at += 1) {
      const { type, listener, once } = registrations[at]!;
      if (type !== event.type) continue;
      if (once) this.removeEventListener(type, listener);
      callListener(this, listener, event);
    }
    return !event.defaultPrevented;
  }
}

interface AbortLike {
  aborted: boolean;
  addEventListener(type: string, listener: () => void): void;
}

export function callListener(target: EventTarget, listener: Listener, event: Event): void {
  const invocation = currentInvocation();
  try {
    if (typeof listener === 'function') listener.call(target, event);
    else listener.handleEvent(event);
  } catch (error) {
    if (invocation === null) throw error;
    failThrown(invocation, error);
  }
}
