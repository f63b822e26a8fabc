import { Ajv } from 'ajv';
import { documentFaults, HOOKS, type HookName } from '../contract/index.ts';

const ajv = new Ajv({ allErrors: true, strict: false });

/** What does not fit a hook's payload, as one line; empty where all fits. */
export function hookFaults(hook: HookName, payload: unknown): string {
  const fits = ajv.compile(HOOKS[hook]);
  if (fits(payload)) return '';
  return documentFaults(fits.errors ?? [])
    .map(({ pointer, message }) => `${pointer || 'payload'} ${message}`)
    .join('; ');
}
