import { migrationStatus } from '../migrations/run-migrations.ts';
import { buildGuest } from '../plugins-sdk/guest/build-guest.ts';
import { createRegistry, loadSigningKey, type Principal, type Registry } from '../registry/index.ts';
import { confinementOf, createSandbox, type Sandbox, type SandboxPorts } from '../sandbox/index.ts';
import { openCapabilities } from './capabilities/open-capabilities.ts';
import { changeAwareCache } from './change-aware-cache.ts';
import { checkCordons } from './check-cordons.ts';
import { type ConductWatch, createConduct } from './conduct/compose.ts';
import { conductStore } from './conduct/conduct-store.ts';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './database.ts';
import { openEgress } from './egress/compose.ts';
import type { ResolveHost } from './egress/resolve-host.ts';
import { createEnvelope } from './encryption/envelope.ts';
import { loadKeys } from './encryption/load-keys.ts';
import { createGrants } from './grants/compose.ts';
import type { GrantWatch } from './grants/grant-watch.ts';
import { createApp } from './http/app.ts';
import { createClientAddress } from './http/client-address.ts';
import type { Log } from './http/log.ts';
import { startServer } from './http/server.ts';
import { createInstallations } from './installations/compose.ts';
import type { Installations } from './installations/contract.ts';
import { createFaultFrames } from './installations/fault-frames.ts';
import { installationCache } from './installations/installation-cache.ts';
import { installationLogStore } from './installations/installation-log-store.ts';
import { installationStore } from './installations/installation-store.ts';
import { createRecorder } from './installations/recorder.ts';
import { usageStore } from './installations/usage-store.ts';
import { watchEventLoop } from './invocations/event-loop-delay.ts';
import { createPluginRunner } from './invocations/run-plugin.ts';
import { createDataPlane } from './invocations/serve-request.ts';
import { createLoadShedder, type LoadShedder } from './invocations/shed-load.ts';
import { createMetrics } from './metrics.ts';
import { createNotifications } from './notifications/compose.ts';
import { notificationStore } from './notifications/notification-store.ts';
import { openQueues } from './queues/open.ts';
import { newId, newSeed } from './random.ts';
import { openRecordings } from './recordings/compose.ts';
import type { InvocationRecorder } from './recordings/record-invocations.ts';
import { recordingStore } from './recordings/recording-store.ts';
import type { Rollouts } from './rollouts/compose.ts';
import { openRollouts } from './rollouts/open-rollouts.ts';
import { rolloutStore } from './rollouts/rollout-store.ts';
import type { Readiness } from './routes/index.ts';
import { createScheduler } from './schedules/run-schedules.ts';
import { scheduleStore } from './schedules/schedule-store.ts';
import { createSecrets, secretReader } from './secrets/compose.ts';
import { secretStore } from './secrets/secret-store.ts';
import { createShownSecrets } from './secrets/shown-secrets.ts';
import { createTails } from './tails/compose.ts';
import { createOutcomeLines } from './tails/outcome-lines.ts';
import { createWatchList, type WatchList } from './tails/watch-list.ts';
import { HOST_VERSION } from './version.ts';

/** Triggers of tables, and whoever follows an installation, tell every host on this channel. */
const CHANGES = 'gatehouse_changes';
const SWEEP_INTERVAL_MS = 60_000;
const SCHEDULE_INTERVAL_MS = 5_000;
const EVENT_INTERVAL_MS = 1_000;
const USE_INTERVAL_MS = 5_000;
const JUDGE_INTERVAL_MS = 2_000;
const PRINCIPAL_KEEP_MS = 60_000;
const QUEUE_PER_LANE = 1_024;
const ISOLATES_PER_LANE = 200;

/** A running host. Everything is wired here and nowhere else. */
export interface Host {
  /** Such as `http://127.0.0.1:8080`. */
  url: string;
  registry: Registry;
  installations: Installations;
  sandbox: Sandbox;
  /** Stops accepting, lets requests finish within `drainMs`, writes logs and usage, closes the database last. Idempotent. */
  close(): Promise<void>;
}

export interface HostPorts {
  config: Config;
  /** Address of the application role. */
  appUrl: string;
  log: Log;
  /** Finds the addresses of hosts that plugins name; by DNS where absent. */
  resolveHost?: ResolveHost;
}

