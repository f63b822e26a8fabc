import type { WireRequest } from '../contract/invocation.ts';
import { type AbortSignal, neverAborted } from './abort.ts';
import { Body, type BodyContent, contentFromWire, extractBody, unreadContent } from './body.ts';
import { type HeaderList, Headers, headersFromList } from './headers.ts';
import { defineProperty, NativeTypeError, regExpExec, stringLower, stringUpper } from './primordials.ts';
import { hrefOf } from './url.ts';

interface RequestOptions {
  method?: string;
  headers?: ConstructorParameters<typeof Headers>[0];
  body?: unknown;
  signal?: AbortSignal | null;
}

/** Methods that Fetch writes in capitals; others keep their spelling. */
const NORMALISED = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i;

let wireRequest: (wire: WireRequest) => Request;

/** Fetch's Request, with its body in memory. */
export class Request extends Body {
  #method = 'GET';
  #url = '';
  #wireHeaders: HeaderList | null = null;
  #headers: Headers | null = null;
  #signal: AbortSignal | null = null;

  static {
    wireRequest = (wire) => {
      const request = new Request(FROM_WIRE as never, { body: contentFromWire(wire.body, wire.bodyEncoding) });
      request.#method = wire.method;
      request.#url = wire.url;
      request.#wireHeaders = wire.headers;
      return request;
    };
  }

  constructor(input: string | URL | Request, options: RequestOptions = {}) {
    if ((input as unknown) === FROM_WIRE) {
      super(options.body as BodyContent);
      return;
    }
    const from = input instanceof Request ? input : null;
    const { content, contentType } =
      options.body === undefined && from
        ? { content: unreadContent(from), contentType: null }
        : extractBody(options.body);
    super(content);
    const method = `${options.method ?? from?.method ?? 'GET'}`;
    this.#method = regExpExec(NORMALISED, method) === null ? method : stringUpper(method);
    if (content !== null && (this.#method === 'GET' || this.#method === 'HEAD')) {
      throw new NativeTypeError(`A ${this.#method} request cannot have a body`);
    }
    this.#url = from ? from.#url : hrefOf(input as string);
    this.#headers = new Headers(options.headers ?? from?.headers);
    if (contentType !== null && !this.#headers.has('content-type')) this.#headers.append('content-type', contentType);
    this.#signal = options.signal ?? (from ? from.#signal : null);
  }

  get method(): string {
    return this.#method;
  }
  get url(): string {
    return this.#url;
  }
  get headers(): Headers {
    this.#headers ??= headersFromList(lowerNames(this.#wireHeaders ?? []));
    return this.#headers;
  }
  get signal(): AbortSignal {
    this.#signal ??= neverAborted();
    return this.#signal;
  }

  clone(): Request {
    const copy = new Request(FROM_WIRE as never, { body: unreadContent(this) });
    copy.#method = this.#method;
    copy.#url = this.#url;
    copy.#headers = new Headers(this.headers);
    copy.#signal = this.#signal;
    return copy;
  }
}
defineProperty(Request.prototype, Symbol.toStringTag, { value: 'Request', configurable: true });

const FROM_WIRE = Symbol('from wire');

/** The request of an invocation; its headers are read when somebody asks for them. */
export const requestFromWire = (wire: WireRequest): Request => wireRequest(wire);

function lowerNames(list: HeaderList): HeaderList {
  for (let at = 0; at < list.length; at += 1) list[at]![0] = stringLower(list[at]![0]);
  return list;
}
