import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for globals that no plugin should have',
  code: jobIn(`
    const known = new Set(('globalThis self Infinity NaN undefined isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape '
      + 'Object Function Array Number Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError '
      + 'JSON Math Intl Reflect Proxy Map Set WeakMap WeakSet BigInt ArrayBuffer DataView Iterator Temporal DisposableStack AsyncDisposableStack '
      + 'Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array '
      + 'console crypto navigator performance setTimeout setInterval clearTimeout clearInterval queueMicrotask structuredClone atob btoa TextEncoder TextDecoder '
      + 'Headers Request Response Event EventTarget DOMException AbortController AbortSignal URL URLSearchParams URLPattern fetch Blob File FormData '
      + 'ReadableStream ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamDefaultController ReadableByteStreamController '
      + 'ReadableStreamBYOBRequest WritableStream WritableStreamDefaultWriter WritableStreamDefaultController TransformStream '
      + 'TransformStreamDefaultController ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream TextDecoderStream '
      + 'CompressionStream DecompressionStream Crypto CryptoKey SubtleCrypto CustomEvent Performance Navigator reportError').split(' '));
    return Reflect.ownKeys(globalThis).map(String).filter((name) => !known.has(name));`),
  ends: { answers: [] },
} satisfies Attack;
