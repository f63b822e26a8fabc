import type { Knex } from 'knex';
// Those of one millisecond are in order, as the lines of a log must be.
import { v7 as uuidv7 } from 'uuid';
import type { CapabilityName, Json, Limits } from '../../plugins-sdk/contract/index.ts';
import type { SigningWeakness } from '../../registry/index.ts';
import { type AuditInstallation, digestOf } from '../audit/installation-audit-store.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import type { RolloutCause, RolloutEnd, RolloutState } from '../rollouts/contract.ts';
import type { Line, Message } from '../rollouts/describe-rollout.ts';
import { installationLogStore } from './installation-log-store.ts';

/** What of an installation a change sets. */
export interface NewValues {
  releaseId?: string;
  grants?: CapabilityName[];
  config?: Json;
  grantedLimits?: Partial<Limits>;
  enabled?: boolean;
  /** Ends its installation. */
  installing?: false;
  follows?: string | null;
  canaryPercent?: number;
  promoteAfterSeconds?: number | null;
  delaySeconds?: number;
  /** Removes it; what it stored is deleted at `purgeAtMs`. */
  removal?: { atMs: number; purgeAtMs: number };
}

export interface NewRollout {
  id: string;
  fromReleaseId: string;
  toReleaseId: string;
  state: RolloutState;
  cause: RolloutCause;
  percent: number;
  promoteAfterSeconds: number | null;
  grants: CapabilityName[];
  config: Json;
  fromGrants: CapabilityName[];
  fromConfig: Json;
  reason: string;
  facts: Json;
}

/** Everything that one change of an installation writes: all of it or nothing. */
export interface Change {
  installationId: string;
  /** The revision that the change was made from. */
  revision: number;
  atMs: number;
  set?: NewValues;
  /** Ends what is under way. */
  end?: { state: 'waiting' | 'canary'; as: RolloutEnd; reason: string; facts?: Json }[];
  /** Gives the running canary another share. */
  share?: { percent: number; promoteAfterSeconds: number | null };
  begin?: NewRollout;
  /** A release that its operator takes although it is signed more weakly. */
  accept?: { releaseId: string; weaknesses: SigningWeakness[]; reason: string };
  lines: Line[];
  /** Told to the operator and the publisher. */
  message?: Message | null;
}

export interface Lease {
  leaseId: string;
  /** Of the installation, when the lease was taken. */
  revision: number;
}

export interface ChangeStore {
  /** Null where somebody else has the lease. Ends by itself after `leaseMs`. */
  take(installationId: string, leaseMs: number): Promise<Lease | null>;
  /** Keeps the lease for `leaseMs` more. */
  keep(installationId: string, lease: Lease, leaseMs: number): Promise<void>;
  release(installationId: string, lease: Lease): Promise<void>;
  /** False where the installation has changed since, or is gone: nothing is written then. */
  write(change: Change): Promise<boolean>;
}

export function changeStore(database: Knex, audit: AuditInstallation): ChangeStore {
  const until = (leaseMs: number) => database.raw("now() + ? * interval '1 millisecond'", [leaseMs]);
  return {
    take: async (installationId, leaseMs) => {
      const leaseId = uuidv7();
      const taken = await database('installation_leases')
        .insert({ installation_id: installationId, lease_id: leaseId, until: until(leaseMs) })
        .onConflict('installation_id')
        .merge()
        .where('installation_leases.until', '<', database.fn.now())
        .returning('lease_id');
      if (taken.length === 0) return null;
      const row = await database('installations').where({ id: installationId }).first('revision');
      return { leaseId, revision: row.revision };
    },
    keep: async (installationId, { leaseId }, leaseMs) => {
      await database('installation_leases')
        .where({ installation_id: installationId, lease_id: leaseId })
        .update({ until: until(leaseMs) });
    },
    release: async (installationId, { leaseId }) => {
      await database('installation_leases').where({ installation_id: installationId, lease_id: leaseId }).delete();
    },
    write: (change) =>
      database.transaction(async (transaction) => {
        if (!(await setValues(transaction, change))) return false;
        await moveRollouts(transaction, change);
        await acceptSigning(transaction, change);
        await tell(transaction, change);
        for (const entry of entriesOf(change)) await audit(transaction, entry);
        return true;
      }),
  };
}

