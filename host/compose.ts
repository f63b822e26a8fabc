import { buildGuest } from '../plugins-sdk/guest/build-guest.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import type { Sandbox } from '../sandbox/index.ts';
import { openAudit } from './audit/open-audit.ts';
import { openCapabilities } from './capabilities/open-capabilities.ts';
import { openMarketplace } from './catalogue/open-marketplace.ts';
import { createConduct } from './conduct/compose.ts';
import { conductStore } from './conduct/conduct-store.ts';
import type { Config } from './config.ts';
import { openDatabase } from './database.ts';
import { openEgress } from './egress/compose.ts';
import type { ResolveHost } from './egress/resolve-host.ts';
import { createEnvelope } from './encryption/envelope.ts';
import { loadKeys } from './encryption/load-keys.ts';
import { CHANGES, followChanges, withoutTails } from './follow-changes.ts';
import { createGrants } from './grants/compose.ts';
import type { Log } from './http/log.ts';
import { currentOrigin } from './http/request-origin.ts';
import { createInstallations } from './installations/compose.ts';
import type { Installations } from './installations/contract.ts';
import { createFaultFrames } from './installations/fault-frames.ts';
import { installationCache } from './installations/installation-cache.ts';
import { installationLogStore } from './installations/installation-log-store.ts';
import { installationStore } from './installations/installation-store.ts';
import { purgeRemoved } from './installations/purge-removed.ts';
import { createRecorder } from './installations/recorder.ts';
import { usageStore } from './installations/usage-store.ts';
import { watchEventLoop } from './invocations/event-loop-delay.ts';
import { createPluginRunner } from './invocations/run-plugin.ts';
import { createDataPlane } from './invocations/serve-request.ts';
import { createLoadShedder } from './invocations/shed-load.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createNotifications } from './notifications/compose.ts';
import { notificationStore } from './notifications/notification-store.ts';
import { openListeners } from './open-listeners.ts';
import { openPrograms } from './organisations/open-programs.ts';
import { principalCache } from './principal-cache.ts';
import { openPrivacy } from './privacy/open-privacy.ts';
import { openQueues } from './queues/open.ts';
import { newId, newSeed } from './random.ts';
import { openRateLimits } from './rate-limits/compose.ts';
import { readiness } from './readiness.ts';
import { openRecordings } from './recordings/compose.ts';
import { recordingStore } from './recordings/recording-store.ts';
import { openReleases } from './releases/open-releases.ts';
import { rememberedRegistry } from './remembered-registry.ts';
import { every, once } from './repeat-work.ts';
import { openJudging } from './reviews/open-judging.ts';
import { openRollouts } from './rollouts/open-rollouts.ts';
import { rolloutStore } from './rollouts/rollout-store.ts';
import { openSchedules } from './schedules/open-schedules.ts';
import { createSecrets, secretReader } from './secrets/compose.ts';
import { secretStore } from './secrets/secret-store.ts';
import { createShownSecrets } from './secrets/shown-secrets.ts';
import { openPeople, type People, type PeopleOptions } from './sessions/open-people.ts';
import { reportConfinement, startSandbox } from './start-sandbox.ts';
import type { Siblings } from './supervisor/siblings.ts';
import { createTails } from './tails/compose.ts';
import { createOutcomeLines } from './tails/outcome-lines.ts';
import { createWatchList } from './tails/watch-list.ts';
import { openRegistryKeys } from './transparency/open-registry-keys.ts';
import { HOST_VERSION } from './version.ts';
import { openWebhooks } from './webhooks/open-webhooks.ts';

const SWEEP_INTERVAL_MS = 60_000;
const EVENT_INTERVAL_MS = 1_000;
const USE_INTERVAL_MS = 5_000;

