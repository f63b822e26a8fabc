import { CAPABILITIES, isCapabilityName, type Manifest } from '../../../plugins-sdk/contract/index.ts';

/** A granted capability that was not used for this long is worth a question. */
const UNUSED_AFTER_DAYS = 30;

/** One capability that a plugin asks for, or has. */
export interface Grant {
  capability: string;
  /** What it allows, in a sentence. */
  purpose: string;
  /** Why the plugin wants it; null where the present release does not ask for it. */
  reason: string | null;
  /** Whether the plugin says that it works without. */
  optional: boolean;
  granted: boolean;
  grantedAt: string | null;
  /** When it was used last, to the minute or so; null for never since it was granted. */
  usedAt: string | null;
  /** Granted, and not used for 30 days. */
  unused: boolean;
}

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
