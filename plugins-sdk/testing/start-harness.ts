import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import { headersForPlugin, headersFromPlugin } from '../../host/http/plugin-headers.ts';
import type { InstallationFacts } from '../../host/installations/contract.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { bodyBytes, findRoute, httpJob } from '../../host/invocations/plugin-request.ts';
import type { PluginAnswer } from '../../host/invocations/run-plugin.ts';
import { type LocalPlugin, loadLocalPlugin } from '../cli/load-plugin.ts';
import {
  type CallerFacts,
  CEILING_LIMITS,
  type ConfigureReport,
  checkConfig,
  type HealthReport,
  hookOfTopic,
  isEventHookName,
  isHookName,
  type Json,
  type PluginJob,
  type PluginOutput,
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
      return await host.runPlugin(cut, job, { caller });
    } catch (error) {
      if (error instanceof PluginFaultError) {
        throw new HarnessFault(what, error.fault, error.invocationId, plugin.sourceMap);
      }
      throw asRefusal(error);
    }
  };
  const value = async (what: string, job: PluginJob, cut?: RunOptions): Promise<Json> =>
    ((await run(what, job, cut)).output as Extract<PluginOutput, { kind: 'value' }>).value;

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
    fetch: (path, init = {}) => fetchRoute(installation, plugin, options.origin, path, init, run),
    deliver: async (hook, payload, { eventId = uuidv7(), occurredAt = iso(clock), ...cut } = {}) => {
      const { manifest } = installation;
      if (!isHookName(hook) || !manifest.hooks?.includes(hook)) {
        throw new HarnessRefusal('hook-undeclared', `The manifest does not declare the hook "${hook}".`);
      }
      const faults = hookFaults(hook, payload);
      if (faults !== '')
        throw new HarnessRefusal('hook-payload-invalid', `The payload does not fit "${hook}": ${faults}`);
      // What happens in the life of an installation, the platform itself tells.
      const caller = isEventHookName(hook) ? callerUnderTest('operator') : null;
      const event = { hook, eventId, occurredAt, payload } as never;
      return value(`The hook ${hook}`, { kind: 'hook', event }, { ...cut, caller });
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
    runJob: async (name) => {
      const declared = (installation.manifest.schedule ?? []).map((job) => job.name);
      if (!declared.includes(name)) {
        throw new HarnessRefusal('route-unknown', `The manifest does not declare the job "${name}".`, { declared });
      }
      return value(`The job ${name}`, { kind: 'schedule', name, dueAt: iso(clock) });
    },
    health: async () => (await value('health', { kind: 'health' })) as unknown as HealthReport,
    configure: async (config) => {
      const fits = checkConfig(plugin.manifest, config);
      if (!fits.ok) return { ok: false, faults: fits.faults };
      const report = value('configure', { kind: 'configure', config }).catch((error) => {
        if (error instanceof HarnessFault && error.fault.code === 'handler-missing') return { ok: true };
        throw error;
      });
      return (await report) as unknown as ConfigureReport;
    },
    reset: () => {
      host.reset();
      installation = host.install(plugin, options);
      logs.length = 0;
    },
    close: host.close,
  };
}

const iso = (clock: HarnessClock): string => new Date(clock.nowMs()).toISOString();

const callerUnderTest = (kind: 'caller' | 'operator'): CallerFacts => ({ kind, id: `${kind}-under-test` });

type RunOptions = HarnessCut & { caller?: CallerFacts | null };
type Run = (what: string, job: PluginJob, options?: RunOptions) => Promise<PluginAnswer>;

async function fetchRoute(
  installation: InstallationFacts,
  { sourceMap }: LocalPlugin,
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
  const caller = who === 'public' ? null : callerUnderTest(who);
  const headers = headersForPlugin([...request.headers].flat());
  const job = httpJob(route, { method, url, headers, body });
  const { invocationId, output } = await run(what, job, { caller, hostCallsMax });
  const answer = responseOf((output as { response: WireResponse }).response, method);
  if (answer !== null) return answer;
  const message = 'The status is not between 200 and 599, or there are too many headers, or too large ones.';
  throw new HarnessFault(what, { code: 'plugin-answer-invalid', message }, invocationId, sourceMap);
}

/** What callers get to see of it; null where the host would send none. */
function responseOf(wire: WireResponse, method: string): Response | null {
  const { status } = wire;
  const flat = headersFromPlugin(wire.headers);
  if (status < 200 || status > 599 || flat === null) return null;
  const headers = new Headers();
  for (let at = 0; at < flat.length; at += 2) headers.append(flat[at]!, flat[at + 1]!);
  const bodiless = method === 'HEAD' || status === 204 || status === 205 || status === 304;
  return new Response(bodiless ? null : bodyBytes(wire), { status, headers });
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
