import { AbortSignal, neverAborted } from './abort.ts';
import {
  Body,
  type BodyContent,
  clonedBody,
  contentFromWire,
  type ExtractedBody,
  extractBody,
  hasBody,
  incomingStream,
  isBodyUsed,
  movedBody,
} from './body.ts';
import { copiedHeaders, type HeaderList, Headers, headersFromList } from './headers.ts';
import type { UnreadRequest } from './input.ts';
import type { Invocation } from './invocation.ts';
import { jsonParse, NativeTypeError, regExpExec, stringLower, stringUpper } from './primordials.ts';
import { hrefOf } from './url.ts';
import { showAs, webClass } from './web-class.ts';

interface RequestOptions {
  method?: string;
  headers?: ConstructorParameters<typeof Headers>[0];
  body?: unknown;
  signal?: AbortSignal | null;
  redirect?: string;
  duplex?: string;
  cache?: string;
  credentials?: string;
  integrity?: string;
  keepalive?: boolean;
  mode?: string;
  referrer?: string;
  referrerPolicy?: string;
  priority?: string;
  window?: null;
}

/** Methods that Fetch writes in capitals; others keep their spelling. */
const NORMALISED = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i;
const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;
const PRIORITY = /^(?:high|low|auto)$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What a browser does with a request and a host does not: kept, so that code which asks gets what it gave. */
interface Manners {
  redirect: string;
  cache: string;
  credentials: string;
  integrity: string;
  keepalive: boolean;
  mode: string;
  referrer: string;
  referrerPolicy: string;
}

const USUAL: Manners = {
  redirect: 'follow',
  cache: 'default',
  credentials: 'same-origin',
  integrity: '',
  keepalive: false,
  mode: 'cors',
  referrer: 'about:client',
  referrerPolicy: '',
};

const CHOICES: [name: 'redirect' | 'cache' | 'credentials' | 'mode' | 'referrerPolicy', choices: RegExp][] = [
  ['cache', /^(?:default|no-store|reload|no-cache|force-cache|only-if-cached)$/],
  ['credentials', /^(?:omit|same-origin|include)$/],
  ['mode', /^(?:navigate|same-origin|no-cors|cors)$/],
  ['redirect', /^(?:follow|error|manual)$/],
  [
    'referrerPolicy',
    /^(?:|no-referrer|no-referrer-when-downgrade|same-origin|origin|strict-origin|origin-when-cross-origin|strict-origin-when-cross-origin|unsafe-url)$/,
  ],
];

let wireRequest: (wire: UnreadRequest, invocation: Invocation) => Request;
let isReal: (value: unknown) => boolean;

/** Fetch's Request. Its body is in memory, or a stream that the plugin gave. */
export class Request extends Body {
  #method = 'GET';
  #url = '';
  #headersJson = '[]';
  #headers: Headers | null = null;
  #signal: AbortSignal | null = null;
  #manners: Manners = USUAL;

