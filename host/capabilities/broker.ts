import { Ajv, type ValidateFunction } from 'ajv';
import {
  type CapabilityName,
  type CapabilityRefusalCode,
  capabilityOf,
  documentFaults,
  grantFor,
  HOST_CALLS,
  type HostCallName,
  isHostCallName,
  type Json,
  OWN_SCHEMAS,
} from '../../plugins-sdk/contract/index.ts';
import type { HostCallRequest, HostCallResult } from '../../sandbox/index.ts';
import type { CallScope, CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';
import { JsonText } from './json-text.ts';

/** Does one host call. `args` have been validated against the call's schema. */
export type CapabilityCall = (context: CapabilityContext, args: never) => Promise<Json | JsonText>;
export type CapabilityCalls = Record<HostCallName, CapabilityCall>;

/** Answers the host calls of plugins: permission first, then the arguments, the work last. Never rejects. */
export type Broker = (scope: CallScope, call: HostCallRequest) => Promise<HostCallResult>;

const ajv = new Ajv(OWN_SCHEMAS);
/** Each is made when its call comes first. */
const validators = new Map<HostCallName, ValidateFunction>();

function validatorOf(name: HostCallName): ValidateFunction {
  let made = validators.get(name);
  if (made === undefined) {
    made = ajv.compile(HOST_CALLS[name]);
    validators.set(name, made);
  }
  return made;
}

/** One call that was answered, for whoever counts. */
export interface MeteredCall {
  installationId: string;
  /** The part of the call's name before the dot: a closed set. */
  capability: string;
  /** Null where it was done. */
  code: CapabilityRefusalCode | null;
  /** Arguments and result, as JSON. */
  bytes: number;
  wallMs: number;
}

export interface BrokerPorts {
  calls: CapabilityCalls;
  onOutage(error: unknown, call: string): void;
  /** The grants of an installation where they changed while invocations of it run; absent where they never do. */
  grantsOf?(installationId: string): readonly CapabilityName[] | undefined;
  /** Counts an answered call; must not block and must not throw. */
  onCall?(call: MeteredCall): void;
  /** Notes that a capability was made use of within the call of another one. */
  onUse?(installationId: string, capability: CapabilityName): void;
}

export function createBroker(ports: BrokerPorts): Broker {
  const answer = async (scope: CallScope, { seq, name, args }: HostCallRequest): Promise<Answer> => {
    try {
      if (!isHostCallName(name))
        throw new CapabilityError('capability-unknown', `There is no capability call "${name}".`);
      const grant = grantFor(name);
      if (grant !== null && !isGranted(scope, grant, ports)) {
        throw new CapabilityError('capability-denied', `The operator did not grant the capability "${grant}".`);
      }
      const value = await ports.calls[name](new Call(scope, seq, ports), readArguments(name, args) as never);
      return { code: null, result: { ok: true, json: value instanceof JsonText ? value.json : JSON.stringify(value) } };
    } catch (error) {
      if (error instanceof CapabilityError) return refused(error);
      ports.onOutage(error, name);
      return refused(new CapabilityError('capability-unavailable'));
    }
  };

  return async (scope, call) => {
    if (!ports.onCall || !isHostCallName(call.name)) return (await answer(scope, call)).result;
    const beganMs = performance.now();
    const { result, code } = await answer(scope, call);
    ports.onCall({
      installationId: scope.installation.id,
      capability: capabilityOf(call.name),
      code,
      bytes: Buffer.byteLength(call.args) + Buffer.byteLength(result.json),
      wallMs: performance.now() - beganMs,
    });
    return result;
  };
}

/** Both: a release was granted what its facts say, and what was taken away since is gone. */
const isGranted = ({ installation: { id, grants } }: CallScope, grant: CapabilityName, ports: BrokerPorts): boolean =>
  grants.includes(grant) && (ports.grantsOf?.(id)?.includes(grant) ?? true);

/** `code` is null where the call was done. */
interface Answer {
  code: CapabilityRefusalCode | null;
  result: HostCallResult;
}

/** One call as its capability sees it. */
class Call implements CapabilityContext {
  readonly callSeq: number;
  readonly #scope: CallScope;
  readonly #ports: BrokerPorts;

  constructor(scope: CallScope, callSeq: number, ports: BrokerPorts) {
    this.#scope = scope;
    this.callSeq = callSeq;
    this.#ports = ports;
  }

  get installation() {
    return this.#scope.installation;
  }
  get invocationId() {
    return this.#scope.invocationId;
  }
  get deadlineAtMs() {
    return this.#scope.deadlineAtMs;
  }
  get lineage() {
    return this.#scope.lineage;
  }
  get seed() {
    return this.#scope.seed;
  }
  get signal() {
    return this.#scope.signal;
  }

  get hostCpuMs() {
    return this.#scope.hostCpuMs;
  }

  bill(cpuMs: number): void {
    this.#scope.bill(cpuMs);
  }

  isGranted(capability: CapabilityName): boolean {
    return isGranted(this.#scope, capability, this.#ports);
  }

  used(capability: CapabilityName): void {
    this.#ports.onUse?.(this.#scope.installation.id, capability);
  }
}

const refused = ({ code, message, reason }: CapabilityError): Answer => ({
  code,
  result: { ok: false, json: JSON.stringify({ code, message, ...(reason !== undefined && { reason }) }) },
});

function readArguments(name: HostCallName, json: string): unknown {
  const value = parseJson(json);
  const fits = validatorOf(name);
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
