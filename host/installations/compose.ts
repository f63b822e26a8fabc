import type { HealthReport, Json } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Registry, Transparency } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { AssignCall } from '../rollouts/assign-call.ts';
import type { RolloutStore } from '../rollouts/rollout-store.ts';
import type { StagingStore } from '../rollouts/stagings/staging-store.ts';
import { acceptSigning } from './accept-signing.ts';
import type { ChangeStore } from './change-store.ts';
import type { Installation, InstallationFacts, Installations } from './contract.ts';
import { deliverHook } from './deliver-hook.ts';
import { promoteCanary } from './end-canary.ts';
import { installPlugin } from './install-plugin.ts';
import type { InstallationCache } from './installation-cache.ts';
import type { InstallationLogStore } from './installation-log-store.ts';
import type { InstallationStore } from './installation-store.ts';
import { listOutdated, previewUpdate } from './preview-update.ts';
import { removeInstallation, restoreInstallation } from './remove-installation.ts';
import type { DemandStore } from './requirements/demand-store.ts';
import { planRequirements } from './requirements/plan-requirements.ts';
import { rollBack } from './roll-back.ts';
import { updateInstallation } from './update-installation.ts';
import { withLease } from './with-lease.ts';
import { withoutFrames } from './without-frames.ts';

export interface InstallationsPorts {
  store: InstallationStore;
  logStore: InstallationLogStore;
  /** Writes the log lines that are still in memory. */
  flushLogs(): Promise<void>;
  cache: Pick<InstallationCache, 'withRelease' | 'changed'>;
  registry: Registry;
  transparency: Pick<Transparency, 'requireLogged'>;
  runPlugin: PluginRunner;
  changes: ChangeStore;
  rollouts: RolloutStore;
  demands: DemandStore;
  /** Of all publishers; read only. */
  stagings: Pick<StagingStore, 'ofPlugins'>;
  /** Where the events of an installation with a canary go. */
  assignCall: AssignCall;
  /** What a removed installation stored is kept so long. */
  graceMs: number;
  /** UUIDv7, in order. */
  newRolloutId(): string;
  /** False where it was not suspended any more. */
  endSuspension(id: string, atMs: number): Promise<boolean>;
  /** SemVer of this Gatehouse. */
  hostVersion: string;
  nowMs(): number;
}

export function createInstallations(ports: InstallationsPorts): Installations {
  const { store, logStore, cache, runPlugin, nowMs } = ports;

  const own = async (actor: Principal, id: string): Promise<Installation> => {
    const installation = await store.byId(id);
    if (installation?.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');
    return installation;
  };
  const ownFacts = async (actor: Principal, id: string): Promise<InstallationFacts> => {
    const facts = await cache.withRelease(await own(actor, id));
    if (facts === null) throw new HostRefusal('installation-unknown');
    return facts;
  };
  /** The notification reaches every host; here the change must be visible at once. */
  const telling = async <Result>(id: string, change: Promise<Result>): Promise<Result> => {
    try {
      return await change;
    } finally {
      void cache.changed(id);
    }
  };
  const install = installPlugin(ports);
  const update = updateInstallation(ports);
  const back = rollBack(ports);
  const remove = removeInstallation(ports);
  const restore = restoreInstallation(ports);
  const promote = async (actor: Principal, id: string): Promise<Installation> => {
    await own(actor, id);
    const end = { by: 'operator', reason: 'Its operator promoted it.' } as const;
    await withLease(ports, id, (leased) => promoteCanary(ports, leased, end));
    return own(actor, id);
  };

  return {
    install: (actor, command) => telling(command.id, install(actor, command)),
    update: (actor, id, change) => telling(id, update(actor, id, change)),
    resume: async (actor, id) => {
      const installation = await own(actor, id);
      if (installation.conduct.suspendedAt === null) return installation;
      await telling(id, ports.endSuspension(id, nowMs()));
      return own(actor, id);
    },
    list: (actor, page) => store.page(actor.organisation.id, page),
    find: own,
    planRequirements: planRequirements(ports),
    preview: previewUpdate({ ...ports, own }),
    acceptSigning: (actor, id, accepted) => telling(id, acceptSigning(ports)(actor, id, accepted)),
    promote: (actor, id) => telling(id, promote(actor, id)),
    rollBack: (actor, id, request) => telling(id, back(actor, id, request)),
    rollouts: async (actor, id, page) => ports.rollouts.page((await own(actor, id)).id, page),
    outdated: listOutdated(ports),
    uninstall: (actor, id, options) => telling(id, remove(actor, id, options)),
    restore: (actor, id) => telling(id, restore(actor, id)),
    logs: async (actor, id, filter) => {
      const installation = await store.byId(id);
      const isOperator = installation?.operator.id === actor.organisation.id;
      const isPublisher = installation?.plugin.startsWith(`${actor.organisation.slug}/`);
      if (!isOperator && !isPublisher) throw new HostRefusal('installation-unknown');
      await ports.flushLogs();
      const found = await logStore.page(id, filter);
      return isPublisher ? found : { ...found, items: found.items.map(withoutFrames) };
    },
    health: async (actor, id) => {
      const installation = await ownFacts(actor, id);
      requireRunnable(installation);
      return checkHealth(installation, runPlugin);
    },
    deliverHook: deliverHook({ ownFacts, runPlugin, assignCall: ports.assignCall, nowMs }),
  };
}

async function checkHealth(installation: InstallationFacts, runPlugin: PluginRunner): Promise<HealthReport> {
  try {
    const { output } = await runPlugin(installation, { kind: 'health' }, { caller: null });
    return (output as { value: Json }).value as unknown as HealthReport;
  } catch (error) {
    if (!(error instanceof PluginFaultError)) throw error;
    if (error.fault.code === 'handler-missing') return { status: 'ok', message: 'The plugin has no health check.' };
    return { status: 'down', message: `${error.fault.code}: ${error.fault.message}` };
  }
}
