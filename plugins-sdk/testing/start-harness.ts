import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { createBroker } from '../../host/capabilities/broker.ts';
import { kvCalls } from '../../host/capabilities/kv.ts';
import { memoryKvStore } from '../../host/capabilities/memory-kv-store.ts';
import { HostRefusal } from '../../host/errors.ts';
import type { InstallationFacts } from '../../host/installations/contract.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { bodyBytes, findRoute, httpJob } from '../../host/invocations/plugin-request.ts';
import { createPluginRunner, type PluginJob, type PluginRunner } from '../../host/invocations/run-plugin.ts';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { type LocalPlugin, loadLocalPlugin } from '../cli/local-host.ts';
import {
  type CallerFacts,
  type ConfigureReport,
  checkConfig,
  effectiveLimits,
  type GuestOutput,
  type HealthReport,
  isHookName,
  type Json,
  type WireResponse,
} from '../contract/index.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { HarnessFault } from './fault-report.ts';
import { type HarnessClock, harnessClock } from './harness-clock.ts';
import {
  type Harness,
  type HarnessCut,
  type HarnessFetchOptions,
  type HarnessLog,
  type HarnessOptions,
  HarnessRefusal,
} from './harness-contract.ts';
import { hookFaults } from './hook-faults.ts';

const OPERATOR = { id: 'operator-under-test', slug: 'test-arcade' };

/**
 * Bundles the plugin of a folder and starts one sandbox process for it.
 * Rejects where the manifest, the bundle or the configuration has faults, and names them all.
 */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const plugin = await loadLocalPlugin(options.folder);
  const config = options.config ?? {};
  const checked = checkConfig(plugin.manifest, config);
  if (!checked.ok) {
    const faults = checked.faults.map(({ pointer, message }) => `${pointer || '/'} ${message}`).join('; ');
    throw new HarnessRefusal('config-invalid', `The configuration does not fit: ${faults}`, { faults: checked.faults });
  }
  const sandbox = await createSandbox(
    { cordons: 1, lanesPerCordon: 1, queuePerLane: 1_024, isolatesPerLane: 4 },
    { guest: await buildGuest(), loadBundle: async () => plugin.code },
  );
  return openHarness(plugin, sandbox, { ...options, config });
}

function openHarness(plugin: LocalPlugin, sandbox: Sandbox, options: HarnessOptions): Harness {
  const clock = harnessClock(options.nowMs);
  const logs: HarnessLog[] = [];
  let store = memoryKvStore(clock.nowMs);
  let installation = installationOf(plugin, options);
  const runPlugin = createRunner(sandbox, clock, () => store, logs);

  const run: Run = async (what, job, { caller = null, hostCallsMax } = {}) => {
    const { limits } = installation;
    const cut = { ...installation, limits: { ...limits, hostCalls: hostCallsMax ?? limits.hostCalls } };
    try {
      return (await runPlugin(cut, job, { caller })).output;
    } catch (error) {
      if (error instanceof PluginFaultError) {
        throw new HarnessFault(what, error.fault, error.invocationId, plugin.sourceMap);
      }
      throw asRefusal(error);
    }
  };
  const value = async (what: string, job: PluginJob, cut?: HarnessCut): Promise<Json> =>
    ((await run(what, job, cut)) as Extract<GuestOutput, { kind: 'value' }>).value;

  return {
    clock,
    logs,
    get kv() {
      return Object.fromEntries(store.entries(installation.id).map(({ key, json }) => [key, JSON.parse(json) as Json]));
    },
    fetch: (path, init = {}) => fetchRoute(installation, options.origin, path, init, run),
    deliver: async (hook, payload, { eventId = uuidv7(), occurredAt = iso(clock), ...cut } = {}) => {
      const { manifest } = installation;
      if (!isHookName(hook) || !manifest.hooks?.includes(hook)) {
        throw new HarnessRefusal('hook-undeclared', `The manifest does not declare the hook "${hook}".`);
      }
      const faults = hookFaults(hook, payload);
      if (faults !== '')
        throw new HarnessRefusal('hook-payload-invalid', `The payload does not fit "${hook}": ${faults}`);
      return value(`The hook ${hook}`, { kind: 'hook', event: { hook, eventId, occurredAt, payload } as never }, cut);
    },
    runJob: (name) => value(`The job ${name}`, { kind: 'schedule', name, dueAt: iso(clock) }),
    health: async () => (await value('health', { kind: 'health' })) as unknown as HealthReport,
    configure: async (config) =>
      (await value('configure', { kind: 'configure', config })) as unknown as ConfigureReport,
    reset: () => {
      sandbox.evict(installation.id);
      store = memoryKvStore(clock.nowMs);
      installation = { ...installation, id: uuidv7() };
      logs.length = 0;
    },
    close: () => sandbox.close(1_000),
  };
}

