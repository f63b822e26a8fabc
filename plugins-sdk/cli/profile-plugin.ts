import { v7 as uuidv7 } from 'uuid';
import { HostRefusal } from '../../host/errors.ts';
import type { InstallationFacts } from '../../host/installations/contract.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import { findRoute, httpJob } from '../../host/invocations/plugin-request.ts';
import type { PluginRunner } from '../../host/invocations/run-plugin.ts';
import type { Usage } from '../../sandbox/index.ts';
import { openWorkbench, type Workbench } from '../../sandbox/workbench/index.ts';
import { CEILING_LIMITS, isHookName, type Json, type Limits, type PluginJob } from '../contract/index.ts';
import { type OpenLocalSandbox, startLocalHost } from '../local-host.ts';
import { mapFrames, readSourceMap } from '../map-frames.ts';
import { hookFaults } from '../testing/hook-faults.ts';
import { type CpuProfile, type HotSpot, hotSpots, mapProfile } from './cpu-profile.ts';
import { LOCAL_OPERATOR } from './dev-operator.ts';
import { CliError } from './errors.ts';
import { type LocalPlugin, loadLocalPlugin } from './load-plugin.ts';

/** What is run: `{method, path}` of a request, a hook or a job. */
export type ProfileTarget =
  | { kind: 'http'; method: string; path: string; body: string }
  | { kind: 'hook'; hook: string; payload: Json }
  | { kind: 'schedule'; name: string };

export interface ProfileCommand {
  folder: string;
  target: ProfileTarget;
  runs: number;
  config?: Json;
}

export interface Spread {
  p50: number;
  p95: number;
  max: number;
}

export interface ProfileReport {
  runs: number;
  cpuMs: Spread;
  wallMs: Spread;
  hostCalls: number;
  limits: Limits;
  hotSpots: HotSpot[];
  profile: CpuProfile;
}

/** Not sampled: the code is compiled, and what a plugin keeps is there. */
const WARM_UP_RUNS = 10;
const HOT_SPOTS_MAX = 12;

/**
 * Runs one route, hook or job many times: first in the sandbox of production, which measures it, then on a workbench, which
 * samples where its CPU time goes. Time limits hold in neither, so that the report can say by how much they are missed.
 * Refuses with: those of loadLocalPlugin, usage, plugin-invalid.
 */
export async function profilePlugin(command: ProfileCommand): Promise<ProfileReport> {
  const { folder } = command;
  const plugin = await loadLocalPlugin(folder);
  const { usages, limits } = await runMany(command, plugin);
  let profile: CpuProfile | null = null;
  let bench: Workbench | undefined;
  await runMany(command, plugin, {
    openSandbox: async (ports) => {
      bench = await openWorkbench({ mode: 'profile' }, ports);
      return bench;
    },
    begin: () => bench!.startProfile(),
    end: async () => {
      profile = mapProfile(await bench!.stopProfile(), readSourceMap(plugin.sourceMap), folder);
    },
  });
  return report(profile!, usages, limits, folder);
}

interface Sampling {
  openSandbox: OpenLocalSandbox;
  begin(): Promise<void>;
  end(): Promise<void>;
}

async function runMany(
  { target, runs, config = {} }: ProfileCommand,
  plugin: LocalPlugin,
  sampling?: Sampling,
): Promise<{ usages: Usage[]; limits: Limits }> {
  const usages: Usage[] = [];
  const host = await startLocalHost({
    operator: LOCAL_OPERATOR,
    ...(sampling && { openSandbox: sampling.openSandbox }),
    onUsage: (_invocationId, usage) => usages.push(usage),
  });
  try {
    const installation = host.install(plugin, { config });
    const { limits } = installation;
    const unhurried = { ...installation, limits: { ...limits, ...UNHURRIED } };
    const run = () => runOnce(host.runPlugin, unhurried, plugin, target);
    for (let n = 0; n < Math.min(WARM_UP_RUNS, runs); n += 1) await run();
    usages.length = 0;
    await sampling?.begin();
    for (let n = 0; n < runs; n += 1) await run();
    await sampling?.end();
    return { usages, limits };
  } finally {
    await host.close();
  }
}

/** What may be spent in a second is no matter of one run after another, and what takes too long is what a profile is for. */
const UNHURRIED: Partial<Limits> = {
  cpuMs: CEILING_LIMITS.cpuMs,
  wallMs: CEILING_LIMITS.wallMs,
  cpuMsPerSecond: CEILING_LIMITS.cpuMsPerSecond,
  cpuBurstMs: CEILING_LIMITS.cpuBurstMs,
};

async function runOnce(
  runPlugin: PluginRunner,
  installation: InstallationFacts,
  { sourceMap }: LocalPlugin,
  target: ProfileTarget,
): Promise<void> {
  const { job, caller } = jobOf(installation, target);
  try {
    await runPlugin(installation, job, { caller });
  } catch (error) {
    if (!(error instanceof PluginFaultError)) throw error;
    const { code, message } = error.fault;
    const frames = mapFrames(error.fault, sourceMap);
    throw new CliError('plugin-invalid', `What is profiled failed: ${code}: ${message}`, { frames });
  }
}

function jobOf(installation: InstallationFacts, target: ProfileTarget): Pick<RunArguments, 'job' | 'caller'> {
  const at = new Date().toISOString();
  switch (target.kind) {
    case 'http': {
      const { method, path, body } = target;
      const url = new URL(path, 'http://127.0.0.1');
      const route = routeOf(installation, method, url.pathname);
      const headers: [string, string][] = body === '' ? [] : [['content-type', 'application/json']];
      const caller = route.access === 'public' ? null : { kind: route.access, id: 'gate-profile' };
      return { job: httpJob(route, { method, url: url.href, headers, body: Buffer.from(body) }), caller };
    }
    case 'hook': {
      const { hook, payload } = target;
      const faults = isHookName(hook) ? hookFaults(hook, payload) : 'there is no such hook';
      if (faults !== '') throw new CliError('usage', `hook ${hook}: ${faults}`);
      return {
        job: { kind: 'hook', event: { hook, eventId: uuidv7(), occurredAt: at, payload } as never },
        caller: null,
      };
    }
    case 'schedule':
      return { job: { kind: 'schedule', name: target.name, dueAt: at }, caller: null };
  }
}

interface RunArguments {
  job: PluginJob;
  caller: { kind: 'caller' | 'operator'; id: string } | null;
}

function routeOf(installation: InstallationFacts, method: string, path: string): ReturnType<typeof findRoute> {
  try {
    return findRoute(installation, method, path);
  } catch (error) {
    if (error instanceof HostRefusal) throw new CliError('usage', `${method} ${path}: ${error.message}`);
    throw error;
  }
}

const report = (profile: CpuProfile, usages: Usage[], limits: Limits, folder: string): ProfileReport => ({
  runs: usages.length,
  cpuMs: spread(usages.map(({ cpuMs }) => cpuMs)),
  wallMs: spread(usages.map(({ wallMs }) => wallMs)),
  hostCalls: Math.max(0, ...usages.map(({ hostCalls }) => hostCalls)),
  limits,
  hotSpots: hotSpots(profile, folder, HOT_SPOTS_MAX),
  profile,
});

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
}
