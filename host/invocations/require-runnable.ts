import { HostRefusal } from '../errors.ts';
import type { Installation } from '../installations/contract.ts';

/** Whether callers, events and schedules may run an installation now. Refuses with: installation-busy, installation-disabled, installation-suspended. */
export function requireRunnable({ enabled, installing, conduct, operator, slug }: Installation): void {
  if (installing) throw new HostRefusal('installation-busy', 'It is being installed; try again shortly.');
  if (!enabled) throw new HostRefusal('installation-disabled');
  if (conduct.suspendedAt !== null) {
    const { suspendedAt, reason } = conduct;
    throw new HostRefusal(
      'installation-suspended',
      `Suspended since ${suspendedAt}. ${reason ?? ''} The operator ${operator.slug} can resume it: gate resume ${slug}.`,
      { suspendedAt, reason, resumableBy: operator.slug },
    );
  }
}
