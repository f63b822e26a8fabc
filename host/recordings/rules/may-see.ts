import type { Share } from './settings.ts';

/** Whose an installation is, by slugs and ids as the installation tells them. */
export interface Owned {
  operator: { id: string };
  /** `<publisher>/<name>`. */
  plugin: string;
}

/** How an organisation stands to an installation: null where it has nothing to do with it. */
export function sideOf(organisation: { id: string; slug: string }, owned: Owned): 'operator' | 'publisher' | null {
  if (owned.operator.id === organisation.id) return 'operator';
  return owned.plugin.startsWith(`${organisation.slug}/`) ? 'publisher' : null;
}

/** Whether a publisher may see a recording. What a plugin did for an operator is the operator's, unless it shares it. */
export const isShared = (share: Share, outcome: string): boolean =>
  share === 'all' || (share === 'failures' && outcome !== 'completed');
