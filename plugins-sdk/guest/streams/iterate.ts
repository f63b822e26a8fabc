import {
  apply,
  asyncIteratorPrototype,
  create,
  defineProperty,
  NativeTypeError,
  promiseThen,
  symbolAsyncIterator,
  symbolIterator,
} from '../primordials.ts';
import { DefaultController } from './default-controller.ts';
import { Deferred, promiseOf, rejectedWith, resolvedWith } from './promises.ts';
import { cancelByReader, Readable, Reader, readFrom, releaseReader } from './readable.ts';
import type { ReadResult } from './readers.ts';
import { isObject, type Method } from './strategies.ts';

/** What `for await` walks along a stream with. */
class Walk {
  readonly #reader: Reader;
  readonly #preventCancel: boolean;
  #ongoing: Promise<ReadResult> | null = null;
  #isFinished = false;

  constructor(stream: Readable, preventCancel: boolean) {
    this.#reader = new Reader(stream, false);
    this.#preventCancel = preventCancel;
  }

  next(): Promise<ReadResult> {
    const step = (): Promise<ReadResult> => this.#read();
    this.#ongoing = this.#ongoing === null ? step() : promiseThen(this.#ongoing, step, step);
    return this.#ongoing;
  }

  return(value: unknown): Promise<ReadResult> {
    const step = (): Promise<ReadResult> => this.#end(value);
    this.#ongoing = this.#ongoing === null ? step() : promiseThen(this.#ongoing, step, step);
    return this.#ongoing;
  }

  #read(): Promise<ReadResult> {
    if (this.#isFinished) return resolvedWith({ value: undefined, done: true });
    const reader = this.#reader;
    const read = new Deferred<ReadResult>();
    readFrom(reader, {
      chunk: (value) => read.resolve({ value, done: false }),
      close: () => {
        releaseReader(reader);
        read.resolve({ value: undefined, done: true });
      },
      error: (reason) => {
        releaseReader(reader);
        read.reject(reason);
      },
    });
    return promiseThen(
      read.promise,
      (result) => {
        this.#ongoing = null;
        if (result.done) this.#isFinished = true;
        return result;
      },
      (reason) => {
        this.#ongoing = null;
        this.#isFinished = true;
        throw reason;
      },
    );
  }

  #end(value: unknown): Promise<ReadResult> {
    if (this.#isFinished) return resolvedWith({ value, done: true });
    this.#isFinished = true;
    const reader = this.#reader;
    if (this.#preventCancel) {
      releaseReader(reader);
      return resolvedWith({ value, done: true });
    }
    const cancelled = cancelByReader(reader, value);
    releaseReader(reader);
    return promiseThen(cancelled, () => ({ value, done: true }));
  }
}

let walkOf: (iterator: unknown) => Walk;
let makeIterator: (walk: Walk) => object;

/** A private field on an object whose prototype is the standard's and not a class's. */
class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a class below adds its field to another object.
    return object;
  }
}
class Iterator extends Returned {
  readonly #walk: Walk;
  constructor(object: object, walk: Walk) {
    super(object);
    this.#walk = walk;
  }
  static {
    walkOf = (iterator) => (iterator as Iterator).#walk;
    makeIterator = (walk) => new Iterator(create(iteratorPrototype()), walk);
  }
}

let prototype: object | null = null;
function iteratorPrototype(): object {
  if (prototype !== null) return prototype;
  const methods = {
    next(): Promise<ReadResult> {
      return promiseOf(() => walkOf(this).next());
    },
    return(value: unknown): Promise<ReadResult> {
      return promiseOf(() => walkOf(this).return(value));
    },
  };
  const made = create(asyncIteratorPrototype) as object;
  for (let at = 0; at < NAMES.length; at += 1) {
    const name = NAMES[at]!;
    const method = { __proto__: null, value: methods[name], writable: true, configurable: true, enumerable: true };
    defineProperty(made, name, method as PropertyDescriptor);
  }
  prototype = made;
  return made;
}
const NAMES = ['next', 'return'] as const;

export const iterate = (stream: Readable, preventCancel: boolean): object =>
  makeIterator(new Walk(stream, preventCancel));

type AnyIterator = Record<'next' | 'return', unknown>;

/** ReadableStream.from: a stream of what an iterable gives, asynchronous or not. */
export function streamOfIterable(iterable: unknown): Readable {
  if (iterable === undefined || iterable === null)
    throw new NativeTypeError('from takes something that can be iterated');
  const { iterator, isAsync } = iteratorOf(iterable as Record<symbol, unknown>);
  const next = iterator.next as Method;
  const stream = new Readable();
  const pull = (): Promise<unknown> =>
    promiseThen(resolvedWith(apply(next, iterator, []) as ReadResult), (result) => {
      if (!isObject(result)) throw new NativeTypeError('The iterator gave something that is no object');
      const { done, value } = result as ReadResult;
      if (done) controller.close();
      else if (isAsync) controller.enqueue(value);
      else return promiseThen(resolvedWith(value), (settled) => controller.enqueue(settled));
      return undefined;
    });
  const cancel = (reason: unknown): Promise<unknown> => {
    const end = iterator.return;
    if (end === undefined || end === null) return resolvedWith(undefined);
    if (typeof end !== 'function') return rejectedWith(new NativeTypeError('return must be a function'));
    return promiseThen(resolvedWith(apply(end as Method, iterator, [reason])), (result) => {
      if (!isObject(result)) throw new NativeTypeError('return gave something that is no object');
    });
  };
  const source = {
    start: () => undefined,
    pull: () => promiseOf(pull),
    cancel: (reason: unknown) => promiseOf(() => cancel(reason)),
  };
  const controller = new DefaultController(stream, source, 0, () => 1);
  controller.begin();
  return stream;
}

function iteratorOf(iterable: Record<symbol, unknown>): { iterator: AnyIterator; isAsync: boolean } {
  const asyncMethod = iterable[symbolAsyncIterator];
  const isAsync = asyncMethod !== undefined && asyncMethod !== null;
  const method = isAsync ? asyncMethod : iterable[symbolIterator];
  if (typeof method !== 'function') throw new NativeTypeError('from takes something that can be iterated');
  const iterator = apply(method, iterable, []) as AnyIterator;
  if (!isObject(iterator)) throw new NativeTypeError('The iterator is no object');
  return { iterator, isAsync };
}
