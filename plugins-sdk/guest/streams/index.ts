export { isHeld, isUsed, movedStream, readToEnd, spentStream, streamOfBytes, teeBody } from './bodies.ts';
export { ReadableByteStreamController, ReadableStreamBYOBRequest } from './byte-faces.ts';
export { Converter } from './converter.ts';
export { ReadableStreamDefaultController } from './default-controller.ts';
export { sendPieces, streamOfRequest } from './pieces.ts';
export { isReadable, ReadableStream } from './readable-stream.ts';
export { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from './readers.ts';
export { ByteLengthQueuingStrategy, CountQueuingStrategy } from './strategies.ts';
export { TextDecoderStream, TextEncoderStream } from './text-streams.ts';
export { TransformStream, TransformStreamDefaultController } from './transform-stream.ts';
export {
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from './writable-stream.ts';
