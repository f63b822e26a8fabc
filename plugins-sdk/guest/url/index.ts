// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { takePart } from '../parts.ts';
import { charCodeAt, NativeTypeError, stringSlice, stringWellFormed } from '../primordials.ts';
import { showAs, webClass } from '../web-class.ts';
import type { URLSearchParams } from './params/index.ts';
import { parsePlain, parsePlainReference } from './parse-plain.ts';
import { cannotHaveUser, copyOf, hostAndPort, isSpecial, type UrlRecord, writeHref } from './record.ts';

/** Parts of their own: few plugins need more than plain URLs. */
const parser = () => takePart<typeof import('./parser/index.ts')>('url-parser');
const params = () => takePart<typeof import('./params/index.ts')>('url-params');

/** Longer texts are read each time: a piece of a text keeps all of it alive. */
const REMEMBERED_UNITS_MAX = 2_048;

/**
 * What was read last, with a base and without: most handlers begin with the URL of their request, which is often the one before. Records are
 * shared with whoever comes next, so a URL has a copy.
 */
let lastText = '';
let last: UrlRecord | null = null;
let lastReference = '';
let lastBase = '';
let lastResolved: UrlRecord | null = null;

/** Null where the text is no URL. */
function read(text: string): UrlRecord | null {
  if (text === lastText) return last;
  const url = parsePlain(text) ?? parser().parseUrl(text, null);
  if (text.length <= REMEMBERED_UNITS_MAX) {
    lastText = text;
    last = url;
  }
  return url;
}

function resolve(reference: string, base: string): UrlRecord | null {
  if (reference === lastReference && base === lastBase) return lastResolved;
  const whole = read(base);
  if (whole === null) return null;
  const url = parsePlain(reference) ?? parsePlainReference(reference, whole) ?? parser().parseUrl(reference, whole);
  if (reference.length + base.length <= REMEMBERED_UNITS_MAX) {
    lastReference = reference;
    lastBase = base;
    lastResolved = url;
  }
  return url;
}

function readGiven(text: string, base: unknown): UrlRecord | null {
  const found = base === undefined ? read(text) : resolve(text, `${base as string}`);
  return found && copyOf(found);
}

const MESSAGE_UNITS_MAX = 200;
const notUrl = (text: unknown): TypeError => {
  const shown = `${text as string}`;
  return new NativeTypeError(`Invalid URL: "${shown.length > MESSAGE_UNITS_MAX ? 'a long text' : shown}"`);
};

const usv = (value: unknown): string => stringWellFormed(`${value as string}`);
const without = (text: string, first: number): string => (charCodeAt(text, 0) === first ? stringSlice(text, 1) : text);

const FROM_RECORD = {};
let adopt: (url: UrlRecord) => URL;

/** URL of the WHATWG standard. */
export class URL {
  #url: UrlRecord;
  /** Null where it must be written anew. */
  #href: string | null = null;
  /** Made when it is first asked for. */
  #params: URLSearchParams | null = null;

