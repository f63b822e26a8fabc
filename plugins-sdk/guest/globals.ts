import { AbortController, AbortSignal } from './abort.ts';
import { installClock } from './clock.ts';
import { pluginConsole } from './console.ts';
import { Crypto, pluginCrypto, random } from './crypto.ts';
import { CustomEvent, DOMException, Event, EventTarget } from './events.ts';
import { fetch } from './fetch.ts';
import { Headers } from './headers.ts';
import { installLocale } from './locale.ts';
import { definePartGlobals } from './parts.ts';
import { Navigator, navigator, Performance, performance } from './performance.ts';
import { defineGlobal, defineProperty, nameFunction } from './primordials.ts';
import { removeForbidden } from './removals.ts';
import { Request } from './request.ts';
import { Response } from './response.ts';
import { structuredClone } from './structured-clone.ts';
import { atob, btoa, TextDecoder, TextEncoder } from './text-codec.ts';
import { clearTimeout, queueMicrotask, reportError, setInterval, setTimeout } from './timers.ts';
import { installUrl } from './url.ts';

/** Makes the global object what a plugin author expects, and nothing more. */
export function installGlobals(): void {
  removeForbidden();
  installClock();
  installLocale();
  installUrl();
  definePartGlobals('streams', STREAMS);
  definePartGlobals('subtle', ['CryptoKey', 'SubtleCrypto']);
  definePartGlobals('blob', ['Blob', 'File', 'FormData']);
  definePartGlobals('compression', ['CompressionStream', 'DecompressionStream']);
  defineProperty(Math, 'random', { value: random, writable: true, configurable: true, enumerable: false });
  const globals: Record<string, unknown> = {
    self: globalThis,
    console: pluginConsole,
    crypto: pluginCrypto,
    Crypto,
    navigator,
    Navigator,
    performance,
    Performance,
    setTimeout,
    setInterval,
    clearTimeout,
    clearInterval: clearTimeout,
    queueMicrotask,
    reportError,
    structuredClone,
    atob,
    btoa,
    TextEncoder,
    TextDecoder,
    fetch,
    Headers,
    Request,
    Response,
    Event,
    CustomEvent,
    EventTarget,
    DOMException,
    AbortController,
    AbortSignal,
  };
  for (const [name, value] of Object.entries(globals)) {
    if (typeof value === 'function') nameFunction(value, name);
    defineGlobal(name, value);
  }
  nameFunction(clearTimeout, 'clearTimeout');
  nameFunction(random, 'random');
}

const STREAMS = [
  'ReadableStream',
  'ReadableStreamDefaultReader',
  'ReadableStreamBYOBReader',
  'ReadableStreamDefaultController',
  'ReadableByteStreamController',
  'ReadableStreamBYOBRequest',
  'WritableStream',
  'WritableStreamDefaultWriter',
  'WritableStreamDefaultController',
  'TransformStream',
  'TransformStreamDefaultController',
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'TextEncoderStream',
  'TextDecoderStream',
];
