import { NativeTypeError } from '../primordials.ts';
export class CountQueuingStrategy {
  x(): void {
    throw new NativeTypeError('a');
  }
}
export class ReadableStream {}
