// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.
import { recogniseParams } from '../body.ts';
import { charCodeAt, NativeTypeError, stringSlice, stringWellFormed } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { OVERRIDES, parsePart, parseUrl } from './parse.ts';
import { parsePlain } from './parse-plain.ts';
import { percentEncode, USERINFO } from './percent.ts';
import { cannotHaveUser, hostAndPort, isSpecial, type UrlRecord, writeHref } from './record.ts';
import { linkedParams, parseForm, replaceParams, URLSearchParams } from './search-params.ts';

export { parseForm, URLSearchParams };

/** Null where the text is no URL. */
const read = (text: string, base: UrlRecord | null): UrlRecord | null => parsePlain(text) ?? parseUrl(text, base);

function readWithBase(url: unknown, base: unknown): UrlRecord | null {
  const text = `${url as string}`;
  if (base === undefined) return read(text, null);
  const baseText = `${base as string}`;
  const whole = read(baseText, null);
  return whole === null ? null : read(text, whole);
}

const MESSAGE_UNITS_MAX = 200;
const notUrl = (text: unknown): TypeError => {
  const shown = `${text as string}`;
  return new NativeTypeError(`Invalid URL: "${shown.length > MESSAGE_UNITS_MAX ? 'a long text' : shown}"`);
};

const usv = (value: unknown): string => stringWellFormed(`${value as string}`);
const without = (text: string, first: number): string => (charCodeAt(text, 0) === first ? stringSlice(text, 1) : text);

let adopt: (url: UrlRecord) => URL;

/** URL of the WHATWG standard. */
export class URL {
  #url: UrlRecord;
  /** Null where it must be written anew. */
  #href: string | null = null;
  /** Made when it is first asked for. */
  #params: URLSearchParams | null = null;

  static {
    adopt = (record) => {
      const url = new URL('a:');
      url.#url = record;
      return url;
    };
  }

  constructor(url: string | URL, base: string | URL | undefined = undefined) {
    if (arguments.length === 0) throw new NativeTypeError('URL takes 1 argument');
    const text = `${url as string}`;
    const plain = parsePlain(text);
    if (plain !== null && base === undefined) {
      this.#url = plain;
      this.#href = text;
      return;
    }
    const found = readWithBase(text, base);
    if (found === null) throw notUrl(text);
    this.#url = found;
  }

  static parse(url: string | URL, base: string | URL | undefined = undefined): URL | null {
    if (arguments.length === 0) throw new NativeTypeError('URL.parse takes 1 argument');
    const found = readWithBase(url, base);
    return found === null ? null : adopt(found);
  }

  static canParse(url: string | URL, base: string | URL | undefined = undefined): boolean {
    if (arguments.length === 0) throw new NativeTypeError('URL.canParse takes 1 argument');
    return readWithBase(url, base) !== null;
  }

  get href(): string {
    return this.#write();
  }
  set href(value: string) {
    const before = this.#url;
    const text = `${value as string}`;
    const found = read(text, null);
    if (found === null) throw notUrl(text);
    if (found !== before) this.#url = found;
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
    this.#set(`${usv(value)}:`, OVERRIDES.scheme);
  }

  get username(): string {
    return this.#url.username;
  }
  set username(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (cannotHaveUser(url)) return;
    url.username = percentEncode(text, USERINFO);
    this.#href = null;
  }

  get password(): string {
    return this.#url.password;
  }
  set password(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (cannotHaveUser(url)) return;
    url.password = percentEncode(text, USERINFO);
    this.#href = null;
  }

  get host(): string {
    return hostAndPort(this.#url);
  }
  set host(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (!url.opaque) this.#set(text, OVERRIDES.host);
  }

  get hostname(): string {
    return this.#url.host ?? '';
  }
  set hostname(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (!url.opaque) this.#set(text, OVERRIDES.hostname);
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
    } else this.#set(text, OVERRIDES.port);
  }

  get pathname(): string {
    return this.#url.path;
  }
  set pathname(value: string) {
    const url = this.#url;
    const text = usv(value);
    if (url.opaque) return;
    url.path = '';
    this.#set(text, OVERRIDES.path);
  }

  get search(): string {
    const { query } = this.#url;
    return query === null || query === '' ? '' : `?${query}`;
  }
  set search(value: string) {
    const url = this.#url;
    const text = usv(value);
    url.query = text === '' ? null : '';
    if (text !== '') this.#set(without(text, 63), OVERRIDES.query);
    this.#href = null;
    this.#queryChanged();
  }

  get searchParams(): URLSearchParams {
    this.#params ??= linkedParams(this.#url.query ?? '', (text) => {
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
    if (text !== '') this.#set(without(text, 35), OVERRIDES.fragment);
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

  #set(text: string, state: Parameters<typeof parsePart>[2]): void {
    parsePart(text, this.#url, state);
    this.#href = null;
  }

  #queryChanged(): void {
    if (this.#params !== null) replaceParams(this.#params, this.#url.query ?? '');
  }
}
webClass(URL, 'URL');
recogniseParams(URLSearchParams);

/** The origin of the URL that a `blob:` URL has as its path, if that is one of HTTP. */
function blobOrigin({ path }: UrlRecord): string {
  const inner = read(path, null);
  return inner !== null && (inner.scheme === 'http' || inner.scheme === 'https')
    ? `${inner.scheme}://${hostAndPort(inner)}`
    : 'null';
}

/** The serialised form of an absolute URL; null for everything else. */
export function hrefOrNull(text: string): string | null {
  if (parsePlain(text) !== null) return text;
  const found = parseUrl(text, null);
  return found === null ? null : writeHref(found);
}