/** A running host. Everything is wired here and nowhere else. */
export interface Host {
  /** Such as `http://127.0.0.1:8080`. */
  url: string;
  /** Of the listener for admins; null where there is none. */
  adminUrl: string | null;
  /** As the platform itself uses it, outside of requests: nothing is hidden from it. */
  registry: Registry;
  installations: Installations;
  people: People;
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
  /** What a test makes cheap, or looks at. */
  people?: PeopleOptions;
  /** Whether releases are scanned before they are reviewed; true where absent. Tests of other matters do without. */
  scan?: boolean;
  /** The other hosts on the same port, where there are any. */
  siblings?: Siblings;
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
async function open({ config, appUrl, log, resolveHost, ...given }: HostPorts, opened: (() => Promise<unknown>)[]) {
  const nowMs = Date.now;
  // A key of its own only beside a database of its own.
  const folder = config.databaseUrl === null ? config.dataFolder : null;
  const envelope = createEnvelope(await loadKeys({ configured: config.encryptionKey, folder }));
  const database = await openDatabase({ appUrl });
  opened.push(() => database.close());
  const { scoped, system } = database;
  const registryPorts = {
    system,
    ...(await openRegistryKeys(config, system, nowMs())),
    nowMs,
    newId,
    origin: currentOrigin,
    scans: given.scan !== false,
  };
  const registry = createRegistry({ ...registryPorts, database: scoped });
  // Remembered for everybody, so not read as somebody.
  const remembered = rememberedRegistry(createRegistry({ ...registryPorts, database: system }));
  const onAlert: Metrics['securityAlert'] = (kind) => metrics.securityAlert(kind);
  const auditing = { ...registryPorts, signingKeyFile: config.signingKeyFile, onAlert, log };
  const { auditIn, audit, auditConduct, raise, transparency } = await openAudit(auditing, opened);
  const judging = openJudging({ ...auditing, scoped, auditIn, config, scans: registryPorts.scans });
  opened.push(judging.close);
  const people = await openPeople({ ...registryPorts, scoped, envelope, folder, config, log, raise, ...given.people });
  opened.push(people.close);
  const personal = { ...registryPorts, scoped, auditIn, vault: people.vault, forgetSessions: people.cache.clear, log };
  const { privacy, close } = openPrivacy(personal);
  opened.push(close);

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
  const logs = installationLogStore(system);
  const showFrames = createFaultFrames({
    loadSourceMap: async ({ bundleDigest, releaseId }) =>
      (await registry.loadBundle(bundleDigest, releaseId)).sourceMap,
    nowMs,
  });
  const shownSecrets = createShownSecrets();
  const recorder = createRecorder({ logs, usage: usageStore(system), metrics, showFrames, shownSecrets, log, nowMs });
  opened.push(recorder.close);
  const conduct = createConduct({
    store: conductStore(system, config.strikes, auditConduct),
    rules: config.strikes,
    onStrike: metrics.strike,
    log,
    nowMs,
  });
  opened.push(conduct.close);
  await reportConfinement(config, log);
  const guest = await buildGuest();
  const sandbox = await startSandbox(config, remembered, guest, {
    onCordonDeath: (death) => {
      metrics.cordonDeath(death);
      log.warn({ ...death }, 'cordon died');
      conduct.onCordonDeath(death);
      for (const culprit of death.culprits) rollouts.onCulprit(culprit);
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
  const secretValues = secretReader({ store: secretStore(system), envelope });
  const queues = await openQueues({ system, scoped, appUrl, redisUrl: config.redisUrl, drainMs: config.drainMs, log });
  opened.push(queues.close);
  const factsOf = async (id: string) => {
    const installation = await store.byId(id);
    return installation && cache.withRelease(installation);
  };
  const capabilities = openCapabilities({
    knex: system,
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
  const store = installationStore(system, conduct.currentScore);
  const shown = { store: installationStore(scoped, conduct.currentScore), logStore: installationLogStore(scoped) };
  const { recordings, invocationRecorder } = openRecordings({
    store: recordingStore(scoped, audit),
    recorded: recordingStore(system),
    findInstallation: shown.store.byId,
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
  const cache = installationCache({ store, registry: remembered, rollouts: rolloutStore(system) });
  const rolling = {
    ...registryPorts,
    scoped,
    audit,
    auditIn,
    store,
    registry,
    transparency,
    runPlugin,
    metrics,
    log,
    newSeed,
  };
  const { rollouts, installing, stagings } = openRollouts({ ...rolling, hostVersion: HOST_VERSION }, opened);
  opened.push(every(SWEEP_INTERVAL_MS, purgeRemoved({ store, log, nowMs }), log));
  const principals = principalCache(registry, nowMs);
  const programs = openPrograms({ ...registryPorts, scoped, auditIn, registry, findPrincipal: principals.find, log });
  opened.push(programs.close);
  const publishing = openReleases({ ...registryPorts, scoped, registry, sandbox, transparency, log });
  await followChanges(
    withoutTails(database, watchList),
    sandbox,
    [remembered, principals],
    people.cache,
    cache,
    capabilities,
    conduct,
    invocationRecorder,
    rollouts,
    capabilities.grantWatch,
    publishing.stopBlocked,
    log,
  );
  opened.push(every(SWEEP_INTERVAL_MS, capabilities.sweep, log));
  opened.push(capabilities.meter.flush, every(USE_INTERVAL_MS, capabilities.meter.flush, log));
  opened.push(capabilities.delivery.close, every(EVENT_INTERVAL_MS, capabilities.delivery.tick, log));
  await Promise.all([conduct.refresh(), invocationRecorder.refresh()]);
  opened.push(every(SWEEP_INTERVAL_MS, conduct.sweep, log));
  opened.push(openSchedules({ system, store, cache, runPlugin, drainMs: config.drainMs, nowMs, log }));
  const messages = await queues.start({
    factsOf,
    runPlugin,
    record: recorder.record,
    onUsed: (id) => capabilities.meter.used(id, 'queue'),
    nowMs,
  });
  opened.push(every(SWEEP_INTERVAL_MS, messages.sweep, log));
  const installations = createInstallations({
    ...shown,
    flushLogs: recorder.flushLogs,
    cache,
    registry,
    transparency,
    runPlugin,
    ...installing,
    endSuspension: conductStore(scoped, config.strikes, audit).resume,
    graceMs: config.uninstallGraceMs,
    hostVersion: HOST_VERSION,
    nowMs,
  });

  const stopWatching = watchEventLoop(load.onLook);
  const limits = await openRateLimits(config, { onLimited: metrics.rateLimited, log });
  opened.push(async () => stopWatching(), limits.close);
  const told = openWebhooks({ ...registryPorts, scoped, auditIn, envelope, config, resolveHost, log }, opened);
  const tails = createTails({ findInstallation: shown.store.byId, logs: shown.logStore, watchList, nowMs });
  const server = await openListeners(config, {
    ...judging.routes(registry),
    installations,
    stagings,
    tails,
    transparency,
    recordings,
    queues: queues.queues(installations.find),
    secrets: createSecrets({ scoped, audit, envelope, installations, registry }),
    grants: createGrants({ scoped, audit, installations, cache, capabilities, nowMs }),
    privacy,
    notifications: createNotifications({ store: notificationStore(scoped), nowMs }),
    dataPlane: createDataPlane({
      findInstallation: cache.find,
      runPlugin,
      assignCall: rollouts.assignCall,
      countRequest: limits.countInstallation,
    }),
    ...openMarketplace({ ...registryPorts, scoped, auditIn, hostVersion: HOST_VERSION, log }, opened),
    ...limits,
    ...told.routes,
    ...publishing.routes,
    ...programs.routes,
    ...people.routes,
    ready: () => readiness(database, sandbox, load, given.siblings),
    metrics: given.siblings?.share(metrics) ?? metrics,
    load,
    metricsPublic: config.metricsPublic,
    nowMs,
    version: HOST_VERSION,
    log,
  });
  opened.push(() => server.close(config.drainMs));
  opened.push(async () => tails.close(), told.close);
  const { url, adminUrl } = server;
  people.servesAt(url);
  const unscoped = createRegistry({ ...registryPorts, database: system });
  return { url, adminUrl, registry: unscoped, installations, people, sandbox };
}