  static {
    showAs(URL, (self: URL) => [['href', self.#write()]]);
    adopt = (record) => new URL(FROM_RECORD as never, record as never);
  }

  constructor(url: string | URL, base: string | URL | undefined = undefined) {
    if (arguments.length === 0) throw new NativeTypeError('URL takes 1 argument');
    if ((url as unknown) === FROM_RECORD) {
      this.#url = base as unknown as UrlRecord;
      return;
    }
    const text = `${url as string}`;
    const found = readGiven(text, base);
    if (found === null) throw notUrl(text);
    this.#url = found;
  }

  static parse(url: string | URL, base: string | URL | undefined = undefined): URL | null {
    if (arguments.length === 0) throw new NativeTypeError('URL.parse takes 1 argument');
    const found = readGiven(`${url as string}`, base);
    return found === null ? null : adopt(found);
  }

  static canParse(url: string | URL, base: string | URL | undefined = undefined): boolean {
    if (arguments.length === 0) throw new NativeTypeError('URL.canParse takes 1 argument');
    return readGiven(`${url as string}`, base) !== null;
  }

  get href(): string {
    return this.#write();
  }
  set href(value: string) {
    // Read before anything is converted: `this` must be a URL.
    void this.#url;
    const text = `${value as string}`;
    const found = readGiven(text, undefined);
    if (found === null) throw notUrl(text);
    this.#url = found;
    this.#href = null;
    this.#queryChanged();
  }

  get origin(): string {
    const url = this.#url;
    if (url.scheme === 'blob') return blobOrigin(url);
    return isSpecial(url.scheme) && url.scheme !== 'file' ? `${url.scheme}://${hostAndPort(url)}` : 'null';
  }

  get protocol(): string {
    return `${this.#url.scheme}:`;
  }
  set protocol(value: string) {
    this.#set(`${usv(value)}:`, 'scheme');
  }

  get username(): string {
    return this.#url.username;
  }
  set username(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (cannotHaveUser(url)) return;
    url.username = parser().encodeUser(text);
    this.#href = null;
  }

  get password(): string {
    return this.#url.password;
  }
  set password(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (cannotHaveUser(url)) return;
    url.password = parser().encodeUser(text);
    this.#href = null;
  }

  get host(): string {
    return hostAndPort(this.#url);
  }
  set host(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (!url.opaque) this.#set(text, 'host');
  }

  get hostname(): string {
    return this.#url.host ?? '';
  }
  set hostname(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (!url.opaque) this.#set(text, 'hostname');
  }

  get port(): string {
    const { port } = this.#url;
    return port === null ? '' : `${port}`;
  }
  set port(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (cannotHaveUser(url)) return;
    if (text === '') {
      url.port = null;
      this.#href = null;
    } else this.#set(text, 'port');
  }

  get pathname(): string {
    return this.#url.path;
  }
  set pathname(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (url.opaque) return;
    url.path = '';
    this.#set(text, 'path');
  }

  get search(): string {
    const { query } = this.#url;
    return query === null || query === '' ? '' : `?${query}`;
  }
  set search(value: string) {
    const url = this.#url;
    const text = usv(value);
    url.query = text === '' ? null : '';
    if (text !== '') this.#set(without(text, 63), 'query');
    this.#href = null;
    this.#queryChanged();
  }

  get searchParams(): URLSearchParams {
    this.#params ??= params().linkedParams(this.#url.query ?? '', (text) => {
      this.#url.query = text === '' ? null : text;
      this.#href = null;
    });
    return this.#params;
  }

  get hash(): string {
    const { fragment } = this.#url;
    return fragment === null || fragment === '' ? '' : `#${fragment}`;
  }
  set hash(value: string) {
    const url = this.#url;
    const text = usv(value);
    url.fragment = text === '' ? null : '';
    if (text !== '') this.#set(without(text, 35), 'fragment');
    this.#href = null;
  }

  toJSON(): string {
    return this.#write();
  }

  toString(): string {
    return this.#write();
  }

  #write(): string {
    this.#href ??= writeHref(this.#url);
    return this.#href;
  }

  #set(text: string, part: keyof ReturnType<typeof parser>['OVERRIDES']): void {
    const { OVERRIDES, parsePart } = parser();
    parsePart(text, this.#url, OVERRIDES[part]);
    this.#href = null;
  }

  #queryChanged(): void {
    if (this.#params !== null) params().replaceParams(this.#params, this.#url.query ?? '');
  }
}
webClass(URL, 'URL');

/** The origin of the URL that a `blob:` URL has as its path, if that is one of HTTP. */
function blobOrigin({ path }: UrlRecord): string {
  const inner = read(path);
  return inner !== null && (inner.scheme === 'http' || inner.scheme === 'https')
    ? `${inner.scheme}://${hostAndPort(inner)}`
    : 'null';
}

/** The serialised form of an absolute URL; null for everything else. */
export function hrefOrNull(text: string): string | null {
  const found = read(text);
  return found === null ? null : writeHref(found);
}
