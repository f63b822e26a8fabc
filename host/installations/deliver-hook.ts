import { Ajv, type ValidateFunction } from 'ajv';
import {
  documentFaults,
  EVENT_HOOKS,
  type EventHookName,
  type HookEvent,
  isEventHookName,
  type Json,
  OWN_SCHEMAS,
} from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import { callerFacts } from '../invocations/serve-request.ts';
import type { AssignCall } from '../rollouts/assign-call.ts';
import type { InstallationFacts, Installations } from './contract.ts';

const ajv = new Ajv({ allErrors: true, ...OWN_SCHEMAS });
/** Each is made when its hook comes first. */
const validators = new Map<EventHookName, ValidateFunction>();

export interface DeliverPorts {
  /** The actor's own installation. Refuses with: installation-unknown. */
  ownFacts(actor: Principal, id: string): Promise<InstallationFacts>;
  runPlugin: PluginRunner;
  /** Where a call goes while a canary runs; nowhere else where absent. */
  assignCall?: AssignCall;
  nowMs(): number;
}

export const deliverHook =
  ({ ownFacts, runPlugin, assignCall, nowMs }: DeliverPorts): Installations['deliverHook'] =>
  async (actor, id, { hook, eventId, payload }) => {
    const stable = await ownFacts(actor, id);
    requireRunnable(stable);
    // Delivered again, an event meets the same release.
    const { installation, run } = !assignCall ? { installation: stable, run: runPlugin } : assignCall(stable, eventId);
    checkHook(installation, hook);
    checkPayload(hook, payload);
    const event = { hook, eventId, occurredAt: new Date(nowMs()).toISOString(), payload } as HookEvent;
    const caller = callerFacts(installation, actor);
    const { invocationId, output } = await run(installation, { kind: 'hook', event }, { caller });
    return { invocationId, result: (output as { value: Json }).value };
  };

/** Whether the plugin listens to a hook that callers may deliver. Refuses with: hook-undeclared. */
export function checkHook({ manifest }: InstallationFacts, hook: string): asserts hook is EventHookName {
  const declared = (manifest.hooks ?? []).filter(isEventHookName);
  if (!isEventHookName(hook) || !declared.includes(hook)) {
    throw new HostRefusal('hook-undeclared', undefined, { hook, declared });
  }
}

/** Refuses with: hook-payload-invalid. */
export function checkPayload(hook: EventHookName, payload: Json): void {
  const fits = validators.get(hook) ?? ajv.compile(EVENT_HOOKS[hook]);
  validators.set(hook, fits);
  if (!fits(payload))
    throw new HostRefusal('hook-payload-invalid', undefined, { faults: documentFaults(fits.errors!) });
}
