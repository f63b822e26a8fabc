/**
 * Why calls of single capabilities may be refused, beside the reasons that all have: permanent codes, a sentence each. Texts
 * alone: sandbox processes import this file, and can read no packages.
 */
export const REFUSALS = {
  kv: {
    'kv-version-conflict': 'The entry was changed by somebody else since it was read.',
    'kv-value-too-large': 'The value is larger than one entry may be.',
    'kv-quota-exceeded': 'The installation has as many entries as it may have.',
  },
} as const;

export type RefusalsOfCapabilities = {
  [Each in keyof typeof REFUSALS]: keyof (typeof REFUSALS)[Each];
}[keyof typeof REFUSALS];

export const ALL_REFUSALS = Object.assign({}, ...Object.values(REFUSALS)) as Record<RefusalsOfCapabilities, string>;
