import { definePartGlobals, takePart } from './parts.ts';
import { NativeTypeError } from './primordials.ts';

type UrlPart = typeof import('./url/index.ts');

export function installUrl(): void {
  definePartGlobals('url', ['URL']);
  definePartGlobals('url-params', ['URLSearchParams']);
  definePartGlobals('url-pattern', ['URLPattern']);
}

/** The serialised form of an absolute URL. Throws a TypeError for everything else. */
export function hrefOf(url: unknown): string {
  const text = `${url as string}`;
  const href = takePart<UrlPart>('url').hrefOrNull(text);
  if (href === null) throw new NativeTypeError(`"${text}" is not an absolute URL`);
  return href;
}
