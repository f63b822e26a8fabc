import type { CallerFacts, WireResponse } from '../../plugins-sdk/contract/index.ts';
import { may, type Principal, RegistryRefusal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { keepJson } from '../kept-json.ts';
import type { AssignCall } from '../rollouts/assign-call.ts';
import type { DataPlane } from './contract.ts';
import type { MatchedRoute } from './match-route.ts';
import { findRoute, httpJob } from './plugin-request.ts';
import { requireRunnable } from './require-runnable.ts';
import type { PluginRunner } from './run-plugin.ts';

export interface DataPlanePorts {
  /** By `operator/installation`, from memory; null where there is none. */
  findInstallation(address: string): InstallationFacts | null | Promise<InstallationFacts | null>;
  runPlugin: PluginRunner;
  /** Which release answers, and who counts how; without it, the stable release answers. */
  assignCall?: AssignCall;
  /** Counts a request that may be answered; refuses with: rate-limited. Absent where nobody counts. */
  countRequest?(installationId: string): void;
}

/** The data plane: address -> route -> access -> body -> plugin. Nothing is read or run before access is certain. */
export function createDataPlane(ports: DataPlanePorts): DataPlane {
  const { findInstallation, runPlugin, assignCall, countRequest } = ports;
  return {
    run: async (request) => {
      const { address, method, path, url, headers, principal, signal, record } = request;
      const found = findInstallation(address);
      const stable = found instanceof Promise ? await found : found;
      if (stable === null) throw new HostRefusal('installation-unknown');
      requireReach(stable, principal);
      const caller = callerFacts(stable, principal);
      let installation = stable;
      let run = runPlugin;
      if (assignCall) {
        ({ installation, run } = assignCall(stable, caller === null ? null : caller.id));
      }
      const matched = allowed(installation, caller, principal, () => findRoute(installation, method, path));
      countRequest?.(installation.id);
      if (record) requireRecordingRight(installation, principal);
      const { inputBytes } = installation.limits;
      const piece = matched.streamsBody ? request.openBody(inputBytes) : null;
      const whole = piece === null ? request.readBody(inputBytes) : 'streamed';
      const body = whole instanceof Promise ? await whole : whole;
      const job = httpJob(matched, { method, url, headers, body });
      const bodies = { answer: request.answerPieces, ...(piece && { read: piece }) };
      const { invocationId, output } = await run(installation, job, { caller, signal, record, bodies });
      return { invocationId, response: (output as { response: WireResponse }).response };
    },
  };
}

/** Who calls, as the plugin may know it: only people and programs of the installation's own operator have a name here. */
export function callerFacts({ operator }: InstallationFacts, principal: Principal | null): CallerFacts | null {
  if (principal === null || principal.organisation.id !== operator.id) return null;
  let facts = knownCallers.get(principal);
  if (facts === undefined) {
    const { role, credentialId: id } = principal;
    const mayInvoke = may(principal, 'installation:invoke');
    facts = mayInvoke ? keepJson<CallerFacts>({ kind: role === 'caller' ? 'caller' : 'operator', id }) : null;
    knownCallers.set(principal, facts);
  }
  return facts;
}

/** Principals come from memory: the same object for every request with a token, as long as nothing about it changes. */
const knownCallers = new WeakMap<Principal, CallerFacts | null>();

/** A token for some installations reaches no other of its operator, not even their public routes. Refuses with: token-restricted. */
export function requireReach({ id, operator }: InstallationFacts, principal: Principal | null): void {
  const ids = principal?.restrictions?.installationIds;
  if (ids === undefined || ids.includes(id) || principal!.organisation.id !== operator.id) return;
  throw new RegistryRefusal('token-restricted', undefined, { installationIds: ids });
}

function requireInvoking({ role }: Principal): never {
  throw new HostRefusal('permission-denied', `A token of ${role} like this may not invoke plugins.`, {
    role,
    needsOneOf: ['installation:invoke'],
  });
}

/** Only people of the operator may have recorded what their callers send. */
function requireRecordingRight({ operator }: InstallationFacts, principal: Principal | null): void {
  if (principal === null) throw new HostRefusal('token-missing');
  if (principal.organisation.id === operator.id && may(principal, 'recording:create')) return;
  throw new HostRefusal('permission-denied', `The role ${principal.role} may not ask for recordings here.`, {
    role: principal.role,
    needsOneOf: ['recording:create'],
  });
}

function allowed(
  installation: InstallationFacts,
  caller: CallerFacts | null,
  principal: Principal | null,
  find: () => MatchedRoute,
): MatchedRoute {
  requireRunnable(installation);
  const route = find();
  if (route.access === 'public') return route;
  if (principal === null) throw new HostRefusal('token-missing');
  if (caller === null && principal.organisation.id === installation.operator.id) requireInvoking(principal);
  // Somebody else's token learns no more than that the route is not public.
  if (caller === null) throw new HostRefusal('installation-unknown');
  if (route.access === 'operator' && caller.kind !== 'operator') {
    throw new HostRefusal('permission-denied', `${route.route} is for the operator only.`, { access: route.access });
  }
  return route;
}
