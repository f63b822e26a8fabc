import { NativePromise, promiseThen } from '../primordials.ts';

/** A promise that is settled from outside, and whether that is still to come. */
export class Deferred<Value> {
  readonly promise: Promise<Value>;
  isPending = true;
  #resolve!: (value: Value) => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new NativePromise<Value>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
  resolve(value: Value): void {
    this.isPending = false;
    this.#resolve(value);
  }
  reject(reason: unknown): void {
    this.isPending = false;
    this.#reject(reason);
  }
}

export function resolvedDeferred<Value>(value: Value): Deferred<Value> {
  const made = new Deferred<Value>();
  made.resolve(value);
  return made;
}

/** Rejected, and nobody has to hear of it. */
export function rejectedDeferred<Value>(reason: unknown): Deferred<Value> {
  const made = new Deferred<Value>();
  markHandled(made.promise);
  made.reject(reason);
  return made;
}

export const resolvedWith = <Value>(value: Value | PromiseLike<Value>): Promise<Value> =>
  new NativePromise<Value>((resolve) => resolve(value));

export const rejectedWith = (reason: unknown): Promise<never> =>
  new NativePromise<never>((_, reject) => reject(reason));

const ignore = (): undefined => undefined;

/** A rejection of it is no unheard one. */
export const markHandled = (promise: Promise<unknown>): void => {
  promiseThen(promise, undefined, ignore);
};

/** Reacts to a promise; reactions do not throw. */
export const upon = <Value>(
  promise: Promise<Value>,
  fulfilled: ((value: Value) => void) | undefined,
  rejected?: (reason: unknown) => void,
): void => {
  promiseThen(promise, fulfilled, rejected);
};

/** What a method that returns a promise does with what it throws: it rejects. */
export function promiseOf<Value>(run: () => Promise<Value>): Promise<Value> {
  try {
    return run();
  } catch (thrown) {
    return rejectedWith(thrown);
  }
}
