/** One thing of the web platform, as plugins have it. */
export interface WebApi {
  /** A global, or a path below one: `URL.canParse`, `AbortSignal.prototype.reason`. */
  name: string;
  state: 'present' | 'partial' | 'absent';
  /** What is different, or why it is not there; empty where it is as the standard says. */
  note: string;
}

export interface WebApiGroup {
  title: string;
  standard: string;
  apis: WebApi[];
}

const there = (name: string): WebApi => ({ name, state: 'present', note: '' });
const partly = (name: string, note: string): WebApi => ({ name, state: 'partial', note });
const absent = (name: string, note: string): WebApi => ({ name, state: 'absent', note });

/**
 * Everything of the WinterTC minimum common API (ECMA-429) and what else of the web platform plugins have or could look for. The page
 * docs/web-apis.md is made of it, and a test looks for each name in the real guest.
 */
export const WEB_APIS: readonly WebApiGroup[] = [
  {
    title: 'Addresses',
    standard: 'https://url.spec.whatwg.org/',
    apis: [
      there('URL'),
      there('URL.parse'),
      there('URL.canParse'),
      absent('URL.createObjectURL', 'There is no store of objects that outlives an invocation.'),
      there('URLSearchParams'),
      partly(
        'URLPattern',
        'Of rare patterns with bytes beyond ASCII or odd ports some match differently (95 % of its tests pass).',
      ),
    ],
  },
  {
    title: 'Text',
    standard: 'https://encoding.spec.whatwg.org/',
    apis: [
      there('TextEncoder'),
      partly(
        'TextDecoder',
        'UTF-8, UTF-16 and all encodings of single bytes; not those of several bytes for East Asia (gbk, gb18030, big5, euc-jp, iso-2022-jp, shift_jis, euc-kr): their tables are larger than the whole runtime.',
      ),
      there('TextEncoderStream'),
      partly('TextDecoderStream', 'The encodings of TextDecoder.'),
      there('atob'),
      there('btoa'),
    ],
  },
  {
    title: 'Requests and answers',
    standard: 'https://fetch.spec.whatwg.org/',
    apis: [
      partly(
        'fetch',
        'Hosts must be declared in the manifest and granted; there is no origin, so no CORS, cookies, cache or referrer; absolute addresses only.',
      ),
      there('Headers'),
      partly(
        'Request',
        'Absolute addresses only. `cache`, `credentials`, `mode`, `referrer` and `integrity` are kept and change nothing.',
      ),
      there('Response'),
      there('Response.json'),
      there('Response.redirect'),
      there('Response.error'),
      there('FormData'),
      absent('WebSocket', 'A plugin answers and ends; connections that stay open are refused with a clear error.'),
      absent('EventSource', 'Read the body of `fetch` as a stream.'),
      absent('XMLHttpRequest', 'Use `fetch`.'),
    ],
  },
  {
    title: 'Files',
    standard: 'https://w3c.github.io/FileAPI/',
    apis: [there('Blob'), there('File'), absent('FileReader', 'Use the methods of Blob.')],
  },
  {
    title: 'Streams',
    standard: 'https://streams.spec.whatwg.org/',
    apis: [
      there('ReadableStream'),
      there('ReadableStream.from'),
      there('ReadableStreamDefaultReader'),
      there('ReadableStreamBYOBReader'),
      there('ReadableStreamDefaultController'),
      there('ReadableByteStreamController'),
      there('ReadableStreamBYOBRequest'),
      there('WritableStream'),
      there('WritableStreamDefaultWriter'),
      there('WritableStreamDefaultController'),
      there('TransformStream'),
      there('TransformStreamDefaultController'),
      there('ByteLengthQueuingStrategy'),
      there('CountQueuingStrategy'),
    ],
  },
  {
    title: 'Compression',
    standard: 'https://compression.spec.whatwg.org/',
    apis: [there('CompressionStream'), there('DecompressionStream')],
  },
  {
    title: 'Cryptography',
    standard: 'https://w3c.github.io/webcrypto/',
    apis: [
      there('crypto'),
      there('Crypto'),
      partly(
        'crypto.getRandomValues',
        "The bytes come from the invocation's seed: unpredictable to the plugin, repeatable in a replay. Not while the bundle starts.",
      ),
      partly('crypto.randomUUID', 'As getRandomValues.'),
      partly(
        'crypto.subtle',
        'The host computes, at most 1 MiB at once, within `cpuMs`; each operation counts as a host call, but for SHA-256 and its HMAC over at most 16 KiB. Not while the bundle starts.',
      ),
      there('SubtleCrypto'),
      there('CryptoKey'),
      partly('SubtleCrypto.prototype.digest', 'SHA-1, SHA-256, SHA-384, SHA-512.'),
      partly('SubtleCrypto.prototype.sign', 'HMAC, ECDSA, Ed25519, RSASSA-PKCS1-v1_5, RSA-PSS.'),
      partly('SubtleCrypto.prototype.verify', 'As sign.'),
      partly('SubtleCrypto.prototype.encrypt', 'AES-GCM.'),
      partly('SubtleCrypto.prototype.decrypt', 'AES-GCM.'),
      partly('SubtleCrypto.prototype.deriveBits', 'HKDF, and PBKDF2 with at most 1,000,000 iterations.'),
      partly('SubtleCrypto.prototype.deriveKey', 'As deriveBits.'),
      partly('SubtleCrypto.prototype.generateKey', "HMAC, AES-GCM, ECDSA, Ed25519; of the invocation's seed."),
      partly(
        'SubtleCrypto.prototype.importKey',
        "All of these. `{ secret: 'NAME' }` instead of bytes makes a key of a secret, whose value never enters the isolate.",
      ),
      there('SubtleCrypto.prototype.exportKey'),
      partly('SubtleCrypto.prototype.wrapKey', 'With AES-GCM.'),
      partly('SubtleCrypto.prototype.unwrapKey', 'With AES-GCM.'),
    ],
  },
  {
    title: 'Events and aborting',
    standard: 'https://dom.spec.whatwg.org/',
    apis: [
      partly(
        'Event',
        '`isTrusted` is a property of the prototype; `timeStamp` counts from the start of the invocation.',
      ),
      there('CustomEvent'),
      partly('EventTarget', 'A listener that throws ends the invocation, as an uncaught exception ends a program.'),
      there('AbortController'),
      there('AbortSignal'),
      there('AbortSignal.abort'),
      there('AbortSignal.any'),
      partly('AbortSignal.timeout', 'Counts as a timer, of which an invocation has a limited number.'),
      there('DOMException'),
      absent(
        'ErrorEvent',
        'What nobody catches ends the invocation; there is no handler of the whole isolate, which others share.',
      ),
      absent('PromiseRejectionEvent', 'As ErrorEvent; a rejection that nobody hears is no fault.'),
      absent('addEventListener', 'As ErrorEvent.'),
      absent('onerror', 'As ErrorEvent.'),
      absent('onunhandledrejection', 'As ErrorEvent.'),
      absent('onrejectionhandled', 'As ErrorEvent.'),
      absent(
        'MessageChannel',
        'There is nobody to send to: an isolate has one thread. Publish `events` to reach other plugins.',
      ),
      absent('MessagePort', 'As MessageChannel.'),
      absent('MessageEvent', 'As MessageChannel.'),
      absent('BroadcastChannel', 'As MessageChannel.'),
      absent('Worker', 'An isolate has one thread.'),
    ],
  },
  {
    title: 'Time and tasks',
    standard: 'https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html',
    apis: [
      partly(
        'setTimeout',
        'Functions only, no code as text; not while the bundle starts; at most `timers` of them. A callback that throws ends the invocation.',
      ),
      partly('setInterval', 'As setTimeout; each time it fires counts.'),
      there('clearTimeout'),
      there('clearInterval'),
      there('queueMicrotask'),
      partly(
        'performance',
        'Starts at 0 with the invocation and stands still within a turn. No marks, measures and entries.',
      ),
      there('Performance'),
      there('performance.now'),
      there('performance.timeOrigin'),
      absent('PerformanceObserver', 'The clock stands still within a turn.'),
    ],
  },
  {
    title: 'Everything else',
    standard: 'https://html.spec.whatwg.org/multipage/webappapis.html',
    apis: [
      there('globalThis'),
      there('self'),
      partly(
        'structuredClone',
        'Transfers buffers; streams and `CryptoKey` are refused, and a proxy is cloned as what it shows.',
      ),
      partly('reportError', 'Ends the invocation with the error.'),
      partly(
        'console',
        'Lines of the log of the invocation. `table` is written as its values; `clear` clears nothing.',
      ),
      partly('navigator', '`userAgent` alone, which is `Gatehouse`.'),
      there('navigator.userAgent'),
      there('Navigator'),
      absent('localStorage', 'Use the capability `kv`.'),
      absent('sessionStorage', 'As localStorage.'),
      absent('indexedDB', 'As localStorage.'),
      absent('caches', 'As localStorage.'),
      absent('location', 'A plugin has no address of its own; a request has.'),
      absent('document', 'There is no page.'),
      absent('window', 'There is no page; `globalThis` and `self` are there.'),
      absent('WebAssembly', 'Its memory is not counted by any limit of the heap.'),
      absent('SharedArrayBuffer', 'As WebAssembly.'),
      absent('Atomics', 'With shared memory, a clock finer than the one that plugins get.'),
      absent('ArrayBuffer.prototype.resize', 'As WebAssembly.'),
      absent('WeakRef', 'It shows when garbage is collected, which no replay can repeat.'),
      absent('FinalizationRegistry', 'As WeakRef.'),
      absent('eval', 'The code that was reviewed and signed is the code that runs. `new Function` throws.'),
      absent('process', 'Environment, files and sockets are reached through capabilities alone.'),
      absent('require', 'Bundle what you need; `gate pack` says what wants Node.js.'),
      absent('Buffer', 'Use Uint8Array, TextEncoder and atob.'),
    ],
  },
];

