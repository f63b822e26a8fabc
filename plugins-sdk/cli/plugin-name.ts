import { SLUG_PATTERN } from '../contract/index.ts';
import { CliError } from './errors.ts';

const slug = new RegExp(SLUG_PATTERN);

/** Reads `<publisher>/<name>` with an optional `@<version>`. Refuses with: usage. */
export function parsePluginName(text: string): { plugin: string; version?: string } {
  const [, publisher = '', name = '', version] = /^([^/@]+)\/([^/@]+)(?:@(.+))?$/.exec(text) ?? [];
  if (!slug.test(publisher) || !slug.test(name)) {
    throw new CliError(
      'usage',
      `"${text}" names no plugin; it looks like acme-labs/hello-http or acme-labs/hello-http@1.0.0`,
    );
  }
  return { plugin: `${publisher}/${name}`, ...(version === undefined ? {} : { version }) };
}
