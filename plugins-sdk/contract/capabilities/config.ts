import type { Capability } from './contract.ts';

/** No calls: the configuration is part of the input. */
export const config = {
  purpose: 'Read the configuration that you enter for it.',
  calls: {},
  refusals: {},
} as const satisfies Capability;