  static {
    showAs(Request, (self: Request) => [
      ['method', self.#method],
      ['url', self.#url],
      ['headers', self.#headersNow()],
      ['bodyUsed', isBodyUsed(self)],
    ]);
    wireRequest = (wire, invocation) => {
      const content = contentFromWire(wire.body, wire.bodyEncoding);
      const stream = wire.streamed === true ? incomingStream(invocation) : null;
      const request = new Request(FROM_WIRE as never, content as never, stream);
      request.#method = wire.method;
      request.#url = wire.url;
      request.#headersJson = wire.headersJson;
      return request;
    };
    isReal = (value) => typeof value === 'object' && value !== null && #manners in value;
  }

  constructor(input: string | URL | Request, options: RequestOptions = {}, stream: unknown = null) {
    if ((input as unknown) === FROM_WIRE) {
      super(options as BodyContent, stream as ExtractedBody['stream']);
      return;
    }
    if (options !== null && typeof options !== 'object' && typeof options !== 'function') {
      throw new NativeTypeError('The options of a request must be an object');
    }
    const given = (options ?? {}) as RequestOptions;
    const from = isRequest(input) ? input : null;
    // Checked before the body is taken out of `input`.
    const url = from === null ? requestUrl(input) : from.#url;
    const manners = mannersOf(given, from === null ? USUAL : from.#manners);
    const method = methodOf(given, from);
    const bodied = requestBody(given, from, method);
    super(bodied.content, bodied.stream);
    this.#url = url;
    this.#manners = manners;
    this.#method = method;
    this.#headers =
      given.headers === undefined && from !== null ? copiedHeaders(from.headers) : new Headers(given.headers);
    const { contentType } = bodied;
    if (contentType !== null && !this.#headers.has('content-type')) this.#headers.append('content-type', contentType);
    this.#signal = signalOf(given, from === null ? null : from.#signal);
  }

  get method(): string {
    return this.#method;
  }
  get url(): string {
    return this.#url;
  }
  get headers(): Headers {
    return this.#headersNow();
  }
  get signal(): AbortSignal {
    this.#signal ??= neverAborted();
    return this.#signal;
  }
  get redirect(): string {
    return this.#manners.redirect;
  }
  get cache(): string {
    return this.#manners.cache;
  }
  get credentials(): string {
    return this.#manners.credentials;
  }
  get integrity(): string {
    return this.#manners.integrity;
  }
  get keepalive(): boolean {
    return this.#manners.keepalive;
  }
  get mode(): string {
    return this.#manners.mode;
  }
  get referrer(): string {
    return this.#manners.referrer;
  }
  get referrerPolicy(): string {
    return this.#manners.referrerPolicy;
  }
  get destination(): string {
    void this.#method;
    return '';
  }
  get duplex(): string {
    void this.#method;
    return 'half';
  }
  get isHistoryNavigation(): boolean {
    void this.#method;
    return false;
  }
  get isReloadNavigation(): boolean {
    void this.#method;
    return false;
  }

  #headersNow(): Headers {
    this.#headers ??= headersFromList(lowerNames(jsonParse(this.#headersJson) as HeaderList));
    return this.#headers;
  }

  clone(): Request {
    const { content, stream } = clonedBody(this);
    const copy = new Request(FROM_WIRE as never, content as never, stream);
    copy.#method = this.#method;
    copy.#url = this.#url;
    copy.#headers = copiedHeaders(this.headers);
    copy.#signal = this.#signal;
    copy.#manners = this.#manners;
    return copy;
  }
}
webClass(Request, 'Request');

const FROM_WIRE = Symbol('from wire');

/** The request of an invocation; its headers are read when somebody asks for them. */
export const requestFromWire = (wire: UnreadRequest, invocation: Invocation): Request => wireRequest(wire, invocation);

function isRequest(value: unknown): value is Request {
  return isReal(value);
}

function requestUrl(input: unknown): string {
  const href = hrefOf(input);
  if (regExpExec(CREDENTIALS, href) !== null) {
    throw new NativeTypeError('The address of a request cannot have a user or a password; use a header');
  }
  return href;
}
const CREDENTIALS = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/;

function mannersOf(given: RequestOptions, otherwise: Manners): Manners {
  let manners = otherwise;
  const change = <Name extends keyof Manners>(name: Name, value: Manners[Name]): void => {
    if (manners === otherwise) manners = { ...otherwise };
    manners[name] = value;
  };
  if (given.window !== undefined && given.window !== null) throw new NativeTypeError('window must be null');
  for (let at = 0; at < CHOICES.length; at += 1) {
    const name = CHOICES[at]![0];
    const value = given[name];
    if (value === undefined) continue;
    const text = `${value}`;
    if (regExpExec(CHOICES[at]![1], text) === null) throw new NativeTypeError(`${name} cannot be "${text}"`);
    if (name === 'mode' && text === 'navigate') throw new NativeTypeError('mode cannot be "navigate"');
    change(name, text);
  }
  if (given.priority !== undefined && regExpExec(PRIORITY, `${given.priority}`) === null) {
    throw new NativeTypeError(`priority cannot be "${given.priority}"`);
  }
  if (given.integrity !== undefined) change('integrity', `${given.integrity}`);
  if (given.keepalive !== undefined) change('keepalive', !!given.keepalive);
  if (given.referrer !== undefined) {
    const text = `${given.referrer}`;
    change('referrer', text === '' || text === 'about:client' ? text : hrefOf(text));
  }
  if (manners.cache === 'only-if-cached' && manners.mode !== 'same-origin') {
    throw new NativeTypeError('cache "only-if-cached" needs mode "same-origin"');
  }
  return manners;
}

function methodOf(given: RequestOptions, from: Request | null): string {
  if (given.method === undefined) return from === null ? 'GET' : from.method;
  const method = `${given.method}`;
  if (regExpExec(TOKEN, method) === null) throw new NativeTypeError(`"${method}" is not a valid method`);
  if (regExpExec(FORBIDDEN, method) !== null) throw new NativeTypeError(`The method ${method} is not allowed`);
  return regExpExec(NORMALISED, method) === null ? method : stringUpper(method);
}

function requestBody(given: RequestOptions, from: Request | null, method: string): ExtractedBody {
  const { body, duplex } = given;
  if (duplex !== undefined && `${duplex}` !== 'half') throw new NativeTypeError('duplex is "half" or left out');
  const isGiven = body !== undefined && body !== null;
  const isBodiless = method === 'GET' || method === 'HEAD';
  if (isBodiless && (isGiven || (from !== null && hasBody(from)))) {
    throw new NativeTypeError(`A ${method} request cannot have a body`);
  }
  if (!isGiven) return from === null ? extractBody(null) : movedBody(from);
  const extracted = extractBody(body);
  if (extracted.stream !== null && duplex === undefined) {
    throw new NativeTypeError("A stream as the body of a request needs duplex: 'half'");
  }
  return extracted;
}

/** The signal itself and not one that follows it: there is nothing between the two. */
function signalOf({ signal }: RequestOptions, otherwise: AbortSignal | null): AbortSignal | null {
  if (signal === undefined) return otherwise;
  if (signal === null) return null;
  if (!(signal instanceof AbortSignal)) throw new NativeTypeError('signal must be an AbortSignal');
  return signal;
}

function lowerNames(list: HeaderList): HeaderList {
  for (let at = 0; at < list.length; at += 1) list[at]![0] = stringLower(list[at]![0]);
  return list;
}
