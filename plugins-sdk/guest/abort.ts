import { callListener, DOMException, Event, EventTarget } from './events.ts';
import { NativeTypeError } from './primordials.ts';
import { setTimeout } from './timers.ts';

let makeSignal: () => AbortSignal;
let abortSignal: (signal: AbortSignal, reason: unknown) => void;
let follow: (signal: AbortSignal, sources: AbortSignal[]) => void;
const BY_RUNTIME = Symbol('by runtime');

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  /** Signals that AbortSignal.any made of this one. */
  readonly #dependents: AbortSignal[] = [];
  onabort: ((event: Event) => void) | null = null;

  static {
    makeSignal = () => new AbortSignal(BY_RUNTIME);
    abortSignal = (signal, reason) => {
      const cause = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      const all = [signal, ...signal.#dependents].filter((each) => !each.#aborted);
      if (signal.#aborted) return;
      // All are aborted before any listener runs.
      for (const each of all) {
        each.#aborted = true;
        each.#reason = cause;
      }
      for (const each of all) {
        const event = new Event('abort');
        if (typeof each.onabort === 'function') callListener(each, each.onabort, event);
        each.dispatchEvent(event);
      }
    };
    follow = (signal, sources) => {
      for (const source of sources) source.#dependents.push(signal);
    };
  }

  constructor(key?: unknown) {
    super();
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: use new AbortController().signal');
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = makeSignal();
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = makeSignal();
    setTimeout(() => abortSignal(signal, new DOMException('The operation timed out', 'TimeoutError')), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals];
    const joined = makeSignal();
    const aborted = all.find((signal) => signal.aborted);
    if (aborted) abortSignal(joined, aborted.reason);
    else follow(joined, all);
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
}

export class AbortController {
  readonly #signal = makeSignal();
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}

export const neverAborted = (): AbortSignal => makeSignal();
