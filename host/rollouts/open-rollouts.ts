import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import type { Registry, Transparency } from '../../registry/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import type { Log } from '../http/log.ts';
import { changeStore } from '../installations/change-store.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { Metrics } from '../metrics.ts';
import { countedChanges, createRollouts, type Rollouts } from './compose.ts';
import { rolloutStore } from './rollout-store.ts';
import { sampleStore } from './sample-store.ts';

export interface OpenRolloutsPorts {
  /** For the host's own work. */
  system: Knex;
  /** For what operators do. */
  scoped: Knex;
  audit: AuditInstallation;
  store: InstallationStore;
  registry: Registry;
  transparency: Pick<Transparency, 'requireLogged'>;
  runPlugin: PluginRunner;
  metrics: Pick<Metrics, 'lifeEvent'>;
  hostVersion: string;
  log: Log;
  nowMs(): number;
  /** UUIDv7 for invocations. */
  newId(): string;
  newSeed(): string;
}

/** Rollouts over one database, and what installations need to begin and end them. */
export function openRollouts({ system, scoped, audit, metrics, newId, newSeed, ...ports }: OpenRolloutsPorts) {
  const moving = {
    ...ports,
    changes: countedChanges(changeStore(system, audit), metrics.lifeEvent),
    rollouts: rolloutStore(system),
    newRolloutId: uuidv7,
  };
  const rollouts: Rollouts = createRollouts({
    ...moving,
    sampleStore: sampleStore(system),
    newId,
    newSeed,
    monotonicMs: () => performance.now(),
  });
  const installing = {
    changes: countedChanges(changeStore(scoped, audit), metrics.lifeEvent),
    rollouts: rolloutStore(scoped),
    newRolloutId: moving.newRolloutId,
    assignCall: rollouts.assignCall,
  };
  return { rollouts, installing };
}
