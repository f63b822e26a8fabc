import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import type { InstallationFacts } from '../../host/installations/contract.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { bodyBytes, findRoute, httpJob } from '../../host/invocations/plugin-request.ts';
import { type LocalPlugin, loadLocalPlugin } from '../cli/load-plugin.ts';
import {
  type CallerFacts,
  CEILING_LIMITS,
  type ConfigureReport,
  checkConfig,
  type GuestOutput,
  type HealthReport,
  hookOfTopic,
  isHookName,
  type Json,
  type PluginJob,
  type WireResponse,
} from '../contract/index.ts';
import { type LocalHost, startLocalHost } from '../local-host.ts';
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

/** More CPU time than one lane can use: whether a test passes must not depend on how fast the tests before it were. */
const UNHURRIED = { cpuMsPerSecond: CEILING_LIMITS.cpuMsPerSecond, cpuBurstMs: CEILING_LIMITS.cpuBurstMs };

const OPERATOR = { id: 'operator-under-test', slug: 'test-arcade' };

/**
 * Bundles the plugin of a folder and starts one sandbox process for it.
 * Rejects where the manifest, the bundle or the configuration has faults, and names them all.
 */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const plugin = await loadLocalPlugin(options.folder);
  const checked = checkConfig(plugin.manifest, options.config ?? {});
  if (!checked.ok) {
    const faults = checked.faults.map(({ pointer, message }) => `${pointer || '/'} ${message}`).join('; ');
    throw new HarnessRefusal('config-invalid', `The configuration does not fit: ${faults}`, { faults: checked.faults });
  }
  const clock = harnessClock(options.nowMs);
  const logs: HarnessLog[] = [];
  const host = await startLocalHost({
    operator: OPERATOR,
    nowMs: clock.nowMs,
    answerFetch: options.fetch ?? null,
    answerPlugins: options.plugins ?? {},
    newSeed: countedSeeds(),
    onLog: ({ invocationId, source, level, message, facts }) =>
      logs.push({ invocationId, source, level, message, facts }),
    onFailure: (error, call) =>
      logs.push({ invocationId: '', source: 'host', level: 'error', message: `${call}: ${error}`, facts: {} }),
  });
  return openHarness(plugin, host, clock, logs, options);
}

/** A test sees the same random values every time it runs. */
function countedSeeds(): () => string {
  let invocations = 0;
  return () => {
    invocations += 1;
    return createHash('sha256').update(`gatehouse harness ${invocations}`).digest('hex');
  };
}

function openHarness(
  plugin: LocalPlugin,
  host: LocalHost,
  clock: HarnessClock,
  logs: HarnessLog[],
  options: HarnessOptions,
): Harness {
  let installation = host.install(plugin, options);

  const run: Run = async (what, job, { caller = null, hostCallsMax } = {}) => {
    const { limits } = installation;
    const cut = { ...installation, limits: { ...limits, ...UNHURRIED, hostCalls: hostCallsMax ?? limits.hostCalls } };
    try {
      return (await host.runPlugin(cut, job, { caller })).output;
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
      return Object.fromEntries(host.stored().map(({ key, json }) => [key, JSON.parse(json) as Json]));
    },
    get events() {
      return host.said.events.map(({ topic, payload }) => ({ topic, payload: JSON.parse(payload) as Json }));
    },
    get notifications() {
      return host.said.messages.map(({ title, text, severity }) => ({ title, text, severity }));
    },
    get queued() {
      return host.messages().map(({ queue, payload, state, attempts, dueAtMs }) => ({
        queue,
        payload: JSON.parse(payload) as Json,
        state,
        attempts,
        dueAt: new Date(dueAtMs).toISOString(),
      }));
    },
    runQueue: () => host.runMessages({ ...installation, limits: { ...installation.limits, ...UNHURRIED } }),
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
    deliverEvent: async (topic, payload, { eventId = uuidv7(), occurredAt = iso(clock), from, ...cut } = {}) => {
      const subscribed = installation.manifest.events?.subscribes?.filter((each) => each.topic === topic) ?? [];
      const by = from ?? { plugin: subscribed[0]?.from ?? 'some/plugin', installation: 'some-plugin' };
      if (!subscribed.some((each) => each.from === undefined || each.from === by.plugin)) {
        throw new HarnessRefusal('hook-undeclared', `The manifest does not subscribe to "${topic}" of ${by.plugin}.`);
      }
      const event = { hook: hookOfTopic(topic), eventId, occurredAt, payload, from: by };
      return value(`The hook ${event.hook}`, { kind: 'hook', event }, cut);
    },
    runJob: (name) => value(`The job ${name}`, { kind: 'schedule', name, dueAt: iso(clock) }),
    health: async () => (await value('health', { kind: 'health' })) as unknown as HealthReport,
    configure: async (config) =>
      (await value('configure', { kind: 'configure', config })) as unknown as ConfigureReport,
    reset: () => {
      host.reset();
      installation = host.install(plugin, options);
      logs.length = 0;
    },
    close: host.close,
  };
}

const iso = (clock: HarnessClock): string => new Date(clock.nowMs()).toISOString();

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
