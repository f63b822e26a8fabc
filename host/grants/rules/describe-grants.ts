import { CAPABILITIES, isCapabilityName, type Manifest } from '../../../plugins-sdk/contract/index.ts';
import { type Grant, UNUSED_AFTER_DAYS } from '../contract.ts';

export interface GrantTimes {
  capability: string;
  grantedAtMs: number;
  usedAtMs: number | null;
}

const DAY_MS = 86_400_000;

/** Everything that is declared or granted, in the order of the manifest. */
export function describeGrants(
  { capabilities = [] }: Pick<Manifest, 'capabilities'>,
  granted: readonly string[],
  times: readonly GrantTimes[],
  nowMs: number,
): Grant[] {
  const declared = capabilities.map(({ name }) => name as string);
  const names = [...declared, ...granted.filter((name) => !declared.includes(name))];
  return names.map((capability) => {
    const asked = capabilities.find(({ name }) => name === capability);
    const known = granted.includes(capability) ? times.find((each) => each.capability === capability) : undefined;
    return {
      capability,
      purpose: isCapabilityName(capability) ? CAPABILITIES[capability].purpose : '',
      reason: asked?.reason ?? null,
      optional: asked?.optional ?? false,
      granted: granted.includes(capability),
      grantedAt: known ? new Date(known.grantedAtMs).toISOString() : null,
      usedAt: known?.usedAtMs == null ? null : new Date(known.usedAtMs).toISOString(),
      unused: known !== undefined && isUnused(known, nowMs),
    };
  });
}

/** It had the time to be used, and was not. */
export const isUnused = ({ grantedAtMs, usedAtMs }: GrantTimes, nowMs: number): boolean =>
  nowMs - Math.max(grantedAtMs, usedAtMs ?? 0) >= UNUSED_AFTER_DAYS * DAY_MS;
