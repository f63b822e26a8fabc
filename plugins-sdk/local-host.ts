import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { type AnswerPlugin, answeringPlugins } from '../host/capabilities/answering-plugins.ts';
import { createBroker } from '../host/capabilities/broker.ts';
import { capabilityCalls } from '../host/capabilities/compose.ts';
import { insularPorts, type Said } from '../host/capabilities/insular-ports.ts';
import type { StoredEntry } from '../host/capabilities/kv-store.contract.ts';
import { memoryKvStore } from '../host/capabilities/memory-kv-store.ts';
import { GOOD_CONDUCT } from '../host/conduct/contract.ts';
import { type AnswerRequest, answeringEgress } from '../host/egress/answering-egress.ts';
import { openEgress } from '../host/egress/compose.ts';
import type { InstallationFacts, InstallationLogEntry } from '../host/installations/contract.ts';
import type { Waterfall } from '../host/invocations/call-trace.ts';
import { createPluginRunner, type PluginRunner, type RunnerPorts } from '../host/invocations/run-plugin.ts';
import { memoryQueue, type QueuedMessage, runDueMessages } from '../host/queues/memory-queue.ts';
import { PINNED } from '../host/rollouts/contract.ts';
import { memorySecrets } from '../host/secrets/memory-secrets.ts';
import { createShownSecrets } from '../host/secrets/shown-secrets.ts';
import { createSandbox, type Sandbox, type Usage } from '../sandbox/index.ts';
import {
  type CapabilityName,
  effectiveLimits,
  type Json,
  type Limits,
  type Manifest,
  type PluginShape,
} from './contract/index.ts';
import { buildGuest } from './guest/build-guest.ts';

/** What can be run here: the manifest and the bundle that was made of its sources. */
export interface RunnablePlugin {
  manifest: Manifest;
  code: string;
  /** SHA-256 of the code, lower-case hex. */
  digest: string;
  /** For debuggers. */
  sourceMap?: string;
}

/** What the operator decides about a plugin. Where absent: everything declared is granted, nothing configured, no limit set. */
export interface InstallChoice {
  grants?: CapabilityName[];
  config?: Json;
  limits?: Partial<Limits>;
  /** Values of the secrets that the manifest declares, by name. */
  secrets?: Record<string, string>;
}

/** What the one who starts the host supplies, and is told. */
export interface LocalHostPorts {
  /** The one operator that there is. */
  operator: InstallationFacts['operator'];
  /** Answers in place of the plugins that a plugin calls, by `<publisher>/<name>`; others are not there. */
  answerPlugins?: Readonly<Record<string, AnswerPlugin>>;
  /** Answers what plugins fetch; the internet does where absent, through the guard of production. */
  answerFetch?: AnswerRequest | null;
  /** The time that plugins see and that entries expire by; the machine's where absent. */
  nowMs?(): number;
  /** 64 hex digits for each invocation; from the operating system's generator where absent. */
  newSeed?(): string;
  onLog?(entry: Omit<InstallationLogEntry, 'id'>): void;
  onUsage?(invocationId: string, usage: Usage): void;
  /** The host calls of an invocation that ended; told before its answer and after its fault is logged. */
  onTrace?(invocationId: string, trace: Waterfall): void;
  /** Every capability call, before it is answered; also those that will be refused. */
  onCall?(call: { name: string; args: string }): void;
  /** What plugins run in; a sandbox as the host has it where absent. */
  openSandbox?: OpenLocalSandbox;
  /** A capability call failed here and not in the plugin, which sees `capability-unavailable`. */
  onFailure?(error: unknown, call: string): void;
}

/** Opens something that runs bundles; `sourceMap` is null where none is at hand. */
export type OpenLocalSandbox = (ports: {
  guest: string;
  loadBundle(digest: string): Promise<{ code: string; sourceMap: string | null }>;
}) => Promise<Pick<Sandbox, 'invoke' | 'evict' | 'close'>>;

/**
 * Runs plugins of this machine as the host does: the same sandbox, limits, permission checks and runner. Only what they
 * store is kept in memory, and nobody pays.
 */
