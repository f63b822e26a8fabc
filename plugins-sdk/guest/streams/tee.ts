import { copyOfBytes, isView } from '../primordials.ts';
import { bytesIn, viewFacts } from './buffers.ts';
import { ByteController } from './byte-controller.ts';
import { DefaultController } from './default-controller.ts';
import { Deferred, resolvedWith, upon } from './promises.ts';
import type { Source } from './pump.ts';
import { cancelReadable, Readable, Reader, readFrom, releaseReader } from './readable.ts';
import { readInto } from './readers.ts';

interface Branch {
  stream: Readable;
  isCancelled: boolean;
  reason: unknown;
}

/** What the two branches of a stream have in common: a cancellation that counts when both have cancelled. */
class Fork {
  readonly source: Readable;
  readonly one: Branch = { stream: new Readable(), isCancelled: false, reason: undefined };
  readonly two: Branch = { stream: new Readable(), isCancelled: false, reason: undefined };
  readonly cancelled = new Deferred<undefined>();
  isReading = false;

  constructor(source: Readable) {
    this.source = source;
  }
  cancel(branch: Branch, reason: unknown): Promise<undefined> {
    branch.isCancelled = true;
    branch.reason = reason;
    if (this.one.isCancelled && this.two.isCancelled) {
      const result = cancelReadable(this.source, [this.one.reason, this.two.reason]);
      this.cancelled.resolve(result as never);
    }
    return this.cancelled.promise;
  }
  /** The stream has ended, so that nobody need cancel any more. */
  settle(): void {
    if (!this.one.isCancelled || !this.two.isCancelled) this.cancelled.resolve(undefined);
  }
  sourceOf(branch: Branch, pull: () => Promise<undefined>): Source {
    return { start: () => undefined, pull, cancel: (reason) => this.cancel(branch, reason) };
  }
}

const soon = (run: () => void): void => upon(resolvedWith(undefined), run);

/** Two streams of what one would have given. With `copies` the second gets bytes of its own. */
export function teeReadable(source: Readable, copies: boolean): [Readable, Readable] {
  return source.controller instanceof ByteController ? teeBytes(source) : teeChunks(source, copies);
}

function teeChunks(source: Readable, copies: boolean): [Readable, Readable] {
  const reader = new Reader(source, false);
  const fork = new Fork(source);
  let readAgain = false;
  const pull = (): Promise<undefined> => {
    if (fork.isReading) {
      readAgain = true;
      return resolvedWith(undefined);
    }
    fork.isReading = true;
    readFrom(reader, {
      chunk: (chunk) =>
        soon(() => {
          readAgain = false;
          if (!fork.one.isCancelled) first.enqueue(chunk);
          if (!fork.two.isCancelled) second.enqueue(copies ? copied(chunk) : chunk);
          fork.isReading = false;
          if (readAgain) void pull();
        }),
      close: () => {
        fork.isReading = false;
        if (!fork.one.isCancelled) first.close();
        if (!fork.two.isCancelled) second.close();
        fork.settle();
      },
      error: () => {
        fork.isReading = false;
      },
    });
    return resolvedWith(undefined);
  };
  const first = new DefaultController(fork.one.stream, fork.sourceOf(fork.one, pull), 1, () => 1);
  const second = new DefaultController(fork.two.stream, fork.sourceOf(fork.two, pull), 1, () => 1);
  first.begin();
  second.begin();
  upon(reader.closed.promise, undefined, (reason) => {
    first.error(reason);
    second.error(reason);
    fork.settle();
  });
  return [fork.one.stream, fork.two.stream];
}

/** Chunks of bodies are bytes; what else a plugin puts there is refused when it is read. */
function copied(chunk: unknown): unknown {
  return isView(chunk) ? cloneOf(chunk) : chunk;
}

function cloneOf(view: ArrayBufferView): Uint8Array {
  const { buffer, byteOffset, byteLength } = viewFacts(view);
  return copyOfBytes(bytesIn(buffer, byteOffset, byteLength));
}

