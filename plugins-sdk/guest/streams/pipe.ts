import { type AbortSignal, offAbort, onAbort } from '../abort.ts';
import { NativePromise, NativeTypeError, promiseThen } from '../primordials.ts';
import { Deferred, markHandled, rejectedWith, resolvedWith, upon } from './promises.ts';
import { cancelReadable, type Readable, Reader, readFrom, releaseReader } from './readable.ts';
import { closeByWriter, releaseWriter, type Writable, Writer } from './writable.ts';

export interface PipeOptions {
  preventAbort: boolean;
  preventCancel: boolean;
  preventClose: boolean;
  signal: AbortSignal | undefined;
}

type Action = () => Promise<unknown>;

const noop = (): void => {};

/** The standard's ReadableStreamPipeTo: moves chunks as fast as the sink takes them, and hands on ends and errors. */
export function pipe(source: Readable, sink: Writable, options: PipeOptions): Promise<undefined> {
  const { preventAbort, preventCancel, preventClose, signal } = options;
  const reader = new Reader(source, false);
  const writer = new Writer(sink);
  const result = new Deferred<undefined>();
  source.isDisturbed = true;
  let isShuttingDown = false;
  let currentWrite: Promise<unknown> = resolvedWith(undefined);

  const finalize = (isError: boolean, reason: unknown): void => {
    releaseWriter(writer);
    releaseReader(reader);
    if (signal !== undefined) offAbort(signal, stop);
    if (isError) result.reject(reason);
    else result.resolve(undefined);
  };
  /** Those that were begun while others were waited for count too. */
  const writesDone = (): Promise<unknown> => {
    const waited = currentWrite;
    return promiseThen(waited, () => (waited === currentWrite ? undefined : writesDone()));
  };
  const shutDown = (isError: boolean, reason: unknown, action?: Action): void => {
    if (isShuttingDown) return;
    isShuttingDown = true;
    const finish = (): void => {
      if (action === undefined) finalize(isError, reason);
      else
        upon(
          action(),
          () => finalize(isError, reason),
          (failure) => finalize(true, failure),
        );
    };
    if (sink.state === 'writable' && !sink.isClosing) upon(writesDone(), finish);
    else finish();
  };
  const stop = (): void => {
    const reason = signal!.reason;
    shutDown(true, reason, () =>
      both(
        preventAbort || sink.state !== 'writable' ? null : () => sink.abort(reason),
        preventCancel || source.state !== 'readable' ? null : () => cancelReadable(source, reason),
      ),
    );
  };
  const closeSink = (): Promise<undefined> => {
    if (sink.isClosing || sink.state === 'closed') return resolvedWith(undefined);
    return sink.state === 'errored' ? rejectedWith(sink.storedError) : closeByWriter(writer);
  };

  const step = (): Promise<boolean> => {
    if (isShuttingDown) return resolvedWith(true);
    return promiseThen(writer.ready.promise, () => {
      const moved = new Deferred<boolean>();
      readFrom(reader, {
        // Not at once: whoever enqueues must not find itself inside the sink.
        chunk: (chunk) => {
          const write = (): Promise<undefined> => sink.write(writer, chunk);
          currentWrite = promiseThen(promiseThen(resolvedWith(undefined), write), undefined, noop);
          upon(resolvedWith(undefined), () => moved.resolve(false));
        },
        close: () => moved.resolve(true),
        error: (reason) => moved.reject(reason),
      });
      return moved.promise;
    });
  };
  const loop = (): Promise<void> =>
    new NativePromise<void>((resolve, reject) => {
      const next = (isDone: boolean): void => {
        if (isDone) resolve();
        else promiseThen(step(), next, reject);
      };
      next(false);
    });

  if (signal !== undefined) {
    if (signal.aborted) {
      stop();
      return result.promise;
    }
    onAbort(signal, stop);
  }
  const sourceFailed = (reason: unknown): void =>
    shutDown(true, reason, preventAbort ? undefined : () => sink.abort(reason));
  const sinkFailed = (reason: unknown): void =>
    shutDown(true, reason, preventCancel ? undefined : () => cancelReadable(source, reason));
  const sourceEnded = (): void => shutDown(false, undefined, preventClose ? undefined : closeSink);
  if (source.state === 'errored') sourceFailed(source.storedError);
  else upon(reader.closed.promise, undefined, sourceFailed);
  if ((sink.state as string) === 'errored') sinkFailed(sink.storedError);
  else upon(writer.closed.promise, undefined, sinkFailed);
  if ((source.state as string) === 'closed') sourceEnded();
  else upon(reader.closed.promise, sourceEnded, noop);
  if (sink.isClosing || sink.state === 'closed')
    sinkFailed(new NativeTypeError('The sink is closed: nothing can be piped to it'));
  markHandled(loop());
  return result.promise;
}

/** Both actions, begun at once; rejects with the first failure. */
function both(first: Action | null, second: Action | null): Promise<unknown> {
  const started = [
    first === null ? resolvedWith(undefined) : first(),
    second === null ? resolvedWith(undefined) : second(),
  ];
  return new NativePromise<void>((resolve, reject) => {
    let left = 2;
    const count = (): void => {
      left -= 1;
      if (left === 0) resolve();
    };
    promiseThen(started[0]!, count, reject);
    promiseThen(started[1]!, count, reject);
  });
}