/** Opens database, sandbox and HTTP server, in this order. Refuses with: DatabaseUnavailable, AddressUnavailable, EncryptionKeyUnusable. */
export async function startHost(ports: HostPorts): Promise<Host> {
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = once(async () => {
    for (const close of opened.toReversed()) {
      await close().catch((error) => ports.log.error({ err: error }, 'close failed'));
    }
  });
  try {
    return { ...(await open(ports, opened)), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** `opened` collects how to close what has been opened, to be called in reverse. */
async function open({ config, appUrl, log, resolveHost }: HostPorts, opened: (() => Promise<unknown>)[]) {
  const nowMs = Date.now;
  // A key of its own only beside a database of its own.
  const folder = config.databaseUrl === null ? config.dataFolder : null;
  const envelope = createEnvelope(await loadKeys({ configured: config.encryptionKey, folder }));
  const database = await openDatabase({ appUrl });
  opened.push(() => database.close());
  const { knex } = database;
  const registry = createRegistry({
    database: knex,
    signingKey: await loadSigningKey(config.signingKeyFile),
    nowMs,
    newId,
  });

  const load = createLoadShedder({
    delayMsMax: config.shedDelayMs,
    requestsMax: config.requestsMax,
    onShed: (reason) => metrics.requestShed(reason),
    onChange: (status) =>
      log.warn({ ...status }, status.shedding ? 'requests are refused' : 'requests are let in again'),
  });
  const metrics = createMetrics({
    sandboxStatus: () => sandbox.status(),
    loadStatus: load.status,
    conductCounts: () => conduct.counts(),
    canaries: () => rollouts.canaries(),
  });
  const logs = installationLogStore(knex);
  const showFrames = createFaultFrames({
    loadSourceMap: async ({ bundleDigest, releaseId }) =>
      (await registry.loadBundle(bundleDigest, releaseId)).sourceMap,
    nowMs,
  });
  const shownSecrets = createShownSecrets();
  const recorder = createRecorder({ logs, usage: usageStore(knex), metrics, showFrames, shownSecrets, log, nowMs });
  opened.push(recorder.close);
  const conduct = createConduct({
    store: conductStore(knex, config.strikes),
    rules: config.strikes,
    onStrike: metrics.strike,
    log,
    nowMs,
  });
  opened.push(conduct.close);
  await reportConfinement(config, log);
  const guest = await buildGuest();
  const sandbox = await startSandbox(config, registry, guest, {
    onCordonDeath: (death) => {
      metrics.cordonDeath(death);
      log.warn({ ...death }, 'cordon died');
      conduct.onCordonDeath(death);
    },
    onExtraCpu: recorder.extraCpu,
    onAlarm: (alarm) => {
      metrics.cordonStartFailed();
      log.error({ ...alarm }, 'a cordon does not start');
    },
  });
  opened.push(() => sandbox.close(config.drainMs));

  const egress = openEgress(config.egress, resolveHost);
  opened.push(egress.close);
  const sealed = { store: secretStore(knex), envelope };
  const secretValues = secretReader(sealed);
  const queues = await openQueues({ knex, appUrl, redisUrl: config.redisUrl, log });
  opened.push(queues.close);
  const factsOf = async (id: string) => {
    const installation = await store.byId(id);
    return installation && cache.withRelease(installation);
  };
  const capabilities = openCapabilities({
    knex,
    queue: queues.queue,
    newId,
    egress,
    secrets: secretValues,
    shownSecrets,
    runPlugin: (...job) => runPlugin(...job),
    factsOf,
    recorder,
    metrics,
    log,
    newSeed,
    nowMs,
  });
  const store = installationStore(knex, conduct.currentScore);
  const { recordings, invocationRecorder } = openRecordings({
    store: recordingStore(knex),
    findInstallation: store.byId,
    registry,
    guest,
    hostVersion: HOST_VERSION,
    tell: recorder.record,
    log,
    nowMs,
  });
  opened.push(invocationRecorder.flush, every(SWEEP_INTERVAL_MS, invocationRecorder.sweep, log));
  const watchList = createWatchList({ notify: (payload) => database.notify(CHANGES, payload), nowMs });
  const runPlugin = createPluginRunner({
    sandbox,
    broker: capabilities.broker,
    ...createOutcomeLines({ watchList, record: recorder.record, nowMs }),
    ...recorder,
    ...capabilities.recording,
    recordings: invocationRecorder,
    shownSecrets,
    isSuspended: conduct.isSuspended,
    nowMs,
    newId,
    newSeed,
  });
  const cache = installationCache({ store, registry, rollouts: rolloutStore(knex) });
  const rolloutPorts = {
    knex,
    store,
    registry,
    runPlugin,
    metrics,
    hostVersion: HOST_VERSION,
    log,
    nowMs,
    newId,
    newSeed,
  };
  const { rollouts, installing } = openRollouts(rolloutPorts);
  opened.push(rollouts.close, every(JUDGE_INTERVAL_MS, rollouts.judge, log));
  opened.push(every(SWEEP_INTERVAL_MS, rollouts.follow, log));
  opened.push(every(SWEEP_INTERVAL_MS, async () => void (await store.purge(nowMs())), log));
  const principals = principalCache(registry, nowMs);
  await followChanges(
    withoutTails(database, watchList),
    sandbox,
    [cache, principals, capabilities],
    conduct,
    invocationRecorder,
    rollouts,
    capabilities.grantWatch,
    log,
  );
  opened.push(every(SWEEP_INTERVAL_MS, capabilities.sweep, log));
  opened.push(capabilities.meter.flush, every(USE_INTERVAL_MS, capabilities.meter.flush, log));
  opened.push(capabilities.delivery.close, every(EVENT_INTERVAL_MS, capabilities.delivery.tick, log));
  await Promise.all([conduct.refresh(), invocationRecorder.refresh()]);
  opened.push(every(SWEEP_INTERVAL_MS, conduct.sweep, log));
  const scheduler = createScheduler({
    store: scheduleStore(knex),
    factsOf: async (id) => {
      const installation = await store.byId(id);
      const runs = installation?.enabled && installation.conduct.suspendedAt === null;
      return runs ? cache.withRelease(installation) : null;
    },
    runPlugin,
    nowMs,
    log,
  });
  opened.push(every(SCHEDULE_INTERVAL_MS, scheduler.tick, log));
  const messages = queues.start({
    factsOf,
    runPlugin,
    record: recorder.record,
    onUsed: (id) => capabilities.meter.used(id, 'queue'),
    nowMs,
  });
  opened.push(every(SWEEP_INTERVAL_MS, messages.sweep, log));
  const installations = createInstallations({
    store,
    logStore: logs,
    flushLogs: recorder.flushLogs,
    cache,
    registry,
    runPlugin,
    ...installing,
    endSuspension: conduct.endSuspension,
    graceMs: config.uninstallGraceMs,
    hostVersion: HOST_VERSION,
    nowMs,
  });

  let url = '';
  const tails = createTails({ findInstallation: store.byId, logs, watchList, nowMs });
  const app = createApp({
    registry,
    installations,
    tails,
    recordings,
    queues: queues.queues(installations.find),
    secrets: createSecrets({ ...sealed, find: installations.find, releaseById: registry.releaseById }),
    grants: createGrants({
      store: capabilities.grantStore,
      installations,
      cache,
      meter: capabilities.meter,
      watch: capabilities.grantWatch,
      nowMs,
    }),
    notifications: createNotifications({ store: notificationStore(knex), nowMs }),
    dataPlane: createDataPlane({ findInstallation: cache.find, runPlugin, assignCall: rollouts.assignCall }),
    findPrincipal: principals.find,
    ready: () => readiness(database, sandbox, load),
    metrics,
    load,
    metricsPublic: config.metricsPublic,
    clientAddress: createClientAddress(config.trustedProxies),
    publicOrigin: () => config.publicUrl ?? url,
    version: HOST_VERSION,
    log,
  });
  const stopWatching = watchEventLoop(load.onLook);
  opened.push(async () => stopWatching());
  const server = await startServer(app, { hostName: config.hostName, port: config.port, log }).catch((error) =>
    refuseAddress(error, config),
  );
  opened.push(() => server.close(config.drainMs));
  opened.push(async () => tails.close());
  url = server.url;
  return { url, registry, installations, sandbox };
}

/** The address cannot be listened on. The message is one sentence that says what to do. */
export class AddressUnavailable extends Error {
  override name = 'AddressUnavailable';
}

function refuseAddress({ code, message }: NodeJS.ErrnoException, { hostName, port }: Config): never {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${hostName} is taken by another program; stop it or choose another with --port.`,
    EACCES: `Port ${port} is reserved for privileged accounts; choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `This machine has no address ${hostName}; correct GATEHOUSE_HOST.`,
    ENOTFOUND: `${hostName} is no address of this machine; correct GATEHOUSE_HOST.`,
  };
  throw new AddressUnavailable(advice[code ?? ''] ?? `Cannot listen on ${hostName}:${port}: ${message}.`);
}

type SandboxEvents = Pick<SandboxPorts, 'onCordonDeath' | 'onExtraCpu' | 'onAlarm'>;

/** Says which layers of confinement are lacking: a host must not seem safer than it is. */
async function reportConfinement({ confinement }: Config, log: Log): Promise<void> {
  const { findings } = await confinementOf(confinement);
  const lacking = findings.filter(({ state }) => state !== 'active').map(({ layer }) => layer);
  if (lacking.length > 0)
    log.warn({ confinement, lacking }, 'sandbox processes lack layers; gatehouse doctor says why');
}

const startSandbox = (config: Config, registry: Registry, guest: string, events: SandboxEvents): Promise<Sandbox> =>
  createSandbox(
    {
      cordons: config.cordons,
      lanesPerCordon: config.lanesPerCordon,
      queuePerLane: QUEUE_PER_LANE,
      isolatesPerLane: ISOLATES_PER_LANE,
      residentMiBMax: config.cordonRssMiB,
      cordonAgeMsMax: config.cordonAgeMs,
      confinement: config.confinement,
    },
    {
      loadBundle: async (digest) => (await registry.loadBundle(digest)).code,
      guest,
      ...events,
    },
  );

/** Owners of tokens in memory, until a token changes or ends. Strangers' guesses are not kept. */
const principalCache = ({ authenticate }: Registry, nowMs: () => number) =>
  changeAwareCache<Principal | null>({
    load: authenticate,
    ttlMs: (principal) =>
      principal === null
        ? 0
        : Math.min(PRINCIPAL_KEEP_MS, (principal.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs()),
  });

/** Takes what is for the watch list alone out of the changes, of which each makes every cache forget what it has. */
const withoutTails = (database: Database, { onPayload }: WatchList): Database => ({
  ...database,
  listen: (channel, hear, events) =>
    database.listen(channel, (payload) => void (onPayload(payload) || hear(payload)), events),
});

/** Changes of what an installation runs. */
const EVICTING = new Set(['installations', 'installation_conduct', 'rollouts']);

/** Whatever changes on any host, here it is forgotten within the round trip of a notification. */
async function followChanges(
  database: Database,
  sandbox: Sandbox,
  caches: { clear(): void }[],
  conduct: Pick<ConductWatch, 'refresh' | 'isSuspended'>,
  recorder: Pick<InvocationRecorder, 'refresh'>,
  rollouts: Pick<Rollouts, 'onRelease'>,
  grants: Pick<GrantWatch, 'changed'>,
  log: Log,
): Promise<void> {
  const clear = () => {
    for (const cache of caches) cache.clear();
  };
  /** What it has running would go on to break cordons, one after another. */
  const stopSuspended = async (id: string) => {
    await conduct.refresh();
    if (conduct.isSuspended(id)) sandbox.stop(id);
  };
  const onChange = (payload: string) => {
    clear();
    const [table, id] = payload.split(':');
    // Who runs alone from now on must not keep what it has in the cordons of others, and nobody runs an older release.
    if (EVICTING.has(table!) && id) sandbox.evict(id);
    if (table === 'installations' && id) {
      grants.changed(id).catch((error) => log.error({ err: error }, 'grants not read'));
    }
    if (table === 'releases' && id) rollouts.onRelease(id);
    if (table === 'recording_settings') {
      recorder.refresh().catch((error) => log.error({ err: error }, 'recording settings not read'));
    }
    if (table === 'installation_conduct' && id) {
      stopSuspended(id).catch((error) => log.error({ err: error }, 'conduct not read'));
    }
  };
  await database.listen(CHANGES, onChange, { onDisconnect: clear, onReconnect: clear });
}

/** Repeats `work`, never twice at once; returns how to stop, which waits for what runs. */
function every(intervalMs: number, work: () => Promise<void>, log: Log): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error) => log.error({ err: error }, 'periodic work failed'))
      .finally(() => {
        running = null;
      });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function readiness(database: Database, sandbox: Sandbox, load: LoadShedder): Promise<Readiness> {
  const checks: Readiness['checks'] = {
    cordons: checkCordons(sandbox.status()),
    load:
      load.status().shedding === null
        ? { ok: true }
        : { ok: false, message: 'There is more to do than can be answered in time; requests to plugins are refused.' },
  };
  try {
    const late = (await migrationStatus(database.knex)).filter(({ state }) => state === 'pending');
    checks.database = { ok: true };
    checks.migrations =
      late.length === 0
        ? { ok: true }
        : { ok: false, message: `Pending: ${late.map(({ name }) => name).join(', ')}. Run gatehouse migrate up.` };
  } catch {
    checks.database = { ok: false, message: 'The database does not answer.' };
  }
  return { ready: Object.values(checks).every(({ ok }) => ok), checks };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= work();
    return running;
  };
}
