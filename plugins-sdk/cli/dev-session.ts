import { HostRefusal } from '../../host/errors.ts';
import { checkConfiguration } from '../../host/installations/check-installation.ts';
import type { InstallationFacts, InstallationLogEntry } from '../../host/installations/contract.ts';
import { raiseHook } from '../../host/installations/raise-hook.ts';
import type { Waterfall } from '../../host/invocations/call-trace.ts';
import { PluginFaultError } from '../../host/invocations/contract.ts';
import type { Usage } from '../../sandbox/index.ts';
import type { CapabilityName, DocumentFault, Json, PluginFault } from '../contract/index.ts';
import { declaredCapabilities, type LocalHost, type OpenLocalSandbox, startLocalHost } from '../local-host.ts';
import { mapFrames, mapStack, readSourceMap } from '../map-frames.ts';
import { compareShape } from './compare-shape.ts';
import { LOCAL_OPERATOR } from './dev-operator.ts';
import { CliError } from './errors.ts';
import { type LocalPlugin, loadLocalPlugin } from './load-plugin.ts';
import { watchFolder } from './watch-folder.ts';

/** What happens in a session, for whoever shows it. */
export type DevEvent =
  | { type: 'loaded'; digest: string; bundleBytes: number; buildMs: number; first: boolean; warnings: string[] }
  /** The version before, if any, goes on answering. */
  | { type: 'build-failed'; code: string; message: string; faults: DocumentFault[]; frames: string[]; kept: boolean }
  /** What was broken is as it was before: the version that runs is the one in the folder again. */
  | { type: 'mended' }
  /** Handlers and manifest differ, or the configuration does not fit: it runs, but could not be published or installed. */
  | { type: 'mismatch'; message: string; faults: DocumentFault[] }
  | { type: 'log'; entry: Omit<InstallationLogEntry, 'id'> }
  /** gate itself failed, not the plugin. */
  | { type: 'failure'; message: string }
  | { type: 'fault'; invocationId: string; fault: PluginFault; frames: string[] };

export interface DevCommand {
  folder: string;
  /** Capabilities that the session does not grant although the plugin asks for them. */
  deny?: CapabilityName[];
  /** Read anew at every build. Refusals of it are shown like build errors. */
  readConfig?: () => Promise<Json>;
  /** Values of secrets by name, read anew at every build too. */
  readSecrets?: () => Promise<Record<string, string>>;
  /** What the plugin runs in; the sandbox of production where absent. */
  openSandbox?: OpenLocalSandbox;
}

/** What answers requests at one moment. */
export interface LoadedPlugin {
  plugin: LocalPlugin;
  installation: InstallationFacts;
}

export interface DevSession {
  host: LocalHost;
  /**
   * The newest build, after a build that is under way has ended: a request that is sent after a save has been noticed is
   * answered by what was saved. Refuses with the reason why there has never been a working build.
   */
  current(): Promise<LoadedPlugin>;
  usageOf(invocationId: string): Usage | null;
  /** The host calls of one of the last invocations; null where it made none. */
  traceOf(invocationId: string): Waterfall | null;
  /** Shows a fault with frames in the author's own files. */
  reportFault(error: PluginFaultError): { fault: PluginFault; frames: string[] };
  /** Builds again now. */
  rebuild(): Promise<void>;
  close(): Promise<void>;
}

const USAGES_MAX = 1_000;
/** How often messages of queues are looked for. */
const MESSAGES_INTERVAL_MS = 200;
const TRACES_MAX = 200;

/** Runs the plugin of a folder and builds it again whenever a file changes; what it stores lives as long as the session. Refuses with: file-unreadable. */
export async function startDevSession(command: DevCommand, onEvent: (event: DevEvent) => void): Promise<DevSession> {
  const usages = new Map<string, Usage>();
  const traces = new Map<string, Waterfall>();
  const keepTrace = (invocationId: string, trace: Waterfall) => {
    traces.set(invocationId, trace);
    if (traces.size > TRACES_MAX) traces.delete(traces.keys().next().value!);
  };
  const host = await startLocalHost({
    operator: LOCAL_OPERATOR,
    ...(command.openSandbox && { openSandbox: command.openSandbox }),
    onLog: (entry) => {
      // Faults are shown with their frames by reportFault.
      if (entry.source !== 'host') onEvent({ type: 'log', entry: inSources(entry, loaded) });
      const { trace } = (entry.source === 'host' ? (entry.facts ?? {}) : {}) as { trace?: Waterfall };
      if (trace !== undefined) keepTrace(entry.invocationId, trace);
    },
    onTrace: keepTrace,
    onFailure: (error, call) => {
      onEvent({ type: 'failure', message: `${call} failed inside gate itself: ${(error as Error).stack}` });
    },
    onUsage: (invocationId, usage) => {
      usages.set(invocationId, usage);
      if (usages.size > USAGES_MAX) usages.delete(usages.keys().next().value!);
    },
  });

  let loaded: LoadedPlugin | null = null;
  let failure: CliError | null = null;
  let building: Promise<void> | null = null;
  let again = false;

  const reportFault = (error: PluginFaultError) => {
    const { fault, invocationId } = error;
    const frames = loaded === null ? [] : mapFrames(fault, loaded.plugin.sourceMap);
    onEvent({ type: 'fault', invocationId, fault, frames });
    return { fault, frames };
  };

  const buildOnce = async () => {
    try {
      const next = await build(host, command, loaded, onEvent);
      if (next !== null) loaded = next;
      else if (failure !== null) onEvent({ type: 'mended' });
      failure = null;
    } catch (error) {
      failure = error instanceof CliError ? error : new CliError('internal-error', (error as Error).message);
      const { code, message, facts } = failure;
      const { faults = [], frames = [] } = facts as { faults?: DocumentFault[]; frames?: string[] };
      onEvent({ type: 'build-failed', code, message, faults, frames, kept: loaded !== null });
    }
  };
  /** One build at a time; changes during a build cause one more. */
  const rebuild = (): Promise<void> => {
    again = true;
    building ??= (async () => {
      while (again) {
        again = false;
        await buildOnce();
      }
      building = null;
    })();
    return building;
  };

  let unwatch: () => void;
  try {
    unwatch = watchFolder(command.folder, rebuild);
  } catch (error) {
    await host.close();
    throw error;
  }
  await rebuild();
  let running: Promise<unknown> | null = null;
  const messages = setInterval(() => {
    if (loaded === null) return;
    running ??= host
      .runMessages(loaded.installation)
      .catch((error) => onEvent({ type: 'failure', message: String((error as Error).stack) }))
      .finally(() => {
        running = null;
      });
  }, MESSAGES_INTERVAL_MS);
  return {
    host,
    current: async () => {
      while (building) await building;
      if (loaded === null) throw failure;
      return loaded;
    },
    usageOf: (invocationId) => usages.get(invocationId) ?? null,
    traceOf: (invocationId) => traces.get(invocationId) ?? null,
    reportFault,
    rebuild,
    close: async () => {
      unwatch();
      clearInterval(messages);
      await building;
      await running;
      await host.close();
    },
  };
}

