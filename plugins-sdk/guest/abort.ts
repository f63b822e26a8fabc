import { callListener, DOMException, Event, EventTarget } from './events.ts';
import { NativeTypeError } from './primordials.ts';
import { setTimeout } from './timers.ts';

let makeSignal: () => AbortSignal;
let abortSignal: (signal: AbortSignal, reason: unknown) => void;
const BY_RUNTIME = Symbol('by runtime');

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  onabort: ((event: Event) => void) | null = null;

  static {
    makeSignal = () => new AbortSignal(BY_RUNTIME);
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      const event = new Event('abort');
      if (typeof signal.onabort === 'function') callListener(signal, signal.onabort, event);
      signal.dispatchEvent(event);
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
    else for (const signal of all) signal.addEventListener('abort', () => abortSignal(joined, signal.reason));
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