/** One entry for each thing that happened; what was set stands in the first. */
function entriesOf({ installationId, lines, set, begin }: Change) {
  if (lines.length === 0 && set === undefined && begin === undefined) return [];
  const { config, removal: _, ...shown } = set ?? {};
  const values = {
    ...shown,
    ...(config !== undefined && { config: digestOf(config) }),
    ...(begin !== undefined && {
      rolloutId: begin.id,
      fromReleaseId: begin.fromReleaseId,
      toReleaseId: begin.toReleaseId,
    }),
  } as { [name: string]: Json };
  const told = lines.length > 0 ? lines.map(({ facts }) => facts) : [{ event: 'changed' }];
  return told.map((facts, index) => {
    const { event = 'changed', ...rest } = (facts ?? {}) as { event?: string };
    return {
      installationId,
      action: `installation.${event}`,
      after: index === 0 ? { ...rest, ...values } : { ...rest },
    };
  });
}

async function setValues(transaction: Knex, { installationId, revision, set }: Change): Promise<boolean> {
  const row = () => transaction('installations').where({ id: installationId, revision }).whereNull('deleted_at');
  // A change that sets nothing must not make every host forget the installation.
  if (set === undefined) return (await row().forUpdate().first('id')) !== undefined;
  return (await row().update({ ...columns(set), revision: revision + 1 })) === 1;
}

function columns(set: NewValues): Record<string, unknown> {
  const { config, grantedLimits, removal } = set;
  const all = {
    release_id: set.releaseId,
    grants: set.grants,
    config: config === undefined ? undefined : JSON.stringify(config),
    granted_limits: grantedLimits && JSON.stringify(grantedLimits),
    enabled: set.enabled,
    installing: set.installing,
    follows: set.follows,
    canary_percent: set.canaryPercent,
    promote_after_seconds: set.promoteAfterSeconds,
    delay_seconds: set.delaySeconds,
    deleted_at: removal && new Date(removal.atMs),
    purge_at: removal && new Date(removal.purgeAtMs),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function moveRollouts(transaction: Knex, change: Change): Promise<void> {
  const { installationId, atMs, end = [], begin, share } = change;
  const at = new Date(atMs);
  const ofInstallation = (state: string) => transaction('rollouts').where({ installation_id: installationId, state });
  for (const { state, as, reason, facts } of end) {
    await ofInstallation(state).update({
      state: as,
      reason: reason.slice(0, REASON_CHARS_MAX),
      ended_at: at,
      ...(facts !== undefined && { facts: JSON.stringify(facts) }),
    });
  }
  if (share) {
    await ofInstallation('canary').update({
      percent: share.percent,
      promote_after_seconds: share.promoteAfterSeconds,
    });
  }
  if (begin === undefined) return;
  await transaction('rollouts').insert({
    id: begin.id,
    installation_id: installationId,
    from_release_id: begin.fromReleaseId,
    to_release_id: begin.toReleaseId,
    state: begin.state,
    cause: begin.cause,
    percent: begin.percent,
    promote_after_seconds: begin.promoteAfterSeconds,
    grants: begin.grants,
    config: JSON.stringify(begin.config),
    from_grants: begin.fromGrants,
    from_config: JSON.stringify(begin.fromConfig),
    reason: begin.reason.slice(0, REASON_CHARS_MAX),
    facts: JSON.stringify(begin.facts),
    started_at: at,
    ended_at: endOf(begin.state, at, transaction),
  });
}

async function acceptSigning(transaction: Knex, { installationId, accept }: Change): Promise<void> {
  if (accept === undefined) return;
  const { releaseId, weaknesses, reason } = accept;
  await transaction('accepted_signings')
    .insert({ installation_id: installationId, release_id: releaseId, weaknesses, reason })
    .onConflict(['installation_id', 'release_id'])
    .merge(['weaknesses', 'reason']);
}

/** The end of a failure is compared with the installation's own times, so the same clock tells both. */
function endOf(state: RolloutState, at: Date, transaction: Knex) {
  if (state === 'waiting' || state === 'canary') return null;
  return state === 'failed' ? transaction.fn.now() : at;
}

export const REASON_CHARS_MAX = 2_000;

async function tell(transaction: Knex, { installationId, atMs, lines, message }: Change): Promise<void> {
  const at = new Date(atMs).toISOString();
  const logged = lines.map((line) => ({
    id: uuidv7(),
    installationId,
    at,
    invocationId: '',
    source: 'host' as const,
    ...line,
  }));
  if (logged.length > 0) await installationLogStore(transaction).append(logged);
  if (!message) return;
  const row = await transaction('installations as installation')
    .join('releases as release', 'release.id', 'installation.release_id')
    .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
    .where('installation.id', installationId)
    .first({ operatorId: 'installation.operator_id', publisherId: 'plugin.organisation_id' });
  const told = [...new Set<string>([row.operatorId, row.publisherId])];
  await notificationStore(transaction).add(
    told.map((organisationId) => ({ id: uuidv7(), organisationId, at, ...message })),
  );
}
