/**
 * A plugin's name as it looks at a glance: two that look the same are never both published. Names are of `a-z`, `0-9` and `-` alone, so
 * these are all that can be confused; migrations/0020-extend-releases.ts folds in the same way.
 */
export const lookOf = ({ publisher, name }: { publisher: string; name: string }): string =>
  `${fold(publisher)}/${fold(name)}`;

const fold = (slug: string): string =>
  slug.replaceAll('-', '').replaceAll('0', 'o').replace(/[1i]/g, 'l').replaceAll('rn', 'm').replaceAll('vv', 'w');
