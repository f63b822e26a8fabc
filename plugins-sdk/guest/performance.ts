import { elapsedMs, nowMs } from './clock.ts';
import { EventTarget } from './events.ts';
import { NativeTypeError } from './primordials.ts';
import { webClass } from './web-class.ts';

const BY_RUNTIME = {};

/** The clock of an invocation: it starts at 0 and stands still within a turn, as `Date` does. */
export class Performance extends EventTarget {
  readonly #own = true;
  constructor(key: object | undefined = undefined) {
    super();
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor');
  }
  get timeOrigin(): number {
    return this.#own ? nowMs() - elapsedMs() : 0;
  }
  now(): number {
    return this.#own ? elapsedMs() : 0;
  }
  toJSON(): { timeOrigin: number } {
    return { timeOrigin: this.#own ? nowMs() - elapsedMs() : 0 };
  }
}
webClass(Performance, 'Performance');
export const performance = new Performance(BY_RUNTIME);

export class Navigator {
  readonly #userAgent = 'Gatehouse';
  constructor(key: object | undefined = undefined) {
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor');
  }
  get userAgent(): string {
    return this.#userAgent;
  }
}
webClass(Navigator, 'Navigator');
export const navigator = new Navigator(BY_RUNTIME);