/** Reads with the buffer of whichever branch offers one, and gives the other a copy. */
function teeBytes(source: Readable): [Readable, Readable] {
  const fork = new Fork(source);
  let reader = new Reader(source, false);
  let readAgainFirst = false;
  let readAgainSecond = false;

  const watch = (watched: Reader): void =>
    upon(watched.closed.promise, undefined, (reason) => {
      if (watched !== reader) return;
      first.error(reason);
      second.error(reason);
      fork.settle();
    });
  const changeReader = (isByob: boolean): void => {
    if (reader.isByob === isByob) return;
    releaseReader(reader);
    reader = new Reader(source, isByob);
    watch(reader);
  };
  const goOn = (): void => {
    fork.isReading = false;
    if (readAgainFirst) void pullFirst();
    else if (readAgainSecond) void pullSecond();
  };
  const failBoth = (thrown: unknown): void => {
    first.error(thrown);
    second.error(thrown);
    fork.cancelled.resolve(cancelReadable(source, thrown) as never);
  };

  const pullDefault = (): void => {
    changeReader(false);
    readFrom(reader, {
      chunk: (chunk) =>
        soon(() => {
          readAgainFirst = false;
          readAgainSecond = false;
          let other = chunk as ArrayBufferView;
          if (!fork.one.isCancelled && !fork.two.isCancelled) {
            try {
              other = cloneOf(other);
            } catch (thrown) {
              failBoth(thrown);
              return;
            }
          }
          if (!fork.one.isCancelled) first.enqueue(chunk as ArrayBufferView);
          if (!fork.two.isCancelled) second.enqueue(other);
          goOn();
        }),
      close: () => {
        fork.isReading = false;
        if (!fork.one.isCancelled) first.close();
        if (!fork.two.isCancelled) second.close();
        if (first.isWaitedFor) first.respond(0);
        if (second.isWaitedFor) second.respond(0);
        fork.settle();
      },
      error: () => {
        fork.isReading = false;
      },
    });
  };

  const pullByob = (view: ArrayBufferView, forSecond: boolean): void => {
    changeReader(true);
    const mine = forSecond ? second : first;
    const minesBranch = forSecond ? fork.two : fork.one;
    const others = forSecond ? first : second;
    const othersBranch = forSecond ? fork.one : fork.two;
    readInto(reader, view, 1, {
      chunk: (chunk) =>
        soon(() => {
          readAgainFirst = false;
          readAgainSecond = false;
          const filled = chunk as ArrayBufferView;
          if (!othersBranch.isCancelled) {
            let clone: Uint8Array;
            try {
              clone = cloneOf(filled);
            } catch (thrown) {
              failBoth(thrown);
              return;
            }
            if (!minesBranch.isCancelled) mine.respondWithNewView(filled);
            others.enqueue(clone);
          } else if (!minesBranch.isCancelled) mine.respondWithNewView(filled);
          goOn();
        }),
      close: (chunk) => {
        fork.isReading = false;
        if (!minesBranch.isCancelled) mine.close();
        if (!othersBranch.isCancelled) others.close();
        if (chunk !== undefined) {
          if (!minesBranch.isCancelled) mine.respondWithNewView(chunk);
          if (!othersBranch.isCancelled && others.isWaitedFor) others.respond(0);
        }
        fork.settle();
      },
      error: () => {
        fork.isReading = false;
      },
    });
  };

  const pullFirst = (): Promise<undefined> => {
    if (fork.isReading) {
      readAgainFirst = true;
      return resolvedWith(undefined);
    }
    fork.isReading = true;
    const { offer } = first;
    if (offer === null) pullDefault();
    else pullByob(offer.view!, false);
    return resolvedWith(undefined);
  };
  const pullSecond = (): Promise<undefined> => {
    if (fork.isReading) {
      readAgainSecond = true;
      return resolvedWith(undefined);
    }
    fork.isReading = true;
    const { offer } = second;
    if (offer === null) pullDefault();
    else pullByob(offer.view!, true);
    return resolvedWith(undefined);
  };

  const first = new ByteController(fork.one.stream, fork.sourceOf(fork.one, pullFirst), 0);
  const second = new ByteController(fork.two.stream, fork.sourceOf(fork.two, pullSecond), 0);
  first.begin();
  second.begin();
  watch(reader);
  return [fork.one.stream, fork.two.stream];
}
