import { KV_READ_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { CapabilityError } from './capability-error.ts';
import type { OperationsOutcome } from './rules/kv-operations.ts';

export const notAnInteger = (key: string): CapabilityError =>
  new CapabilityError(
    'capability-arguments-invalid',
    `kv.increment: the entry "${key}" is not an integer, or would leave the range of safe integers.`,
  );

export const readTooLarge = (entries: number, bytes: number): CapabilityError =>
  new CapabilityError(
    'kv-read-too-large',
    `The ${entries} entries have ${bytes} bytes of JSON together; one call may return ${KV_READ_BYTES_MAX}.`,
  );

/** Says which operation of a transaction could not be done. */
export function refusedOperations({ at, key, why }: Extract<OperationsOutcome, { ok: false }>): CapabilityError {
  if (why === 'integer') return notAnInteger(key);
  return new CapabilityError(
    'kv-version-conflict',
    `Operation ${at} does not find the version of "${key}" that it asks for; nothing was done.`,
  );
}
