import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import type { AuditIn, Registry, Transparency } from '../../registry/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import type { Log } from '../http/log.ts';
import { changeStore } from '../installations/change-store.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import { demandStore } from '../installations/requirements/demand-store.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { Metrics } from '../metrics.ts';
import { every } from '../repeat-work.ts';
import { countedChanges, createRollouts, type Rollouts } from './compose.ts';
import { rolloutStore } from './rollout-store.ts';
import { sampleStore } from './sample-store.ts';
import { changeStaging } from './stagings/end-staging-store.ts';
import { manageStagings } from './stagings/manage-stagings.ts';
import { stagingSampleStore, stagingStore } from './stagings/staging-store.ts';

export interface OpenRolloutsPorts {
  /** For the host's own work. */
  system: Knex;
  /** For what operators do. */
  scoped: Knex;
  audit: AuditInstallation;
  auditIn: AuditIn;
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

const JUDGE_INTERVAL_MS = 2_000;
const FOLLOW_INTERVAL_MS = 60_000;

/** Rollouts over one database, by their timers, and what installations need to begin and end them. */
export function openRollouts(
  { system, scoped, audit, auditIn, metrics, newId, newSeed, ...ports }: OpenRolloutsPorts,
  opened: (() => Promise<unknown>)[],
) {
  const moving = {
    ...ports,
    changes: countedChanges(changeStore(system, audit), metrics.lifeEvent),
    rollouts: rolloutStore(system),
    demands: demandStore(system),
    stagings: stagingStore(system),
    newRolloutId: uuidv7,
  };
  const staging = { stagingSamples: stagingSampleStore(system), changeStaging: changeStaging(system, auditIn) };
  const rollouts: Rollouts = createRollouts({
    ...moving,
    ...staging,
    sampleStore: sampleStore(system),
    newId,
    newSeed,
    monotonicMs: () => performance.now(),
  });
  opened.push(
    rollouts.close,
    every(JUDGE_INTERVAL_MS, rollouts.judge, ports.log),
    every(FOLLOW_INTERVAL_MS, rollouts.follow, ports.log),
  );
  const installing = {
    changes: countedChanges(changeStore(scoped, audit), metrics.lifeEvent),
    rollouts: rolloutStore(scoped),
    demands: demandStore(scoped),
    newRolloutId: moving.newRolloutId,
    stagings: moving.stagings,
    assignCall: rollouts.assignCall,
  };
  const stagings = manageStagings({
    inTransaction: (work) =>
      scoped.transaction((transaction) => work({ store: stagingStore(transaction), audit: auditIn(transaction) })),
    samples: staging.stagingSamples,
    change: staging.changeStaging,
    onRelease: rollouts.onRelease,
    newId: uuidv7,
    nowMs: ports.nowMs,
  });
  return { rollouts, installing, stagings };
}
