import { Body, clonedBody, contentFromWire, type ExtractedBody, extractBody, isBodyUsed } from './body.ts';
import { copiedHeaders, type HeaderList, Headers, headersFromList, readOnlyHeaders } from './headers.ts';
import {
  jsonStringify,
  NativeNumber,
  NativeRangeError,
  NativeTypeError,
  regExpExec,
  stringWellFormed,
  trunc,
} from './primordials.ts';
import { hrefOf } from './url.ts';
import { showAs, webClass } from './web-class.ts';

interface ResponseOptions {
  status?: number;
  statusText?: string;
  headers?: ConstructorParameters<typeof Headers>[0];
}

const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304;
const isRedirect = (status: number): boolean =>
  status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

let isReal: (value: unknown) => value is Response;
let headersOf: (response: Response) => Headers;
let statusOf: (response: Response) => number;
let fromHost: (answer: HostAnswer) => Response;
/** Tells a Response from everything that only looks like one. */
export const isResponse = (value: unknown): value is Response => isReal(value);
export const responseHeaders = (response: Response): Headers => headersOf(response);
export const responseStatus = (response: Response): number => statusOf(response);

/** What the host says of an answer to a request of the plugin. */
export interface HostAnswer {
  status: number;
  statusText: string;
  headers: HeaderList;
  body: string | null;
  bodyEncoding: string;
  url: string;
  redirected: boolean;
}

const FROM_RUNTIME = {};
const FROM_JSON = {};
const TOKEN_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fetch's Response. Its body is in memory, or a stream that the plugin gave. */
export class Response extends Body {
  #status = 200;
  #statusText = '';
  #headers: Headers;
  #type = 'default';
  #url = '';
  #redirected = false;

  constructor(body?: unknown, options: ResponseOptions = {}, json = '') {
    if (body === FROM_RUNTIME) {
      const { content, stream } = options as ExtractedBody;
      super(content, stream);
      this.#headers = headersFromList([]);
      return;
    }
    const { content, contentType, stream } =
      body === FROM_JSON
        ? { content: stringWellFormed(json), contentType: 'application/json', stream: null }
        : extractBody(body);
    super(content, stream);
    const { status: given = 200, statusText = '', headers } = options ?? {};
    // Converted once: what is checked must be what is sent.
    const status = trunc(NativeNumber(given));
    if (!(status >= 200 && status <= 599)) {
      throw new NativeRangeError(`A response has a status from 200 to 599, not ${status}`);
    }
    if ((content !== null || stream !== null) && isBodiless(status)) {
      throw new NativeTypeError(`A response with status ${status} cannot have a body`);
    }
    this.#status = status;
    if (statusText !== '') this.#statusText = checkedText(statusText);
    if (headers === undefined) {
      this.#headers = headersFromList(contentType === null ? [] : [['content-type', contentType]]);
      return;
    }
    this.#headers = new Headers(headers);
    if (contentType !== null && !this.#headers.has('content-type')) this.#headers.append('content-type', contentType);
  }

  static {
    showAs(Response, (self: Response) => [
      ['status', self.#status],
      ['statusText', self.#statusText],
      ['url', self.#url],
      ['headers', self.#headers],
      ['bodyUsed', isBodyUsed(self)],
    ]);
    isReal = (value) => typeof value === 'object' && value !== null && #status in value;
    headersOf = (response) => response.#headers;
    statusOf = (response) => response.#status;
    fromHost = ({ status, statusText, headers, body, bodyEncoding, url, redirected }) => {
      const content = contentFromWire(body, bodyEncoding);
      const response = new Response(FROM_RUNTIME, { content, stream: null } as ResponseOptions);
      response.#status = status;
      response.#statusText = statusText;
      response.#headers = readOnlyHeaders(headersFromList(headers));
      response.#type = 'basic';
      response.#url = url;
      response.#redirected = redirected;
      return response;
    };
  }

  static json(value: unknown, options: ResponseOptions = {}): Response {
    const text = jsonStringify(value);
    if (text === undefined) throw new NativeTypeError('Response.json takes a value that JSON can write');
    return new Response(FROM_JSON, options, text);
  }

  static redirect(url: string, status = 302): Response {
    const href = hrefOf(url);
    if (!isRedirect(status)) throw new NativeRangeError(`${status} is not a redirect status`);
    const response = new Response(null, { status });
    response.#headers = readOnlyHeaders(headersFromList([['location', href]]));
    return response;
  }

  static error(): Response {
    const response = new Response(null);
    response.#status = 0;
    response.#type = 'error';
    response.#headers = readOnlyHeaders(headersFromList([]));
    return response;
  }

  get status(): number {
    return this.#status;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText(): string {
    return this.#statusText;
  }
  get headers(): Headers {
    return this.#headers;
  }
  get type(): string {
    return this.#type;
  }
  get url(): string {
    return this.#url;
  }
  get redirected(): boolean {
    return this.#redirected;
  }

  clone(): Response {
    const copy = new Response(FROM_RUNTIME, clonedBody(this) as ResponseOptions);
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#headers = copiedHeaders(this.#headers);
    if (this.#type !== 'default') readOnlyHeaders(copy.#headers);
    return copy;
  }
}
webClass(Response, 'Response');

/** The answer to a request of the plugin. */
export const responseFromHost = (answer: HostAnswer): Response => fromHost(answer);

function checkedText(value: unknown): string {
  const text = `${value as string}`;
  if (regExpExec(TOKEN_TEXT, text) === null)
    throw new NativeTypeError('The status text has characters that HTTP cannot carry');
  return text;
}
