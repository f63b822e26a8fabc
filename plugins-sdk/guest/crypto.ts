import { DOMException } from './dom-exception.ts';
import { currentInvocation, randomOf } from './invocation.ts';
import { takePart } from './parts.ts';
import {
  isView,
  NativeError,
  NativeTypeError,
  NativeUint8Array,
  numberToString,
  stringPadStart,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayKind,
  typedArrayOffset,
} from './primordials.ts';
import { RandomStream } from './random-stream.ts';
import { webClass } from './web-class.ts';

const BYTES_MAX = 65_536;

/** Libraries call `Math.random` while they load; what they get then is the same in every isolate and no secret. */
const startupRandom = new RandomStream('');

export function random(): number {
  const invocation = currentInvocation();
  return (invocation === null ? startupRandom : randomOf(invocation)).nextDouble();
}

function invocationRandom(name: string): RandomStream {
  const invocation = currentInvocation();
  if (invocation !== null) return randomOf(invocation);
  throw new NativeError(
    `crypto.${name} cannot be used while the bundle starts: every isolate would get the same bytes. Call it inside a handler.`,
  );
}

const BY_RUNTIME = {};

/** Web Crypto's Crypto: random values come from the invocation's seed. */
export class Crypto {
  readonly #own = true;
  constructor(key: object | undefined = undefined) {
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: use crypto');
  }

  get subtle(): object {
    return this.#own ? takePart<typeof import('./subtle/index.ts')>('subtle').subtle : this;
  }

  getRandomValues<View extends ArrayBufferView>(array: View): View {
    const kind = this.#own ? typedArrayKind(array as unknown) : undefined;
    if (kind === undefined && !isView(array)) {
      throw new NativeTypeError('crypto.getRandomValues takes a typed array of integers');
    }
    if (kind === undefined || kind === 'Float16Array' || kind === 'Float32Array' || kind === 'Float64Array') {
      throw new DOMException('crypto.getRandomValues takes a typed array of integers', 'TypeMismatchError');
    }
    const bytes = typedArrayBytes(array);
    if (bytes > BYTES_MAX)
      throw new DOMException(`At most ${BYTES_MAX} bytes at once, not ${bytes}`, 'QuotaExceededError');
    const target = new NativeUint8Array(typedArrayBuffer(array), typedArrayOffset(array), bytes);
    invocationRandom('getRandomValues').fill(target, bytes);
    return array;
  }

  /** UUID version 4 (RFC 9562). */
  randomUUID(): string {
    const stream = this.#own ? invocationRandom('randomUUID') : startupRandom;
    let text = '';
    for (let at = 0; at < 16; at += 1) {
      let byte = stream.nextByte();
      if (at === 6) byte = (byte & 0x0f) | 0x40;
      if (at === 8) byte = (byte & 0x3f) | 0x80;
      if (at === 4 || at === 6 || at === 8 || at === 10) text += '-';
      text += stringPadStart(numberToString(byte, 16), 2, '0');
    }
    return text;
  }
}
webClass(Crypto, 'Crypto');
export const pluginCrypto = new Crypto(BY_RUNTIME);