export interface LocalHost {
  runPlugin: PluginRunner;
  /** Makes a build runnable. It replaces the build before and goes on with what that has stored. */
  install(plugin: RunnablePlugin, choice?: InstallChoice): InstallationFacts;
  /** The handlers that a build really has. Rejects with PluginFaultError where its code does not even start. */
  describe(installation: InstallationFacts): Promise<PluginShape>;
  stored(): StoredEntry[];
  /** Events that were published and messages that were sent, oldest first. */
  said: Said;
  /** Replaces the values of secrets; the next call sees them. */
  enterSecrets(values: Record<string, string>): void;
  /** Messages of queues, oldest first, also those that were handled. */
  messages(): QueuedMessage[];
  /** Runs the messages of an installation that are due, one after another, those that they send among them; returns how many attempts that were. */
  runMessages(installation: InstallationFacts): Promise<number>;
  /** The next build that is installed finds nothing stored, whatever invocations that still run may write. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts one sandbox process, in a few hundred milliseconds. */
export async function startLocalHost(ports: LocalHostPorts): Promise<LocalHost> {
  const { operator, nowMs = Date.now, onFailure = () => {} } = ports;
  const bundles = new Map<string, { code: string; sourceMap: string | null }>();
  const openSandbox = ports.openSandbox ?? openRealSandbox;
  const sandbox = await openSandbox({
    guest: await buildGuest(),
    loadBundle: async (digest) => bundles.get(digest)!,
  });
  const store = memoryKvStore(nowMs);
  let secrets: Record<string, string> = {};
  const shownSecrets = createShownSecrets();
  const queue = memoryQueue(nowMs);
  const said: Said = { events: [], messages: [] };
  let dependencies: NonNullable<Manifest['dependencies']> = [];
  const egress = ports.answerFetch === undefined ? openEgress({ allow: [], http: false }) : null;
  const record: RunnerPorts['record'] = ({ id }, entry) => ports.onLog?.(shownSecrets.hide(id, entry));
  const broker = createBroker({
    calls: capabilityCalls({
      ...insularPorts(said),
      ...answeringPlugins(ports.answerPlugins ?? {}, (plugin) => dependencies.find((each) => each.plugin === plugin)),
      kvStore: store,
      egress: egress ?? answeringEgress(ports.answerFetch ?? null),
      secrets: memorySecrets(() => secrets),
      shownSecrets,
      queue: queue.queue,
      newId: uuidv7,
      nowMs,
    }),
    onOutage: onFailure,
  });
  const runPlugin = createPluginRunner({
    sandbox: {
      invoke: async (invocation, invocationPorts) => {
        const outcome = await sandbox.invoke(invocation, { ...invocationPorts, nowMs });
        ports.onUsage?.(invocation.invocationId, outcome.usage);
        return outcome;
      },
    },
    broker: (scope, call) => {
      ports.onCall?.(call);
      return broker(scope, call);
    },
    record,
    meter: () => {},
    completed: (_installation, { invocationId, trace }) => {
      if (trace) ports.onTrace?.(invocationId, trace.waterfall());
    },
    nowMs,
    newId: uuidv7,
    newSeed: ports.newSeed ?? (() => randomBytes(32).toString('hex')),
  });

  let installationId = uuidv7();
  return {
    runPlugin,
    install: (plugin, choice = {}) => {
      bundles.set(plugin.digest, { code: plugin.code, sourceMap: plugin.sourceMap ?? null });
      secrets = choice.secrets ?? {};
      dependencies = plugin.manifest.dependencies ?? [];
      // Isolates of the build before are not needed any more.
      sandbox.evict(installationId);
      return installationOf(plugin, choice, { id: installationId, operator, at: new Date(nowMs()).toISOString() });
    },
    describe: async (installation) => {
      const { output } = await runPlugin(installation, { kind: 'describe' }, { caller: null });
      return (output as { value: unknown }).value as PluginShape;
    },
    stored: () => store.entries(installationId),
    said,
    enterSecrets: (values) => {
      secrets = values;
    },
    messages: queue.messages,
    runMessages: (installation) =>
      runDueMessages(queue, { factsOf: async () => installation, runPlugin, record, onUsed: () => {}, nowMs }),
    reset: () => {
      sandbox.evict(installationId);
      installationId = uuidv7();
      said.events.length = said.messages.length = 0;
      queue.clear();
    },
    close: async () => {
      await sandbox.close(1_000);
      await egress?.close();
    },
  };
}

const openRealSandbox: OpenLocalSandbox = ({ guest, loadBundle }) =>
  createSandbox(
    { cordons: 1, lanesPerCordon: 1, queuePerLane: 1_024, isolatesPerLane: 4, spare: false },
    { guest, loadBundle: async (digest) => (await loadBundle(digest)).code },
  );

function installationOf(
  { manifest, digest }: RunnablePlugin,
  { grants = declaredCapabilities(manifest), config = {}, limits = {} }: InstallChoice,
  { id, operator, at }: { id: string; operator: InstallationFacts['operator']; at: string },
): InstallationFacts {
  return {
    id,
    slug: manifest.name,
    operator,
    plugin: `${manifest.publisher}/${manifest.name}`,
    version: manifest.version,
    releaseId: id,
    bundleDigest: digest,
    grants,
    config,
    grantedLimits: limits,
    enabled: true,
    installing: false,
    blocked: null,
    conduct: GOOD_CONDUCT,
    updates: PINNED,
    createdAt: at,
    updatedAt: at,
    manifest,
    limits: effectiveLimits(manifest.limits ?? {}, limits),
  };
}

export const declaredCapabilities = ({ capabilities = [] }: Manifest): CapabilityName[] =>
  capabilities.map(({ name }) => name);
