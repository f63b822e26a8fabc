import semver from 'semver';
import type { Json, Manifest, PluginJob, WireResponse } from '../../plugins-sdk/contract/index.ts';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { headersForPlugin } from '../http/plugin-headers.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { checkHook, checkPayload } from '../installations/deliver-hook.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { findRoute, httpJob } from '../invocations/plugin-request.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import { isPlainTarget } from '../invocations/rules/plain-target.ts';
import type { PluginRunner, RunOptions } from '../invocations/run-plugin.ts';
import type { CapabilityCalls } from './broker.ts';
import type { CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';
import { derivedId } from './derived-id.ts';
import { further } from './lineage.ts';

export interface PluginCallPorts {
  /** Installations of a plugin that an operator has, the oldest first. */
  findInstallations(operatorId: string, plugin: string): Promise<readonly InstallationFacts[]>;
  runPlugin: PluginRunner;
  nowMs(): number;
}

type Dependency = NonNullable<Manifest['dependencies']>[number];

interface Target {
  plugin: string;
  installation?: string;
}

interface CallArguments extends Target {
  method: string;
  path: string;
  headers: [string, string][];
  body: string | null;
}

interface DeliverArguments extends Target {
  hook: string;
  payload: Json;
  eventId?: string;
}

/** Host names of plugins in the requests that they get from others; no such name exists outside. */
const INTERNAL_HOST = 'plugins.internal';

/**
 * The capability `plugins`: one plugin calls another of the same operator. It runs as its own installation, by its own limits and on its own
 * bill, and knows who calls; it has as long as its caller.
 */
export function pluginCalls(ports: PluginCallPorts): Pick<CapabilityCalls, 'plugins.call' | 'plugins.deliver'> {
  return {
    'plugins.call': async (context, args: CallArguments) => {
      const { dependency, callee } = await resolve(ports, context, args);
      const job = calling(() => routeJob(dependency, callee, args));
      const { output } = await run(ports, context, callee, job);
      return (output as { response: WireResponse }).response as unknown as Json;
    },
    'plugins.deliver': async (context, args: DeliverArguments) => {
      const { dependency, callee } = await resolve(ports, context, args);
      const { hook, payload, eventId = derivedId(context.invocationId, context.callSeq) } = args;
      if (!dependency.hooks?.some((each) => each === hook)) throw undeclared(args.plugin, `the hook ${hook}`);
      const occurredAt = new Date(ports.nowMs()).toISOString();
      const job = calling((): PluginJob => {
        checkHook(callee, hook);
        checkPayload(hook, payload);
        return { kind: 'hook', event: { hook, eventId, occurredAt, payload } as never };
      });
      const { output } = await run(ports, context, callee, job);
      return (output as { value: Json }).value;
    },
  };
}

/** Refuses with: dependency-undeclared, dependency-missing, call-cycle, callee-refused. */
async function resolve(
  { findInstallations }: PluginCallPorts,
  { installation, lineage }: CapabilityContext,
  { plugin, installation: slug }: Target,
): Promise<{ dependency: Dependency; callee: InstallationFacts }> {
  const dependency = installation.manifest.dependencies?.find((each) => each.plugin === plugin);
  if (!dependency) throw undeclared(plugin, 'the plugin');
  const all = await findInstallations(installation.operator.id, plugin);
  const named = slug === undefined ? all : all.filter((each) => each.slug === slug);
  const fitting = named.filter(({ version }) => semver.satisfies(version, dependency.range));
  const callee = fitting.find(isRunnable) ?? fitting[0];
  if (!callee) {
    const versions = named.map(({ slug: name, version }) => `${name} (${version})`).join(', ');
    throw new CapabilityError(
      'dependency-missing',
      `The operator has no installation of ${plugin} ${dependency.range}${versions && `; there are: ${versions}`}.`,
    );
  }
  if (callee.id === installation.id || lineage.waiting.includes(callee.id)) {
    throw new CapabilityError('call-cycle', `${callee.slug} waits for this very call.`);
  }
  calling(() => requireRunnable(callee));
  return { dependency, callee };
}

const isRunnable = ({ enabled, conduct }: InstallationFacts): boolean => enabled && conduct.suspendedAt === null;

const undeclared = (plugin: string, what: string) =>
  new CapabilityError('dependency-undeclared', `The manifest does not declare ${what} in its dependency on ${plugin}.`);

function routeJob(
  { plugin, routes = [] }: Dependency,
  callee: InstallationFacts,
  { method, path, headers, body }: CallArguments,
): PluginJob {
  const [place] = path.split('?', 1) as [string];
  if (!isPlainTarget(place, path.slice(place.length))) {
    throw new HostRefusal('request-malformed', 'Percent-encode the path and the query (RFC 3986); no dot segments.');
  }
  const matched = findRoute(callee, method, place);
  if (!routes.includes(matched.route)) throw undeclared(plugin, matched.route);
  if (matched.access === 'operator') {
    throw new HostRefusal('permission-denied', `${matched.route} of ${plugin} is for the operator only.`);
  }
  const bytes = Buffer.from(body ?? '');
  if (bytes.length > callee.limits.inputBytes) {
    throw new HostRefusal(
      'body-too-large',
      `The body has ${bytes.length} bytes; ${callee.limits.inputBytes} are allowed.`,
    );
  }
  const url = `https://${callee.slug}.${INTERNAL_HOST}${path}`;
  // As from outside: what proxies and the host say about a client nobody else may say.
  return httpJob(matched, { method, url, headers: headersForPlugin(headers.flat()), body: bytes });
}

/** What the other side would answer with a problem is a refusal with that problem's code. */
function calling<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof HostRefusal) throw new CapabilityError('callee-refused', error.message, error.code);
    throw error;
  }
}

async function run(
  { runPlugin }: PluginCallPorts,
  context: CapabilityContext,
  callee: InstallationFacts,
  job: PluginJob,
) {
  const { installation, signal, deadlineAtMs, lineage, seed, invocationId, callSeq } = context;
  const { id, plugin, slug } = installation;
  const options: RunOptions = {
    caller: { kind: 'plugin', id, plugin, installation: slug },
    signal,
    deadlineAtMs,
    lineage: further(lineage, id),
    // What another host may execute again calls the same invocation again.
    ...(seed !== null && {
      attempt: { invocationId: derivedId(invocationId, callSeq), seed: sha256Hex(`${seed} ${callSeq}`) },
    }),
  };
  try {
    return await runPlugin(callee, job, options);
  } catch (error) {
    if (error instanceof PluginFaultError) {
      const { code } = error.fault;
      throw new CapabilityError('callee-failed', `${callee.plugin} failed: ${code} (${error.invocationId}).`, code);
    }
    if (error instanceof HostRefusal || error instanceof SandboxRefusal) {
      throw new CapabilityError('callee-refused', `${callee.plugin} was not run: ${error.message}`, error.code);
    }
    throw error;
  }
}
