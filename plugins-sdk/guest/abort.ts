// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { DOMException, Event, EventTarget, fire, hasListeners, signals } from './events.ts';
import {
  apply,
  arrayPush,
  arraySort,
  min,
  NativeNumber,
  NativeTypeError,
  numberIsNaN,
  SafeSet,
  setForEach,
  symbolIterator,
  trunc,
} from './primordials.ts';
import { DELAY_MS_MAX, setTimeout } from './timers.ts';
import { showAs, webClass } from './web-class.ts';

let makeSignal: () => AbortSignal;
let abortSignal: (signal: AbortSignal, reason: unknown) => void;
let isSignal: (value: unknown) => boolean;
let forgetAlgorithm: (signal: AbortSignal, run: () => void) => void;
const BY_RUNTIME = {};
const MS_MAX = 2 ** 53 - 1;

/** Aborts and signals of AbortSignal.any so far: what came first has the lower number. */
let moments = 0;

interface Joined {
  /** What AbortSignal.any was given, flat. */
  readonly sources: AbortSignal[];
  readonly number: number;
}

export class AbortSignal extends EventTarget {
  /** When; 0 before. */
  #aborted = 0;
  #reason: unknown = undefined;
  /** What the runtime does at the abort, before any listener. */
  #algorithms: SafeSet<() => void> | null = null;
  /** Null for signals that AbortSignal.any did not make, and from the abort on. */
  #joined: Joined | null = null;
  /**
   * Signals that AbortSignal.any made of this one and whose abort somebody waits for. Others look at their sources when they are asked: a
   * signal that outlives its requests would keep theirs, and nothing here may depend on when garbage is collected.
   */
  #dependents: SafeSet<AbortSignal> | null = null;
  #handler: ((event: Event) => void) | null = null;
  #listener: ((event: Event) => void) | null = null;

  static {
    showAs(AbortSignal, (self: AbortSignal) =>
      self.#isAborted()
        ? [
            ['aborted', true],
            ['reason', self.#reason],
          ]
        : [['aborted', false]],
    );
    makeSignal = () => new AbortSignal(BY_RUNTIME);
    isSignal = (value) => typeof value === 'object' && value !== null && #aborted in value;
    signals.isSignal = isSignal;
    signals.isAborted = (signal) => (signal as AbortSignal).#isAborted();
    signals.onAbort = (signal, run) => {
      (signal as AbortSignal).#algorithms ??= new SafeSet();
      (signal as AbortSignal).#algorithms!.add(run);
      (signal as AbortSignal).#attend();
    };
    signals.listened = (target) => {
      if (isSignal(target)) (target as AbortSignal).#attend();
    };
    forgetAlgorithm = (signal, run) => {
      const algorithms = signal.#algorithms;
      if (algorithms === null || !algorithms.delete(run)) return;
      if (algorithms.size === 0) signal.#algorithms = null;
      signal.#attend();
    };
    abortSignal = (signal, reason) => {
      if (signal.#aborted !== 0) return;
      const cause = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      // All are aborted before any listener runs, which they do in the order in which the signals were made.
      const dependents: AbortSignal[] = [];
      if (signal.#dependents !== null) setForEach(signal.#dependents, (each) => arrayPush(dependents, each));
      arraySort(dependents, (a, b) => a.#joined!.number - b.#joined!.number);
      moments += 1;
      signal.#become(moments, cause);
      for (let at = 0; at < dependents.length; at += 1) dependents[at]!.#become(signal.#aborted, cause);
      signal.#runAbort();
      for (let at = 0; at < dependents.length; at += 1) dependents[at]!.#runAbort();
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
    const signal = makeSignal();
    const sources: AbortSignal[] = [];
    const add = (source: AbortSignal): void => {
      for (let at = 0; at < sources.length; at += 1) if (sources[at] === source) return;
      arrayPush(sources, source);
    };
    for (let at = 0; at < given.length; at += 1) {
      const each = given[at]!;
      if (each.#isAborted()) {
        signal.#become(each.#aborted, each.#reason);
        return signal;
      }
      const joined = each.#joined;
      if (joined === null) add(each);
      else for (let index = 0; index < joined.sources.length; index += 1) add(joined.sources[index]!);
    }
    moments += 1;
    signal.#joined = { sources, number: moments };
    return signal;
  }

  get aborted(): boolean {
    return this.#isAborted();
  }
  get reason(): unknown {
    this.#isAborted();
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#isAborted()) throw this.#reason;
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

  /** Takes over what has become of its sources: the abort that came first. */
  #isAborted(): boolean {
    if (this.#joined !== null) {
      const { sources } = this.#joined;
      let first: AbortSignal | null = null;
      for (let at = 0; at < sources.length; at += 1) {
        const source = sources[at]!;
        if (source.#aborted !== 0 && (first === null || source.#aborted < first.#aborted)) first = source;
      }
      if (first !== null) this.#become(first.#aborted, first.#reason);
    }
    return this.#aborted !== 0;
  }

  #become(aborted: number, reason: unknown): void {
    const joined = this.#joined;
    this.#aborted = aborted;
    this.#reason = reason;
    this.#joined = null;
    this.#dependents = null;
    if (joined !== null) this.#tell(joined, false);
  }

  /** Sources know of it while there is something to do at its abort. */
  #attend(): void {
    if (this.#joined === null || this.#isAborted()) return;
    this.#tell(this.#joined, this.#algorithms !== null || hasListeners(this));
  }

  #tell({ sources }: Joined, isWaitedFor: boolean): void {
    for (let at = 0; at < sources.length; at += 1) {
      const source = sources[at]!;
      if (isWaitedFor) {
        source.#dependents ??= new SafeSet();
        source.#dependents.add(this);
      } else source.#dependents?.delete(this);
    }
  }

  #runAbort(): void {
    const algorithms = this.#algorithms;
    this.#algorithms = null;
    if (algorithms !== null) setForEach(algorithms, (run) => run());
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
/** What is not to be done at the abort any more: a signal may outlive by far what waited for it. */
export const offAbort = (signal: AbortSignal, run: () => void): void => forgetAlgorithm(signal, run);
