import {
  CAPABILITY_NAMES,
  EVENT_HOOKS,
  grantFor,
  isEventHookName,
  isHostCallName,
  type Json,
  type Manifest,
  type PluginJob,
  type PluginShape,
} from '../../plugins-sdk/contract/index.ts';
import { type LocalHost, type OpenLocalSandbox, startLocalHost } from '../../plugins-sdk/local-host.ts';
import { type DynamicReport, hostOf, isDeclaredHost, type ScannedRelease } from '../../registry/index.ts';
import type { InstallationFacts } from '../installations/contract.ts';

/** Together; one that takes its time leaves less for the others. */
const ALL_MS_MAX = 15_000;
const ENTRY_MS_MAX = 1_500;
const ENTRIES_MAX = 60;
const NAMES_MAX = 50;
/** Used without a call that anybody could see. */
const UNSEEN = new Set(['config', 'log']);

export interface ObservePorts {
  /** A sandbox of its own, for this release alone: what nobody has reviewed shares no process with what runs for money. */
  openSandbox?: OpenLocalSandbox;
  nowMs(): number;
  /** 0 to 100. */
  onProgress?(percent: number): void;
}

/**
 * Runs every route, hook and job of a release once in the real sandbox, with nothing real around it: everything is granted,
 * stores are empty, secrets are placeholders, and every request is answered with `{}`. What it asks for is compared with
 * what its manifest says; so is what only runs on other input never seen, which is why this is a look and no proof.
 */
export async function observeRelease(
  { manifest, code, digest }: Omit<ScannedRelease, 'sourceMap'> & { digest: string },
  { openSandbox, nowMs, onProgress = () => {} }: ObservePorts,
): Promise<DynamicReport> {
  const seen: Seen = { capabilities: new Set(), declaredHosts: new Set(), undeclaredHosts: new Set() };
  const host = await startLocalHost({
    operator: { id: '00000000-0000-7000-8000-000000000000', slug: 'scan' },
    answerFetch: () => Response.json({}),
    onCall: (call) => note(call, manifest, seen),
    nowMs,
    ...(openSandbox && { openSandbox }),
  });
  try {
    const placeholders = Object.fromEntries(
      (manifest.secrets ?? []).map(({ name }) => [name, 'placeholder-of-a-scan']),
    );
    const installation = host.install(
      { manifest, code, digest },
      // Whatever it asks for is granted, for what is denied is not even called.
      { grants: [...CAPABILITY_NAMES], secrets: placeholders, config: sampleOf(manifest.config) },
    );
    const shape = await host.describe(installation).catch(() => null);
    if (shape === null) return reportOf(manifest, seen, { entries: 0, faults: 0, started: false });
    const jobs = jobsOf(manifest, shape, nowMs());
    const counts = await runAll(host, installation, jobs, { nowMs, onProgress });
    return reportOf(manifest, seen, { ...counts, started: true });
  } finally {
    await host.close();
  }
}

/** Each bounded for itself: many of one keep none of another out. */
interface Seen {
  capabilities: Set<string>;
  declaredHosts: Set<string>;
  undeclaredHosts: Set<string>;
}

function note(
  { name, args }: { name: string; args: string },
  { fetchHosts = [] }: Pick<Manifest, 'fetchHosts'>,
  seen: Seen,
): void {
  if (!isHostCallName(name)) return;
  const capability = grantFor(name);
  if (capability !== null && seen.capabilities.size < NAMES_MAX) seen.capabilities.add(capability);
  if (name !== 'fetch.send') return;
  try {
    const found = hostOf(String((JSON.parse(args) as { url?: unknown }).url));
    if (found === null) return;
    const hosts = isDeclaredHost(fetchHosts, found) ? seen.declaredHosts : seen.undeclaredHosts;
    if (hosts.size < NAMES_MAX) hosts.add(found.slice(0, 260));
  } catch {
    // Arguments of a plugin that went around the guest runtime; the broker refuses them.
  }
}

