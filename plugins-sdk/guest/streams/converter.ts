import { promiseOf, resolvedWith } from './promises.ts';
import { faceOfReadable, type ReadableStream } from './readable-stream.ts';
import { Transform } from './transform-stream.ts';
import { faceOfWritable, type WritableStream } from './writable-stream.ts';

type Put = (chunk: unknown) => void;
/** Null where the reader wants more, else when it does. */
type Room = () => Promise<undefined> | null;

interface Conversion {
  convert(chunk: unknown, put: Put, room: Room): Promise<undefined> | undefined;
  flush(put: Put): void;
}

/** A pair of streams that turn chunks into chunks. */
export class Converter {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;

  constructor({ convert, flush }: Conversion) {
    const put = (chunk: unknown): void => core.enqueue(chunk);
    const room = (): Promise<undefined> | null => core.room();
    const done = resolvedWith<unknown>(undefined);
    const core: Transform = new Transform(
      {
        transform: (chunk) => promiseOf(() => convert(chunk, put, room) ?? done),
        flush: () =>
          promiseOf(() => {
            flush(put);
            return done;
          }),
        cancel: () => done,
      },
      done,
    );
    this.readable = faceOfReadable(core.readable);
    this.writable = faceOfWritable(core.writable);
  }
}