/** A line with the places of the author's own files in the frames that the plugin wrote. */
function inSources<Entry extends Omit<InstallationLogEntry, 'id'>>(entry: Entry, loaded: LoadedPlugin | null): Entry {
  const map = loaded !== null && entry.message.includes('bundle.js:') ? readSourceMap(loaded.plugin.sourceMap) : null;
  return map === null ? entry : { ...entry, message: mapStack(entry.message, map) };
}

/** Null where nothing that matters has changed. Refuses with the codes of loadLocalPlugin and plugin-invalid. */
async function build(
  host: LocalHost,
  { folder, deny = [], readConfig = async () => ({}), readSecrets = async () => ({}) }: DevCommand,
  before: LoadedPlugin | null,
  onEvent: (event: DevEvent) => void,
): Promise<LoadedPlugin | null> {
  const startedAtMs = performance.now();
  const [plugin, config, secrets] = await Promise.all([loadLocalPlugin(folder), readConfig(), readSecrets()]);
  if (before !== null && sameBuild(before, plugin, config)) {
    host.enterSecrets(secrets);
    return null;
  }
  const { manifest, digest, code, warnings } = plugin;
  const grants = declaredCapabilities(manifest).filter((name) => !deny.includes(name));
  const installation = host.install(plugin, { grants, config, secrets });
  const differences = compareShape(manifest, await start(host, plugin, installation));
  onEvent({
    type: 'loaded',
    digest,
    bundleBytes: Buffer.byteLength(code),
    buildMs: performance.now() - startedAtMs,
    first: before === null,
    warnings,
  });
  if (differences.length > 0) {
    onEvent({ type: 'mismatch', message: 'Manifest and code differ.', faults: differences });
  }
  await prepare(host, installation, plugin, before === null, onEvent);
  return { plugin, installation };
}

const sameBuild = ({ plugin, installation }: LoadedPlugin, next: LocalPlugin, config: Json): boolean =>
  plugin.digest === next.digest &&
  // A comment changes no code, and yet the lines below it.
  plugin.sourceMap === next.sourceMap &&
  JSON.stringify(plugin.manifest) === JSON.stringify(next.manifest) &&
  JSON.stringify(installation.config) === JSON.stringify(config);

/** Starts the code once, so that what cannot start never replaces what works, and the first request finds it warm. */
async function start(host: LocalHost, plugin: LocalPlugin, installation: InstallationFacts) {
  try {
    return await host.describe(installation);
  } catch (error) {
    if (!(error instanceof PluginFaultError)) throw error;
    const frames = mapFrames(error.fault, plugin.sourceMap);
    throw new CliError('plugin-invalid', `The code does not start: ${error.fault.message}`, { frames });
  }
}

/** What the host does before an operator can use an installation; here its refusals are shown and nothing stops. */
async function prepare(
  { runPlugin }: LocalHost,
  installation: InstallationFacts,
  { sourceMap }: LocalPlugin,
  first: boolean,
  onEvent: (event: DevEvent) => void,
): Promise<void> {
  try {
    await checkConfiguration(installation, installation.config, runPlugin);
    if (first) {
      const { version } = installation;
      await raiseHook({ runPlugin, nowMs: Date.now }, installation, 'install', { version });
    }
  } catch (error) {
    if (error instanceof HostRefusal) {
      const { message, facts } = error;
      onEvent({ type: 'mismatch', message, faults: (facts.faults as DocumentFault[] | undefined) ?? [] });
    } else if (error instanceof PluginFaultError) {
      const { fault, invocationId } = error;
      onEvent({ type: 'fault', invocationId, fault, frames: mapFrames(fault, sourceMap) });
    } else throw error;
  }
}
