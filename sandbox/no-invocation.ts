import type { Limits } from '../plugins-sdk/contract/limits.ts';
import type { Invocation, InvocationPorts } from './contract.ts';

/** What a run holds when it is over. */
export const NO_INVOCATION: Invocation = Object.freeze({
  invocationId: '',
  installationId: '',
  digest: '',
  input: '',
  seed: '',
  startedAtMs: 0,
  limits: Object.freeze({}) as Limits,
});
export const NO_PORTS: InvocationPorts = { hostCall: () => new Promise(() => {}), log: () => {} };
export const NEVER = new Promise<never>(() => {});
export const ignore = (): void => {};
