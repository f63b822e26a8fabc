import type { SecretReader } from './contract.ts';

/** Secrets of `gate dev` and of the test harness, by name: they are the developer's own, and gone with the process. */
export const memorySecrets = (values: () => Readonly<Record<string, string>>): SecretReader => ({
  names: async () => Object.keys(values()).sort(),
  read: async (_installationId, name) => (Object.hasOwn(values(), name) ? values()[name]! : null),
  values: async () => Object.values(values()),
});