const STATES = { present: 'yes', partial: 'partly', absent: 'no' } as const;

/** docs/web-apis.md. */
export function webApisPage(): string {
  const every = WEB_APIS.flatMap(({ apis }) => apis);
  const count = (state: WebApi['state']) => every.filter((api) => api.state === state).length;
  const chapters = WEB_APIS.map(({ title, standard, apis }) => {
    const rows = apis.map(({ name, state, note }) => `| \`${name}\` | ${STATES[state]} | ${note} |`);
    return `## ${title}\n\n<${standard}>\n\n| name | there | |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `<!-- Written by \`node plugins-sdk/guest/web-apis.ts > docs/web-apis.md\`; do not edit. -->
# Web APIs of a plugin

What a plugin finds beside the language itself, which is that of V8 with the locale en-US and the zone UTC. It is the WinterTC minimum common
API (ECMA-429) with the differences below: ${count('present')} names as their standards say, ${count('partial')} with a difference, ${count('absent')} that are not there, each with
the reason. A test looks for every name in the real runtime, and for every global here; what the tests of the standards themselves say is
in [web-platform-tests.md](web-platform-tests.md).

Heavy parts (streams, \`URL\`, \`URLPattern\`, \`Blob\`, \`crypto.subtle\`, compression, other encodings than UTF-8) are compiled when a plugin first
uses them.

${chapters.join('\n')}`;
}

if (import.meta.main) process.stdout.write(webApisPage());
