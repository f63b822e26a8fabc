import { Type } from 'typebox';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';

const strict = { additionalProperties: false };

/** Upper case, as variables of an environment are written. */
export const SECRET_NAME_PATTERN = '^[A-Z][A-Z0-9_]{0,63}$';

/** Names only: values go into headers of requests outside of the isolate, as the manifest says. */
export const secrets = {
  purpose:
    'Use secrets that you enter, such as API keys: the host adds them to requests, and the plugin never sees them.',
  calls: { 'secrets.names': Type.Object({}, strict) },
  refusals: REFUSALS.secrets,
} as const satisfies Capability;

/** For the few things that no header can do, such as signing with a key that the other side made. */
export const secretValues = {
  purpose: 'Read the values of secrets that you enter. It can then do with them whatever its other capabilities allow.',
  calls: { 'secret-values.get': Type.Object({ name: Type.String({ pattern: SECRET_NAME_PATTERN }) }, strict) },
  refusals: {},
} as const satisfies Capability;

/** Secrets that the manifest declares and the operator has entered. */
export interface Secrets {
  /** Names of those that are set, in order. */
  names(): Promise<string[]>;
  /** Needs the capability `secret-values`. Refuses with: secret-undeclared, secret-missing. */
  get(name: string): Promise<string>;
}
