import { Ajv } from 'ajv';
import {
  documentFaults,
  grantFor,
  HOST_CALLS,
  type HostCallName,
  isHostCallName,
  type Json,
} from '../../plugins-sdk/contract/index.ts';
import type { HostCallRequest, HostCallResult } from '../../sandbox/index.ts';
import type { CallScope, CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';

/** Does one host call. `args` have been validated against the call's schema. */
export type CapabilityCall = (context: CapabilityContext, args: never) => Promise<Json>;
export type CapabilityCalls = Record<HostCallName, CapabilityCall>;

/** Answers the host calls of plugins: permission first, then the arguments, the work last. Never rejects. */
export type Broker = (scope: CallScope, call: HostCallRequest) => Promise<HostCallResult>;

const ajv = new Ajv({ strict: false });
const validators = new Map(Object.entries(HOST_CALLS).map(([name, schema]) => [name, ajv.compile(schema)]));

export function createBroker(ports: { calls: CapabilityCalls; onOutage(error: unknown, call: string): void }): Broker {
  return async (scope, { seq, name, args }) => {
    try {
      if (!isHostCallName(name))
        throw new CapabilityError('capability-unknown', `There is no capability call "${name}".`);
      const grant = grantFor(name);
      if (grant !== null && !scope.installation.grants.includes(grant)) {
        throw new CapabilityError('capability-denied', `The operator did not grant the capability "${grant}".`);
      }
      const value = await ports.calls[name](contextOf(scope, seq), readArguments(name, args) as never);
      return { ok: true, json: JSON.stringify(value) };
    } catch (error) {
      if (error instanceof CapabilityError) return refused(error);
      ports.onOutage(error, name);
      return refused(new CapabilityError('capability-unavailable'));
    }
  };
}

/** A getter for the signal, so that it is made only for calls that listen to it. */
const contextOf = (scope: CallScope, callSeq: number): CapabilityContext => ({
  installation: scope.installation,
  invocationId: scope.invocationId,
  deadlineAtMs: scope.deadlineAtMs,
  repeatable: scope.repeatable,
  callSeq,
  get signal() {
    return scope.signal;
  },
});

const refused = ({ code, message }: CapabilityError): HostCallResult => ({
  ok: false,
  json: JSON.stringify({ code, message }),
});

function readArguments(name: HostCallName, json: string): unknown {
  const value = parseJson(json);
  const fits = validators.get(name)!;
  if (fits(value)) return value;
  const faults = documentFaults(fits.errors ?? []).map(
    ({ pointer, message }) => `${pointer || 'arguments'} ${message}`,
  );
  throw new CapabilityError('capability-arguments-invalid', `${name}: ${faults.join('; ')}`);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new CapabilityError('capability-arguments-invalid', 'The arguments are not JSON.');
  }
}
