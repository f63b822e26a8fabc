import { ManifestSchema, SLUG_PATTERN } from '../../plugins-sdk/contract/index.ts';

const SLUG = new RegExp(SLUG_PATTERN);
const VERSION = new RegExp((ManifestSchema.properties.version as { pattern?: string }).pattern!);

/** `<publisher>/<name>`, in its two parts; null for anything else. */
export function pluginName(plugin: string): { publisher: string; name: string } | null {
  const [publisher = '', name = '', ...rest] = plugin.split('/');
  return rest.length === 0 && SLUG.test(publisher) && SLUG.test(name) ? { publisher, name } : null;
}

export const isSlug = (text: string): boolean => SLUG.test(text);

export const isVersion = (text: string): boolean => text.length <= 64 && VERSION.test(text);
