// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { DOMException, Event, EventTarget, fire, signals } from './events.ts';
import {
  apply,
  arrayPush,
  min,
  NativeNumber,
  NativeTypeError,
  numberIsNaN,
  symbolIterator,
  trunc,
} from './primordials.ts';
import { DELAY_MS_MAX, setTimeout } from './timers.ts';
import { showAs, webClass } from './web-class.ts';

let makeSignal: () => AbortSignal;
let abortSignal: (signal: AbortSignal, reason: unknown) => void;
let isSignal: (value: unknown) => boolean;
const BY_RUNTIME = {};
const MS_MAX = 2 ** 53 - 1;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  /** What the runtime does at the abort, before any listener. */
  #algorithms: (() => void)[] | null = null;
  /** What AbortSignal.any was given, flat; null for every other signal. */
  #sources: AbortSignal[] | null = null;
  /** Signals that AbortSignal.any made of this one. */
  #dependents: AbortSignal[] | null = null;
  #handler: ((event: Event) => void) | null = null;
  #listener: ((event: Event) => void) | null = null;

  static {
    showAs(AbortSignal, (self: AbortSignal) =>
      self.#aborted
        ? [
            ['aborted', true],
            ['reason', self.#reason],
          ]
        : [['aborted', false]],
    );
    makeSignal = () => new AbortSignal(BY_RUNTIME);
    isSignal = (value) => typeof value === 'object' && value !== null && #aborted in value;
    signals.isSignal = isSignal;
    signals.isAborted = (signal) => (signal as AbortSignal).#aborted;
    signals.onAbort = (signal, run) => {
      (signal as AbortSignal).#algorithms ??= [];
      arrayPush((signal as AbortSignal).#algorithms!, run);
    };
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      const cause = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      // All are aborted before any listener runs.
      const all: AbortSignal[] = [signal];
      const dependents = signal.#dependents;
      for (let at = 0; dependents !== null && at < dependents.length; at += 1) {
        if (!dependents[at]!.#aborted) arrayPush(all, dependents[at]!);
      }
      for (let at = 0; at < all.length; at += 1) {
        all[at]!.#aborted = true;
        all[at]!.#reason = cause;
      }
      for (let at = 0; at < all.length; at += 1) all[at]!.#runAbort();
    };
  }

  constructor(key: unknown = undefined) {
    super();
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: use new AbortController().signal');
  }

  static abort(reason: unknown = undefined): AbortSignal {
    const signal = makeSignal();
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    if (arguments.length === 0) throw new NativeTypeError('AbortSignal.timeout takes 1 argument');
    const ms = trunc(NativeNumber(milliseconds));
    if (numberIsNaN(ms) || ms < 0 || ms > MS_MAX) {
      throw new NativeTypeError('AbortSignal.timeout takes a number of milliseconds');
    }
    const signal = makeSignal();
    setTimeout(
      () => abortSignal(signal, new DOMException('The operation timed out', 'TimeoutError')),
      min(ms, DELAY_MS_MAX),
    );
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    if (arguments.length === 0) throw new NativeTypeError('AbortSignal.any takes 1 argument');
    const given = listOfSignals(signals);
    const joined = makeSignal();
    for (let at = 0; at < given.length; at += 1) {
      if (!given[at]!.#aborted) continue;
      joined.#aborted = true;
      joined.#reason = given[at]!.#reason;
      return joined;
    }
    joined.#sources = [];
    for (let at = 0; at < given.length; at += 1) {
      const sources = given[at]!.#sources;
      if (sources === null) joined.#follow(given[at]!);
      else for (let index = 0; index < sources.length; index += 1) joined.#follow(sources[index]!);
    }
    return joined;
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }
  get onabort(): ((event: Event) => void) | null {
    return this.#handler;
  }
  /** Its place among the listeners is where it was first set. */
  set onabort(value: ((event: Event) => void) | null) {
    this.#handler = typeof value === 'function' ? value : null;
    if (this.#handler !== null && this.#listener === null) {
      this.#listener = (event) => {
        if (this.#handler !== null) apply(this.#handler, this, [event]);
      };
      listen(this, this.#listener);
    } else if (this.#handler === null && this.#listener !== null) {
      unlisten(this, this.#listener);
      this.#listener = null;
    }
  }

  #follow(source: AbortSignal): void {
    const sources = this.#sources!;
    for (let at = 0; at < sources.length; at += 1) if (sources[at] === source) return;
    arrayPush(sources, source);
    source.#dependents ??= [];
    arrayPush(source.#dependents, this);
  }

  #runAbort(): void {
    const algorithms = this.#algorithms;
    this.#algorithms = null;
    for (let at = 0; algorithms !== null && at < algorithms.length; at += 1) algorithms[at]!();
    fire(this, new Event('abort'));
  }
}
webClass(AbortSignal, 'AbortSignal');

const { addEventListener: nativeAdd, removeEventListener: nativeRemove } = EventTarget.prototype;
const listen = (signal: AbortSignal, listener: (event: Event) => void): void => {
  apply(nativeAdd, signal, ['abort', listener]);
};
const unlisten = (signal: AbortSignal, listener: (event: Event) => void): void => {
  apply(nativeRemove, signal, ['abort', listener]);
};

function listOfSignals(signals: unknown): AbortSignal[] {
  const iterate = (signals as Record<symbol, unknown> | null | undefined)?.[symbolIterator];
  if (typeof iterate !== 'function' || typeof signals !== 'object') {
    throw new NativeTypeError('AbortSignal.any takes a list of signals');
  }
  const iterator = apply(iterate as () => unknown, signals, []) as { next(): { done?: boolean; value: unknown } };
  const { next } = iterator;
  const list: AbortSignal[] = [];
  for (;;) {
    const step = apply(next, iterator, []) as { done?: boolean; value: unknown };
    if (step.done) return list;
    if (!isSignal(step.value)) throw new NativeTypeError('AbortSignal.any takes a list of signals');
    arrayPush(list, step.value as AbortSignal);
  }
}

export class AbortController {
  readonly #signal = makeSignal();
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason: unknown = undefined): void {
    abortSignal(this.#signal, reason);
  }
}
webClass(AbortController, 'AbortController');

export const neverAborted = (): AbortSignal => makeSignal();
/** Runs `run` at the abort, before any listener. */
export const onAbort = (signal: AbortSignal, run: () => void): void => signals.onAbort(signal, run);
