import { charCodeAt, stringIndexOf } from '../primordials.ts';

/** A URL in its parts, as the standard keeps it; `path` is written out, with its slashes. */
export interface UrlRecord {
  /** Without the colon. */
  scheme: string;
  username: string;
  password: string;
  /** As written; null where there is none. */
  host: string | null;
  /** Null where it is the default of the scheme. */
  port: number | null;
  path: string;
  /** Whether `path` is one piece without structure, as in `mailto:a@b`. */
  opaque: boolean;
  /** Without `?`. */
  query: string | null;
  /** Without `#`. */
  fragment: string | null;
}

/** Field by field: it is made for each URL. */
export const copyOf = (url: UrlRecord): UrlRecord => ({
  scheme: url.scheme,
  username: url.username,
  password: url.password,
  host: url.host,
  port: url.port,
  path: url.path,
  opaque: url.opaque,
  query: url.query,
  fragment: url.fragment,
});

/** The default port; null for `file`, undefined for schemes that are not special. */
export function specialPort(scheme: string): number | null | undefined {
  switch (scheme) {
    case 'http':
    case 'ws':
      return 80;
    case 'https':
    case 'wss':
      return 443;
    case 'ftp':
      return 21;
    case 'file':
      return null;
    default:
      return undefined;
  }
}

export const isSpecial = (scheme: string): boolean => specialPort(scheme) !== undefined;

export const hasCredentials = (url: UrlRecord): boolean => url.username !== '' || url.password !== '';

/** Neither user nor port without a host, and never for files. */
export const cannotHaveUser = (url: UrlRecord): boolean =>
  url.host === null || url.host === '' || url.scheme === 'file';

export const hostAndPort = ({ host, port }: UrlRecord): string => (port === null ? (host ?? '') : `${host}:${port}`);

export function writeHref(url: UrlRecord): string {
  let text = `${url.scheme}:`;
  if (url.host !== null) {
    text += '//';
    if (hasCredentials(url)) text += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
    text += hostAndPort(url);
  } else if (!url.opaque && charCodeAt(url.path, 0) === 47 && charCodeAt(url.path, 1) === 47) text += '/.';
  text += url.path;
  if (url.query !== null) text += `?${url.query}`;
  return url.fragment === null ? text : `${text}#${url.fragment}`;
}

/** Whether a path that is written out begins with a Windows drive, as in `/C:/x`. */
export const startsWithDrive = (path: string): boolean =>
  charCodeAt(path, 0) === 47 &&
  isLetter(charCodeAt(path, 1)) &&
  charCodeAt(path, 2) === 58 &&
  (path.length === 3 || charCodeAt(path, 3) === 47);

export const isLetter = (unit: number): boolean => (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);

/** Whether there is only one segment. */
export const hasOneSegment = (path: string): boolean => stringIndexOf(path, '/', 1) < 0;
