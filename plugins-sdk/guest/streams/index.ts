export { ReadableByteStreamController, ReadableStreamBYOBRequest } from './byte-faces.ts';
export { ReadableStreamDefaultController, readableFrom } from './default-controller.ts';
export { nextChunk } from './readable.ts';
export { faceOfReadable, isReadable, ReadableStream, readableCore } from './readable-stream.ts';
export { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from './readers.ts';
export { ByteLengthQueuingStrategy, CountQueuingStrategy } from './strategies.ts';
export { TextDecoderStream, TextEncoderStream } from './text-streams.ts';
export { TransformStream, TransformStreamDefaultController } from './transform-stream.ts';
export {
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from './writable-stream.ts';
