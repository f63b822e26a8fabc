import { setTimeout as pause } from 'node:timers/promises';
import type { Knex } from 'knex';
import { type AuditIn, createScans, type Registry, RegistryRefusal, type Scans } from '../../registry/index.ts';
import { createSandbox } from '../../sandbox/index.ts';
import type { Config } from '../config.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { observeRelease } from './observe-release.ts';
import { scanReleases } from './scan-releases.ts';

/** A host that publishes scans at once; this finds what other hosts left behind. */
const LOOK_INTERVAL_MS = 5_000;
const SETTLE_MS_MAX = 90_000;
/** For scans of other hosts; this one tells its own. */
const SETTLE_LOOK_MS = 100;

export interface OpenScanningPorts {
  scoped: Knex;
  system: Knex;
  auditIn: AuditIn;
  config: Pick<Config, 'confinement'>;
  /** Whether this host looks, or shows only what others found. */
  looks: boolean;
  /** Called when a release has been scanned, and is in review. */
  onScanned(releaseId: string): Promise<unknown>;
  log: Log;
  nowMs(): number;
}

export interface OpenScanning {
  scans: Scans;
  /** The registry of the routes: it scans what is published, and approves nothing that has not been scanned. */
  scanned<Of extends Pick<Registry, 'publishRelease' | 'approveRelease'>>(registry: Of): Of;
  close(): Promise<void>;
}

/** Scans of releases, in threads and sandbox processes that are there for one scan each. */
export function openScanning(ports: OpenScanningPorts): OpenScanning {
  const { scoped, system, auditIn, config, looks, onScanned, log, nowMs } = ports;
  const scans = createScans({ database: scoped, system, auditIn, nowMs });
  /** Resolves with the next scan that ends here. */
  let next = Promise.withResolvers<void>();
  const look = scanReleases({
    scans,
    onScanned: (releaseId) => {
      next.resolve();
      next = Promise.withResolvers();
      return onScanned(releaseId);
    },
    observe: (release, onProgress) =>
      observeRelease(release, {
        nowMs,
        onProgress,
        openSandbox: ({ guest, loadBundle }) =>
          createSandbox(
            {
              cordons: 1,
              lanesPerCordon: 1,
              queuePerLane: 64,
              isolatesPerLane: 2,
              spare: false,
              confinement: config.confinement,
            },
            { guest, loadBundle: async (digest) => (await loadBundle(digest)).code },
          ),
      }),
    log,
  });
  let running: Promise<unknown> | null = null;
  let closed = false;
  /** One at a time: a scan takes a core for a second or two. */
  const poke = () => {
    if (closed || !looks) return;
    running ??= look()
      .catch((error) => log.error({ err: error }, 'scanning failed'))
      .finally(() => {
        running = null;
      });
  };
  const stop = every(LOOK_INTERVAL_MS, async () => poke(), log);
  return {
    scans,
    scanned: (registry) => ({
      ...registry,
      publishRelease: async (...command) => {
        const release = await registry.publishRelease(...command);
        if (release.state === 'scanning') poke();
        return release;
      },
      approveRelease: async (actor, releaseId) => {
        await settled(scans, releaseId, () => next.promise, nowMs);
        return registry.approveRelease(actor, releaseId);
      },
    }),
    close: async () => {
      closed = true;
      await stop();
      await running;
    },
  };
}

/** A moderator who is faster than the scan waits for it. Refuses with: scan-running, scan-unacknowledged. */
async function settled(
  scans: Pick<Scans, 'requireSettled'>,
  releaseId: string,
  scanned: () => Promise<void>,
  nowMs: () => number,
): Promise<void> {
  const untilMs = nowMs() + SETTLE_MS_MAX;
  for (;;) {
    // Asked for before it is looked at, so that an end in between is not missed.
    const told = scanned();
    try {
      return await scans.requireSettled(releaseId);
    } catch (error) {
      const waits = error instanceof RegistryRefusal && error.code === 'scan-running' && nowMs() < untilMs;
      if (!waits) throw error;
      await Promise.race([told, pause(SETTLE_LOOK_MS)]);
    }
  }
}
