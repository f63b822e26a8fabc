import { Body, extractBody, unreadContent } from './body.ts';
import { Headers, headersFromList } from './headers.ts';
import {
  defineProperty,
  jsonStringify,
  NativeNumber,
  NativeRangeError,
  NativeTypeError,
  trunc,
} from './primordials.ts';
import { hrefOf } from './url.ts';

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
/** Tells a Response from everything that only looks like one. */
export const isResponse = (value: unknown): value is Response => isReal(value);
export const responseHeaders = (response: Response): Headers => headersOf(response);
export const responseStatus = (response: Response): number => statusOf(response);

/** Fetch's Response, with its body in memory. */
export class Response extends Body {
  #status: number;
  #statusText: string;
  #headers: Headers;
  #type = 'default';

  constructor(body?: unknown, options: ResponseOptions = {}) {
    const { content, contentType } = extractBody(body);
    super(content);
    const { status: given = 200, statusText = '', headers } = options ?? {};
    // Converted once: what is checked must be what is sent.
    const status = trunc(NativeNumber(given));
    if (!(status >= 200 && status <= 599)) {
      throw new NativeRangeError(`A response has a status from 200 to 599, not ${status}`);
    }
    if (content !== null && isBodiless(status)) {
      throw new NativeTypeError(`A response with status ${status} cannot have a body`);
    }
    this.#status = status;
    this.#statusText = `${statusText}`;
    if (headers === undefined) {
      this.#headers = headersFromList(contentType === null ? [] : [['content-type', contentType]]);
      return;
    }
    this.#headers = new Headers(headers);
    if (contentType !== null && !this.#headers.has('content-type')) this.#headers.append('content-type', contentType);
  }

  static {
    isReal = (value) => typeof value === 'object' && value !== null && #status in value;
    headersOf = (response) => response.#headers;
    statusOf = (response) => response.#status;
  }

  static json(value: unknown, options: ResponseOptions = {}): Response {
    const text = jsonStringify(value);
    if (text === undefined) throw new NativeTypeError('Response.json takes a value that JSON can write');
    const headers = new Headers(options?.headers);
    if (!headers.has('content-type')) headers.append('content-type', 'application/json');
    return new Response(text, { status: options?.status, statusText: options?.statusText, headers });
  }

  static redirect(url: string, status = 302): Response {
    if (!isRedirect(status)) throw new NativeRangeError(`${status} is not a redirect status`);
    const response = new Response(null, { status });
    response.#headers.set('location', hrefOf(url));
    return response;
  }

  static error(): Response {
    const response = new Response(null);
    response.#status = 0;
    response.#type = 'error';
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
    return '';
  }
  get redirected(): boolean {
    return false;
  }

  clone(): Response {
    const copy = new Response(unreadContent(this), {
      status: this.#status || 200,
      statusText: this.#statusText,
    });
    copy.#status = this.#status;
    copy.#type = this.#type;
    copy.#headers = new Headers(this.#headers);
    return copy;
  }
}
defineProperty(Response.prototype, Symbol.toStringTag, { value: 'Response', configurable: true });