const iso = (clock: HarnessClock): string => new Date(clock.nowMs()).toISOString();

/** The runner of the host. Seeds are counted, so that a test sees the same random values every time it runs. */
function createRunner(
  sandbox: Sandbox,
  clock: HarnessClock,
  store: () => ReturnType<typeof memoryKvStore>,
  logs: HarnessLog[],
): PluginRunner {
  let invocations = 0;
  return createPluginRunner({
    sandbox: { invoke: (invocation, ports) => sandbox.invoke(invocation, { ...ports, nowMs: clock.nowMs }) },
    broker: (installation, call) =>
      createBroker({
        calls: kvCalls(store()),
        onOutage: (error, name) =>
          logs.push({
            invocationId: call.invocationId,
            source: 'host',
            level: 'error',
            message: `${name}: ${error}`,
            facts: {},
          }),
      })(installation, call),
    record: (_installation, { invocationId, source, level, message, facts }) =>
      logs.push({ invocationId, source, level, message, facts }),
    meter: () => {},
    nowMs: clock.nowMs,
    newId: uuidv7,
    newSeed: () => {
      invocations += 1;
      return createHash('sha256').update(`gatehouse harness ${invocations}`).digest('hex');
    },
  });
}

type Run = (
  what: string,
  job: PluginJob,
  options?: HarnessCut & { caller?: CallerFacts | null },
) => Promise<GuestOutput>;

async function fetchRoute(
  installation: InstallationFacts,
  origin = 'https://plugin.test',
  path: string,
  { as, hostCallsMax, ...init }: HarnessFetchOptions,
  run: Run,
): Promise<Response> {
  const request = new Request(new URL(path, origin), {
    ...init,
    ...(init.body ? { duplex: 'half' } : {}),
  } as RequestInit);
  const { method, url } = request;
  const what = `${method} ${path}`;
  const route = refusing(() => findRoute(installation, method, new URL(url).pathname));
  const who = as ?? route.access;
  if (route.access !== 'public' && who === 'public') {
    throw new HarnessRefusal('token-missing', `${route.route} is for ${route.access}, not for everybody.`);
  }
  if (route.access === 'operator' && who !== 'operator') {
    throw new HarnessRefusal('permission-denied', `${route.route} is for ${route.access}, not for ${who}.`);
  }
  const body = Buffer.from(await request.arrayBuffer());
  if (body.length > installation.limits.inputBytes) {
    const { inputBytes } = installation.limits;
    throw new HarnessRefusal('body-too-large', `The body has ${body.length} bytes; ${inputBytes} are allowed.`);
  }
  const caller = who === 'public' ? null : { kind: who, id: `${who}-under-test` };
  const output = await run(what, httpJob(route, { method, url, headers: [...request.headers], body }), {
    caller,
    hostCallsMax,
  });
  return responseOf((output as { response: WireResponse }).response, method);
}

function responseOf(wire: WireResponse, method: string): Response {
  const bodiless = method === 'HEAD' || wire.status === 204 || wire.status === 205 || wire.status === 304;
  return new Response(bodiless ? null : bodyBytes(wire), { status: wire.status, headers: wire.headers });
}

function refusing<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw asRefusal(error);
  }
}

const asRefusal = (error: unknown): unknown =>
  error instanceof HostRefusal ? new HarnessRefusal(error.code, error.message, error.facts) : error;

function installationOf(
  { manifest, digest }: LocalPlugin,
  { config, grants, limits }: HarnessOptions,
): InstallationFacts {
  const at = new Date(0).toISOString();
  const id = uuidv7();
  return {
    id,
    slug: manifest.name,
    operator: OPERATOR,
    plugin: `${manifest.publisher}/${manifest.name}`,
    version: manifest.version,
    releaseId: id,
    bundleDigest: digest,
    grants: grants ?? (manifest.capabilities ?? []).map(({ name }) => name),
    config: config ?? {},
    grantedLimits: limits ?? {},
    enabled: true,
    createdAt: at,
    updatedAt: at,
    manifest,
    limits: effectiveLimits(manifest.limits ?? {}, limits),
  };
}
