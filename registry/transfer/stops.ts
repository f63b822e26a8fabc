import type { ReleaseStatus } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../contract.ts';
import type { PublicReleaseEvent } from '../rules/log-event.ts';

/** What becomes of a release here by what its registry says: stops only, in the steps that a release may go. */
export function stopsOf(
  release: Pick<Release, 'state' | 'yanked' | 'deprecated' | 'blocked'>,
  { state, yanked, deprecated, blocked, exportedAt }: ReleaseStatus,
): {
  change: Partial<Pick<Release, 'state' | 'yanked' | 'deprecated' | 'blocked'>>;
  event: PublicReleaseEvent | null;
} {
  const goesOn = release.state === 'published' || release.state === 'deprecated';
  if ((blocked !== null || state === 'suspended') && release.blocked === null) {
    const said = blocked ?? { at: exportedAt, reason: 'Its registry has taken it down.' };
    return { change: { blocked: said, ...(state === 'suspended' && { state }) }, event: 'release.takedown' };
  }
  if (yanked !== null && release.yanked === null && goesOn) {
    return { change: { state: 'yanked', yanked }, event: 'release.yank' };
  }
  if (deprecated !== null && release.deprecated === null && release.state === 'published') {
    return { change: { deprecated }, event: 'release.deprecate' };
  }
  return { change: {}, event: null };
}
