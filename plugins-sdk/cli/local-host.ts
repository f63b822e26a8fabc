import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { createBroker } from '../../host/capabilities/broker.ts';
import { kvCalls } from '../../host/capabilities/kv.ts';
import type { StoredEntry } from '../../host/capabilities/kv-store.contract.ts';
import { memoryKvStore } from '../../host/capabilities/memory-kv-store.ts';
import type { InstallationFacts, InstallationLogEntry } from '../../host/installations/contract.ts';
import { createPluginRunner, type PluginRunner } from '../../host/invocations/run-plugin.ts';
import type { Principal } from '../../registry/index.ts';
import { createSandbox, type Usage } from '../../sandbox/index.ts';
import {
  type Access,
  type CapabilityName,
  effectiveLimits,
  type Json,
  type Manifest,
  type PluginShape,
  sha256Hex,
} from '../contract/index.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { bundleProject, warningLines } from './bundle-project.ts';
import { loadProject } from './load-project.ts';

/** One build of the plugin in a folder. */
export interface LocalPlugin {
  manifest: Manifest;
  code: string;
  sourceMap: string;
  /** SHA-256 of the code, lower-case hex. */
  digest: string;
  warnings: string[];
}

/** Reads and bundles the plugin of a folder. Refuses with: manifest-missing, manifest-invalid, file-unreadable, bundle-failed. */
export async function loadLocalPlugin(folder: string): Promise<LocalPlugin> {
  const project = await loadProject(folder);
  const bundle = await bundleProject(project);
  const { code, sourceMap } = bundle;
  return { manifest: project.manifest, code, sourceMap, digest: sha256Hex(code), warnings: warningLines(bundle) };
}

/** Everything that happens inside while plugins run. */
export interface LocalHostPorts {
  onLog(entry: Omit<InstallationLogEntry, 'id'>): void;
  onUsage(invocationId: string, usage: Usage): void;
}

/**
 * Runs plugins of this machine as the host does: the same sandbox, limits, permission checks and runner. Only what they
 * store is kept in memory, and nobody pays.
 */
export interface LocalHost {
  runPlugin: PluginRunner;
  /** Makes a build runnable, as an installation of the one operator that there is. */
  install(plugin: LocalPlugin, choice?: { grants?: CapabilityName[]; config?: Json }): InstallationFacts;
  /** The handlers that a build really has. Rejects with PluginFaultError where its code does not even start. */
  describe(installation: InstallationFacts): Promise<PluginShape>;
  stored(): StoredEntry[];
  close(): Promise<void>;
}

export const LOCAL_OPERATOR = { id: uuidv7(), slug: 'local' } as const;

/** Who asks in the name of an access level: nobody for `public`. */
export function localPrincipal(access: Access): Principal | null {
  if (access === 'public') return null;
  const organisation = { ...LOCAL_OPERATOR, kind: 'operator' as const, name: 'gate dev' };
  return { tokenId: `local-${access}`, label: 'gate dev', role: access, organisation };
}

export async function startLocalHost({ onLog, onUsage }: LocalHostPorts): Promise<LocalHost> {
  const installationId = uuidv7();
  const bundles = new Map<string, string>();
  const guest = await buildGuest();
  const sandbox = await createSandbox(
    { cordons: 1, lanesPerCordon: 1, queuePerLane: 256, isolatesPerLane: 4 },
    { guest, loadBundle: async (digest) => bundles.get(digest)! },
  );
  const store = memoryKvStore(Date.now);
  const runPlugin = createPluginRunner({
    sandbox: {
      invoke: async (invocation, ports) => {
        const outcome = await sandbox.invoke(invocation, ports);
        onUsage(invocation.invocationId, outcome.usage);
        return outcome;
      },
    },
    broker: createBroker({
      calls: kvCalls(store),
      onOutage: (error, call) =>
        onLog({
          at: new Date().toISOString(),
          invocationId: '',
          source: 'host',
          level: 'error',
          message: `${call} failed inside gate itself: ${(error as Error).stack}`,
          facts: {},
        }),
    }),
    record: (_installation, entry) => onLog(entry),
    meter: () => {},
    nowMs: Date.now,
    newId: uuidv7,
    newSeed: () => randomBytes(32).toString('hex'),
  });
  return {
    runPlugin,
    install: (plugin, choice = {}) => {
      bundles.set(plugin.digest, plugin.code);
      // Isolates of the build before are not needed any more.
      sandbox.evict(installationId);
      return localInstallation(installationId, plugin, choice);
    },
    describe: async (installation) => {
      const { output } = await runPlugin(installation, { kind: 'describe' }, { caller: null });
      return (output as { value: unknown }).value as PluginShape;
    },
    stored: () => store.entries(installationId),
    close: () => sandbox.close(1_000),
  };
}

function localInstallation(
  id: string,
  { manifest, digest }: LocalPlugin,
  { grants, config = {} }: { grants?: CapabilityName[]; config?: Json },
): InstallationFacts {
  const at = new Date().toISOString();
  return {
    id,
    slug: manifest.name,
    operator: LOCAL_OPERATOR,
    plugin: `${manifest.publisher}/${manifest.name}`,
    version: manifest.version,
    releaseId: id,
    bundleDigest: digest,
    grants: grants ?? declaredCapabilities(manifest),
    config,
    grantedLimits: {},
    enabled: true,
    createdAt: at,
    updatedAt: at,
    manifest,
    limits: effectiveLimits(manifest.limits ?? {}),
  };
}

export const declaredCapabilities = ({ capabilities = [] }: Manifest): CapabilityName[] =>
  capabilities.map(({ name }) => name);
