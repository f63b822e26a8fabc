import type { CordonDeath } from '../../sandbox/index.ts';
import type { Kill } from './host-process.ts';

/** Whom the host blamed for the deaths of cordons, against what the soak knows: who is hostile, and whom it killed itself. */
export interface Blame {
  /** Deaths by a kill of the soak, and those of them for which somebody was blamed all the same. */
  outside: number;
  outsideBlamed: number;
  /** Deaths for which a plugin must be to blame, those with a name, and those without. */
  inside: number;
  named: number;
  unnamed: number;
  /** Named, and honest. */
  honestNamed: number;
  /** Share of the blamed who deserve it, and share of the deaths by a plugin that were blamed on one. 1 where there are none. */
  precision: number;
  recall: number;
  reasons: Record<string, number>;
}

type Death = Pick<CordonDeath, 'pid' | 'reason' | 'culprits'>;

/**
 * A cordon that the soak has hit may have been dying by its watchdog's hand already: only where the host itself speaks of
 * a kill is the death the soak's.
 */
export function blameOf(
  deaths: readonly Death[],
  kills: readonly Pick<Kill, 'pid'>[],
  isHostile: (installationId: string) => boolean,
): Blame {
  const hit = new Set(kills.map(({ pid }) => pid));
  const isOurs = ({ pid, reason }: Death) => hit.has(pid) && reason === 'killed';
  const outside = deaths.filter(isOurs);
  const inside = deaths.filter((death) => !isOurs(death));
  const culprits = deaths.flatMap((death) => death.culprits);
  const honestNamed = culprits.filter(({ installationId }) => !isHostile(installationId)).length;
  const outsideBlamed = outside.filter((death) => death.culprits.length > 0).length;
  const undeserved = honestNamed + outside.flatMap((death) => death.culprits).length;
  const named = inside.filter((death) => death.culprits.length > 0).length;
  const reasons: Blame['reasons'] = {};
  for (const { reason } of deaths) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return {
    outside: outside.length,
    outsideBlamed,
    inside: inside.length,
    named,
    unnamed: inside.length - named,
    honestNamed,
    precision: culprits.length === 0 ? 1 : Math.max(0, 1 - undeserved / culprits.length),
    recall: inside.length === 0 ? 1 : named / inside.length,
    reasons,
  };
}
