import { recogniseParams } from './body.ts';
import { defineLazyGlobal, deleteProperty, global, NativeTypeError, nameFunction } from './primordials.ts';

interface UrlClasses {
  URL: new (url: string, base?: string) => { href: string };
  URLSearchParams: new () => unknown;
}

declare const require: (name: string) => unknown;
let classes: UrlClasses | null = null;

/** core-js's URL costs 4 ms and half a MiB of heap, so that it is started by the first plugin code that wants it. */
function urlClasses(): UrlClasses {
  if (classes !== null) return classes;
  classes = {
    URL: require('core-js-pure/web/url') as UrlClasses['URL'],
    URLSearchParams: require('core-js-pure/web/url-search-params') as UrlClasses['URLSearchParams'],
  };
  nameFunction(classes.URL, 'URL');
  nameFunction(classes.URLSearchParams, 'URLSearchParams');
  deleteProperty(global, '__core-js_shared__');
  recogniseParams(classes.URLSearchParams);
  return classes;
}

export function installUrl(): void {
  defineLazyGlobal('URL', () => urlClasses().URL);
  defineLazyGlobal('URLSearchParams', () => urlClasses().URLSearchParams);
}

/** The serialised form of an absolute URL. Throws a TypeError for everything else. */
export function hrefOf(url: unknown): string {
  const text = `${url as string}`;
  try {
    return new (urlClasses().URL)(text).href;
  } catch {
    throw new NativeTypeError(`"${text}" is not an absolute URL`);
  }
}