async function runAll(
  host: LocalHost,
  installation: InstallationFacts,
  jobs: readonly PluginJob[],
  { nowMs, onProgress }: Required<Pick<ObservePorts, 'nowMs' | 'onProgress'>>,
): Promise<Pick<DynamicReport, 'entries' | 'faults' | 'skipped'>> {
  const untilMs = nowMs() + ALL_MS_MAX;
  const counts = { entries: 0, faults: 0 };
  for (const job of jobs.slice(0, ENTRIES_MAX)) {
    if (nowMs() > untilMs) break;
    counts.entries += 1;
    await host
      .runPlugin(installation, job, { caller: null, deadlineAtMs: Math.min(untilMs, nowMs() + ENTRY_MS_MAX) })
      .catch(() => {
        counts.faults += 1;
      });
    onProgress(Math.floor((counts.entries / jobs.length) * 100));
  }
  return { ...counts, skipped: jobs.length - counts.entries };
}

/** What the code really has, not only what is declared. */
function jobsOf({ config }: Manifest, shape: PluginShape, nowMs: number): PluginJob[] {
  const at = new Date(nowMs).toISOString();
  const jobs: PluginJob[] = [];
  for (const hook of shape.hooks) jobs.push({ kind: 'hook', event: eventOf(hook, at) as never });
  for (const route of shape.routes) jobs.push(requestOf(route));
  for (const name of shape.schedule) jobs.push({ kind: 'schedule', name, dueAt: at });
  if (shape.health) jobs.push({ kind: 'health' });
  if (shape.configure) jobs.push({ kind: 'configure', config: sampleOf(config) });
  return jobs;
}

function requestOf(route: string): PluginJob {
  const [method = 'GET', path = '/'] = route.split(' ');
  const names = [...path.matchAll(/:([A-Za-z][A-Za-z0-9]*)/g)].map(([, name]) => name!);
  const url = `https://plugins.invalid${path.replace(/:[A-Za-z][A-Za-z0-9]*/g, '1')}`;
  const hasBody = !['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method);
  const headers: [string, string][] = hasBody ? [['content-type', 'application/json']] : [];
  return {
    kind: 'http',
    route,
    params: Object.fromEntries(names.map((name) => [name, '1'])),
    request: {
      method,
      url,
      headers,
      body: hasBody ? '{"id":"1","email":"somebody@example.com"}' : null,
      bodyEncoding: 'utf8',
    },
  };
}

function eventOf(hook: string, at: string): unknown {
  const event = { hook, eventId: 'scan-1', occurredAt: at };
  if (isEventHookName(hook)) return { ...event, payload: sampleOf(EVENT_HOOKS[hook]) };
  if (/^(?:queue|events)\./.test(hook)) return { ...event, attempt: 1, payload: {} };
  return { ...event, payload: { version: '1.0.0', fromVersion: null, toVersion: '1.0.0' } };
}

const SAMPLE_DEPTH_MAX = 6;

/** Something small that a simple JSON schema allows; it is no matter where it does not. */
function sampleOf(schema: unknown, depth = 0): Json {
  if (typeof schema !== 'object' || schema === null || depth > SAMPLE_DEPTH_MAX) return depth === 0 ? {} : null;
  const {
    type,
    default: given,
    enum: choices,
    const: constant,
    properties,
    items,
    minimum,
  } = schema as Record<string, never>;
  if (given !== undefined) return given;
  if (constant !== undefined) return constant;
  if (Array.isArray(choices)) return (choices as Json[])[0] ?? null;
  if (type === 'string') return 'sample';
  if (type === 'integer' || type === 'number') return minimum ?? 1;
  if (type === 'boolean') return true;
  if (type === 'array') return [sampleOf(items, depth + 1)];
  const fields = Object.entries((properties ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.slice(0, 50).map(([name, field]) => [name, sampleOf(field, depth + 1)]));
}

function reportOf(
  { capabilities = [], fetchHosts = [] }: Manifest,
  seen: Seen,
  counts: Pick<DynamicReport, 'entries' | 'faults' | 'skipped' | 'started'>,
): DynamicReport {
  const declared = new Set<string>(capabilities.map(({ name }) => name));
  const called = [...seen.capabilities].sort();
  const hosts = [...seen.declaredHosts, ...seen.undeclaredHosts].sort();
  return {
    ...counts,
    capabilities: called,
    hosts,
    undeclaredCapabilities: called.filter((name) => !declared.has(name)),
    undeclaredHosts: [...seen.undeclaredHosts].sort(),
    unusedCapabilities: [...declared].filter((name) => !UNSEEN.has(name) && !seen.capabilities.has(name)),
    unusedHosts: fetchHosts.filter(
      (each) => !each.startsWith('config:') && !hosts.some((host) => isDeclaredHost([each], host)),
    ),
  };
}
