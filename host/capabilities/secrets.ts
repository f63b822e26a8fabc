import type { SecretReader } from '../secrets/contract.ts';
import type { ShownSecrets } from '../secrets/shown-secrets.ts';
import type { CapabilityCalls } from './broker.ts';
import { CapabilityError } from './capability-error.ts';

/** The capabilities `secrets` and `secret-values`: what the operator entered of what the manifest declares. */
export const secretCalls = ({
  secrets,
  shownSecrets,
}: {
  secrets: SecretReader;
  shownSecrets: Pick<ShownSecrets, 'shown'>;
}): Pick<CapabilityCalls, 'secrets.names' | 'secret-values.get'> => ({
  'secrets.names': async ({ installation }) => {
    const declared = (installation.manifest.secrets ?? []).map(({ name }) => name);
    return (await secrets.names(installation.id)).filter((name) => declared.includes(name));
  },
  'secret-values.get': async ({ installation }, { name }: { name: string }) => {
    if (!installation.manifest.secrets?.some((each) => each.name === name))
      throw new CapabilityError('secret-undeclared');
    const value = await secrets.read(installation.id, name);
    if (value === null) throw new CapabilityError('secret-missing');
    shownSecrets.shown(installation.id, name, value);
    return value;
  },
});
